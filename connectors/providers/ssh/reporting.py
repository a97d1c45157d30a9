"""Puts into words what is: the reports on grants and endings, the details to connect, the read-back."""

from __future__ import annotations

import shlex
import time
from typing import Any, Protocol

from connectors.contract.errors import NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import Ending, Found, Grant, ReadBack, Unit, UnitOutcome, UnitReport
from connectors.providers.ssh.ending import Ended
from connectors.providers.ssh.names import parse_unit, source_id, unit_of
from connectors.providers.ssh.own import Own
from connectors.providers.ssh.reading import Account, State, left
from connectors.providers.ssh.servers import Fleet
from connectors.providers.ssh.wanting import Wanted
from connectors.toolkit.ssh_keys import Certificate


class View(Protocol):
    """What reports are made from."""

    state: State
    own: Own
    ended: dict[tuple[str, str], Ended]


def details(fleet: Fleet, servers: list[str], grant: Grant, certificate: Certificate | None) -> dict[str, Any]:
    """Return what is needed to connect to these servers, but for the private key."""
    known = fleet.settings.known_hosts
    addresses = {name: fleet.settings.servers[name].address for name in servers}
    first = addresses[servers[0]]
    commands = {name: command(fleet, name, grant.login) for name in servers}
    host = f"[{first.host}]" if ":" in first.host else first.host
    told: dict[str, Any] = {
        "host": first.host,
        "port": first.port,
        "username": grant.login,
        "command": commands[servers[0]],
        "uri": f"ssh://{grant.login}@{host}:{first.port}",
        "key_file": fleet.settings.key_file,
        "known_hosts": "\n".join(line for name in servers for line in known.lines(addresses[name])),
    }
    if certificate is not None:
        told["certificate"] = certificate.line
    if len(servers) > 1:
        told["commands"] = [f"{name}: {words}" for name, words in commands.items()]
    return told


def own_details(state: State, own: Own, units: list[Unit]) -> dict[str, Any]:
    """Return what is needed to use groups that the person's own account has."""
    if not units:
        return {}
    place = parse_unit(units[0])
    address, account = own.fleet.settings.servers[place.server].address, own.account_of(state, units[0])
    port = f" -p {address.port}" if address.port != 22 else ""
    return {
        "host": address.host,
        "port": address.port,
        "username": account,
        "command": f"ssh{port} {shlex.quote(f'{account}@{address.host}')}",
    }


def command(fleet: Fleet, server: str, login: str) -> str:
    """Return what a grantee types."""
    address, key = fleet.settings.servers[server].address, fleet.settings.key_file
    words = ["ssh", "-i", key, "-o", f"CertificateFile={key}-cert.pub", "-o", "IdentitiesOnly=yes"]
    words += ["-p", str(address.port)] if address.port != 22 else []
    # ~ must stay bare, and the file's name has nothing in it that a shell would read.
    return " ".join([*words, shlex.quote(f"{login}@{address.host}")])


def unit_report(state: State, grant: Grant, one: Wanted, own: Own, error: TargetError | None) -> UnitReport:
    """Return what is of one unit that should be held. `error` is what giving it met with."""
    silent = own.fleet.errors.get(one.place.server) if one.place is not None else None
    if one.place is not None and one.place.own:
        held, other = own.has(state, one.unit), own.error(one.unit)
    else:
        login = login_of(state, grant, one)
        held = login is not None and one.held(login, state[login.server].read_at)
        other = _nothing_there(state, login)
    if held:
        return UnitReport(one.unit, UnitOutcome.HELD)
    return UnitReport(one.unit, UnitOutcome.FAILED, (error or one.error or silent or other).report())


def login_of(state: State, grant: Grant, one: Wanted) -> Account | None:
    """Return the login that a unit of a grant is on."""
    if one.place is None or one.place.server not in state:
        return None
    return state[one.place.server].held(grant)


def gone_report(work: View, ending: Ending, one: Wanted, *, dropped: bool) -> UnitReport:
    """Return what is of one unit that should be over. `dropped`: a login that is still there is a failure."""
    state, own = work.state, work.own
    failure: TargetError | None = None
    if one.place is None:
        return UnitReport(one.unit, UnitOutcome.GONE)  # it is no unit of ours, so it was never given
    if one.place.server not in state:
        failure = own.fleet.errors.get(one.place.server) or one.error or TargetMissing("The server was not asked.")
    elif one.place.own:
        failure = own.error(one.unit) if own.is_left(state, one.unit) else None
    else:
        for login in logins_of(state, one.place.server, ending, own.desired.holds):
            if dropped or left(login, state[login.server].read_at):
                errors = work.ended[login.server, login.name].errors if (login.server, login.name) in work.ended else []
                failure = next(iter(errors), NotPermitted(f"{login.server} still has it after it was taken away."))
    if failure is None:
        return UnitReport(one.unit, UnitOutcome.GONE)
    return UnitReport(one.unit, UnitOutcome.FAILED, failure.report())


def logins_of(state: State, server: str, ending: Ending, holds: tuple[Grant, ...]) -> list[Account]:
    """Return the logins of an ended grant on a server, never one that a grant in force has."""
    kept = {login.name for grant in holds if (login := state[server].held(grant)) is not None}
    found = [one for one in state[server].ours.values() if one.name == ending.login or one.grant_id == ending.grant_id]
    return [one for one in found if one.name not in kept]


def read_back(state: State, own: Own, wanted: dict[str, list[Wanted]]) -> ReadBack:
    """Return the state as a proof. What could not be asked about an ended grant counts as being there."""
    ours: list[Found] = []
    for one in state.values():
        for login in one.ours.values():
            ours += _found(login, one.read_at, wanted.get(login.grant_id, []))
    for ending in own.desired.gone:
        ours += [Found(unit, ending.login, ending.grant_id) for unit in _unasked(state, own.fleet, ending)]
    given, standing = own.found(state)
    return ReadBack(
        read_at=min((one.read_at for one in state.values()), default=time.time()),
        ours=(*ours, *given),
        standing=tuple(standing),
        live_sessions=sum(login.sessions for one in state.values() for login in one.ours.values()),
    )


def _unasked(state: State, fleet: Fleet, ending: Ending) -> list[Unit]:
    """Return what an ended grant may still have on servers that could not be asked."""
    if not ending.units:
        return [Unit("server", source_id(server), "LOGIN") for server in fleet.errors]
    units = []
    for unit in ending.units:
        try:
            server = parse_unit(unit).server
        except TargetError:
            continue  # it is no unit of ours, so it was never given
        if server not in state:
            units.append(unit)
    return units


def _found(login: Account, now: float, wanted: list[Wanted]) -> list[Found]:
    """Return what a login of ours has: the units of its grant, and everything else by name."""
    here = [one for one in wanted if one.place is not None and not one.place.own and one.place.server == login.server]
    if not here:
        units = left(login, now)
    else:
        units = [one.unit for one in here if one.held(login, now)]
        explained = {one.place.group for one in here if one.place is not None}
        units += [unit_of(login.server, group) for group in sorted(login.extra - explained)]
    return [Found(unit, login.name, login.grant_id) for unit in units]


def _nothing_there(state: State, login: Account | None) -> TargetError:
    """Return the error for a unit of which the server has nothing although nothing failed."""
    if login is None:
        return TargetMissing("The server does not have it.")
    now = state[login.server].read_at
    if login.may_enter(now) and not login.usable(now):
        return TargetMissing(f"Every certificate of {login.name} has ended.")
    if not login.may_enter(now):
        return TargetMissing(f"The login {login.name} is shut.")
    return NotPermitted(f"{login.server} does not have it, although nothing was refused.")
