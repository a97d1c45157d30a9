"""Finds what can be asked for: the servers of the list, and the groups that each of them allows to be given."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.contract.errors import LeaseLost, Misconfigured, TargetError, Unreachable
from connectors.contract.orders import Order, Page, ResourceFact
from connectors.contract.provider import Run
from connectors.providers.ssh import programs
from connectors.providers.ssh.names import source_id
from connectors.providers.ssh.servers import Fleet, Server

# A page is handed on after so many servers at the latest, so that little is done again after a lost lease.
SERVERS_PER_PAGE = 20


@dataclass(slots=True)
class Facts:
    """What server.sh tells of a server. `clock_ahead` is in seconds, against the connector's."""

    version: str = ""
    clock_ahead: float = 0.0
    programs: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    trusted: set[str] = field(default_factory=set)
    shells: set[str] = field(default_factory=set)
    sshd: dict[str, str] = field(default_factory=dict)
    sudo: bool = False
    uids: int = 0


def facts(fleet: Fleet, name: str) -> Facts:
    """Ask one server what it is, and hang up. Raises a TargetError."""
    fleet.reach([name])
    began = time.time()
    lines = fleet.host(name).read(programs.SERVER).splitlines()
    fleet.close(name)
    if not lines or lines[-1] != "end":
        raise Unreachable(f"The answer of {name} broke off.", fix="It is tried again.")
    try:
        return _parsed(lines, began)
    except ValueError as error:
        raise Misconfigured(f"The answer of {name} is not understood.") from error


def _parsed(lines: list[str], began: float) -> Facts:
    """Return what server.sh wrote."""
    found = Facts()
    for line in lines:
        key, _, value = line.partition("\t")
        match key:
            case "now":
                # Its clock was read at some moment in between, in whole seconds.
                found.clock_ahead = min(max(float(value) + 1 - began, 0), float(value) - time.time(), key=abs)
            case "version":
                found.version = value.partition(",")[0]
            case "program":
                found.programs.add(value)
            case "group":
                found.groups.add(value)
            case "ca":
                found.trusted.add(value)
            case "shell":
                found.shells.add(value)
            case "sudo":
                found.sudo = True
            case "uids":
                found.uids = int(value)
            case "sshd":
                option, _, rest = value.partition(" ")
                found.sshd.setdefault(option, rest)
    return found


def discover(order: Order, run: Run) -> Iterator[Page]:
    """Yield the inventory in pages. Raises a TargetError at its end when servers did not answer: it is not whole then.

    A page may be gone on after with the last server that is whole in it, unless one before that was missed.
    """
    with Fleet(order, run) as fleet:
        waiting: list[ResourceFact] = []
        missed: list[TargetError] = []
        done = order.resume
        for number, name in enumerate(_after(list(fleet.settings.servers), order.resume), 1):
            try:
                found = list(_resources(fleet, fleet.settings.servers[name], order.resource_types))
            except LeaseLost:
                raise
            except TargetError as error:
                missed.append(error)
                continue
            for one in found:
                if len(waiting) == order.page_size:
                    yield Page(tuple(waiting), done)
                    waiting = []
                waiting.append(one)
            done = done if missed else name
            if number % SERVERS_PER_PAGE == 0 and waiting:
                yield Page(tuple(waiting), done)
                waiting = []
        if waiting:
            yield Page(tuple(waiting), done)
        if missed:
            raise type(missed[0])(" ".join(dict.fromkeys(one.message for one in missed)), fix=missed[0].fix)


def _after(names: list[str], last: str) -> list[str]:
    """Return the names that come after the one that an earlier try got to; all when there was none."""
    return names[names.index(last) + 1 :] if last in names else names


def _resources(fleet: Fleet, server: Server, kinds: tuple[str, ...]) -> Iterator[ResourceFact]:
    """Yield one server and its groups."""
    found = facts(fleet, server.name)
    context = {"host": server.address.host, "port": str(server.address.port)}
    if "server" in kinds:
        refusals = {} if found.sudo else {"SUDO": f"{server.name} lets nobody become root through Latchkey."}
        yield ResourceFact(
            "server", source_id(server.name), server.name, server.name, server.tags, context, refusals=refusals
        )
    if "group" in kinds:
        for group in sorted(found.groups):
            if fleet.settings.offers(group):
                path = f"{server.name}/{group}"
                yield ResourceFact("group", source_id(server.name, group), group, path, server.tags, context)
