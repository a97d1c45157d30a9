"""Gives access: one login per grant, and what its units are made of."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from connectors.contract.errors import LeaseLost, Misconfigured, Refused, TargetError, TargetMissing
from connectors.contract.orders import Grant, Unit
from connectors.contract.secret import Secret
from connectors.providers.postgresql import programs
from connectors.providers.postgresql.ending import Ended, take
from connectors.providers.postgresql.holdings import Holdings, Wanted, unexplained
from connectors.providers.postgresql.names import grant_marker, parse_unit, timestamp
from connectors.providers.postgresql.reading import Login, State
from connectors.providers.postgresql.server import Target
from connectors.toolkit.scram import new_password, verifier
from connectors.toolkit.sql import conninfo, uri

# Two spellings of the same moment differ by less than this.
SAME_MOMENT_SECONDS = 0.001
SCHEMA_PROGRAMS = {"READ_ONLY": programs.GRANT_SCHEMA_READ_ONLY, "READ_WRITE": programs.GRANT_SCHEMA_READ_WRITE}
TABLE_PROGRAMS = {"READ_ONLY": programs.GRANT_TABLE_READ_ONLY, "READ_WRITE": programs.GRANT_TABLE_READ_WRITE}


@dataclass(slots=True)
class Given:
    """What became of one grant. `opened`: nobody could log in before this run."""

    errors: dict[Unit, TargetError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    password: Secret | None = None
    opened: bool = False


def give(at: Target, state: State, grant: Grant, wanted: list[Wanted], person_marker: str) -> Given:
    """Make the login of a grant hold its units and nothing else; a unit that fails leaves the others alone."""
    given = Given({one.unit: one.error for one in wanted if one.error is not None})
    if wanted and len(given.errors) == len(wanted):
        return given  # not one unit can be resolved: no login is made for nothing
    try:
        holdings = _open(at, state, grant, given, person_marker)
    except LeaseLost:
        raise
    except TargetError as error:
        given.errors = {one.unit: error for one in wanted}
        return given
    _take_surplus(at, grant, holdings, wanted, given)
    for one in wanted:
        if one.error is None and not one.complete(holdings):
            _give_unit(at, grant.login, one, given)
    return given


def set_password(at: Target, login: str) -> Secret:
    """Give a login of ours a new password and return it."""
    password = new_password()
    at.home.change(programs.SET_PASSWORD, login=login, verifier=Secret(verifier(password)))
    return Secret(password)


def details(at: Target, grant: Grant) -> dict[str, Any]:
    """Return what is needed to connect, but for the password."""
    server, databases = at.sessions.server, _databases(grant)
    database = databases[0] if databases else at.database
    return {
        "host": server.host,
        "port": server.port,
        "database": database,
        "databases": databases or [database],
        "username": grant.login,
        "sslmode": server.sslmode,
        "command": f"psql {shlex.quote(conninfo(server, database, grant.login))}",
        "uri": uri(server, database, grant.login),
    }


def _databases(grant: Grant) -> list[str]:
    """Return the databases that the units of a grant lie in, in their order."""
    names: dict[str, None] = {}
    for unit in grant.units:
        with suppress(Misconfigured):  # one unit that makes no sense is reported as failed, and no more
            if unit.resource_type != "role":
                names[parse_unit(unit)[0]] = None
    return list(names)


def _open(at: Target, state: State, grant: Grant, given: Given, person_marker: str) -> Holdings:
    """Make or open the login of a grant and return what it holds. Raises Refused for a login that is not its own."""
    login = state.held(grant)
    if login is None:
        if grant.login in state.foreign or grant.login in state.ours:
            raise Refused(
                f"There is a login {grant.login!r} that was not made for this grant. It is not taken over.",
                fix="Rename or drop that role, or ask again: a new grant gets a new name.",
            )
        _create(at, grant, given, person_marker)
        given.opened = True
        return {}
    _reopen(at, login, grant, given)
    return login.holdings


def _create(at: Target, grant: Grant, given: Given, person_marker: str) -> None:
    """Make the login. Nobody learns the password of one that was not asked for."""
    password = new_password()
    at.home.change(
        programs.CREATE_LOGIN,
        login=grant.login,
        verifier=Secret(verifier(password)),
        ends_at=timestamp(grant.ends_at),
        marker=grant_marker(person_marker, grant.grant_id),
    )
    if grant.wants_credentials:
        given.password = Secret(password)
    else:
        given.warnings.append(f"The login {grant.login} was gone and was made again: its old password no longer works.")


def _reopen(at: Target, login: Login, grant: Grant, given: Given) -> None:
    """Make a login that is there usable until the grant's end."""
    same_end = login.valid_until == grant.ends_at or abs(login.valid_until - grant.ends_at) < SAME_MOMENT_SECONDS
    given.opened = not login.can_login
    if not login.can_login or not same_end:
        at.home.change(programs.OPEN_LOGIN, login=grant.login, ends_at=timestamp(grant.ends_at))
    if grant.wants_credentials:
        given.password = set_password(at, grant.login)
    elif login.shut:
        given.warnings.append(f"The login {grant.login} had been shut: it needs a new password.")


def _take_surplus(at: Target, grant: Grant, holdings: Holdings, wanted: list[Wanted], given: Given) -> None:
    """Take what the login holds beyond the grant. Where a unit could not be resolved, nothing is surplus for sure."""
    surplus = unexplained(holdings, wanted)
    if not surplus or any(one.error is not None and not isinstance(one.error, TargetMissing) for one in wanted):
        return
    ended = Ended()
    take(at, grant.login, surplus, ended)
    given.warnings += [error.message for error in ended.errors]
    for thing in surplus:
        holdings.pop(thing)


def _give_unit(at: Target, login: str, one: Wanted, given: Given) -> None:
    """Give one unit, or remember why not."""
    try:
        if one.refusal is not None:
            raise one.refusal
        _give(at, login, one)
    except LeaseLost:
        raise
    except TargetError as error:
        given.errors[one.unit] = error


def _give(at: Target, login: str, one: Wanted) -> None:
    """Run the programs that give one unit."""
    names = parse_unit(one.unit)
    level = one.unit.permission
    if one.unit.resource_type in ("database", "role"):
        program = programs.GRANT_ROLE if at.options_on_membership else programs.GRANT_ROLE_UNTIL_15
        ((_, role),) = one.core
        at.home.change(program, role=role, login=login)
        return
    at.home.change(programs.GRANT_CONNECT, database=names[0], login=login)
    session = at.sessions.on(names[0])
    if one.unit.resource_type == "schema":
        session.change(SCHEMA_PROGRAMS[level], schema=names[1], login=login)
        return
    session.change(TABLE_PROGRAMS[level], schema=names[1], table=names[2], login=login)
    for thing in one.content:
        session.change(programs.GRANT_SEQUENCE, schema=thing[2], sequence=thing[3], login=login)
