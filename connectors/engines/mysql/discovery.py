"""What there is to ask for. Everything is shown; what cannot be granted is refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order, Page, ResourceFact
from connectors.contract.provider import Run
from connectors.engines.mysql.levels import LEVELS, is_system, privileges
from connectors.engines.mysql.offers import PREPARE, Offers, offers
from connectors.engines.mysql.roles import Role, roles
from connectors.engines.mysql.server import Dialect, Target, open_session, target
from connectors.engines.names import path, source_id

DEFAULT_TYPES = ("database", "role")
TYPES = ("database", "role", "table")
VIEWS = ("VIEW", "SYSTEM VIEW")
# Where a sync can go on: a type, and the names of the last resource of it.
Place = tuple[str, ...]


def discover(order: Order, run: Run, dialect: Dialect) -> Iterator[Page]:
    """Yield the inventory, a page at a time; no more than a page is ever held."""
    types = order.resource_types or DEFAULT_TYPES
    with open_session(order, run) as session:
        at = target(session, dialect)
        page: list[ResourceFact] = []
        for resource in _resources(at, types, _resumed(order.resume), order.page_size):
            page.append(resource)
            if len(page) == order.page_size:
                yield Page(tuple(page), resume=_resume(resource))
                page = []
        if page:
            yield Page(tuple(page), resume=_resume(page[-1]))


def _resume(last: ResourceFact) -> str:
    """Return the word to go on after a resource."""
    return json.dumps([last.resource_type, *json.loads(last.source_id)])


def _resumed(word: str) -> Place:
    """Return the place that a word means; nothing where it means the beginning."""
    try:
        place = json.loads(word) if word else []
    except ValueError as error:
        raise Misconfigured(f"{word!r} is no place to go on from.") from error
    return tuple(map(str, place))


def _resources(at: Target, types: tuple[str, ...], after: Place, size: int) -> Iterator[ResourceFact]:
    """Yield the resources of these types that come after a place, in an order that stays."""
    begun = TYPES.index(after[0]) if after and after[0] in TYPES else -1
    for number, kind in enumerate(TYPES):
        if kind not in types or number < begun:
            continue
        names = after[1:] if number == begun else ()
        if kind == "database":
            passing = offers(at)
            yield from (_database(row, passing) for row in _databases(at) if not names or _later(row["name"], names[0]))
        elif kind == "role":
            found = sorted(roles(at), key=lambda role: role.name.encode())
            yield from (_role(role) for role in found if not names or _later(role.name, names[0]))
        else:
            yield from _tables(at, names, size)


def _later(name: str, than: str) -> bool:
    """Say whether a name comes after another, in the order of the programs: by bytes."""
    return name.encode() > than.encode()


def _databases(at: Target) -> list[dict[str, Any]]:
    """Return the databases, but for the server's own."""
    return [row for row in at.session.rows(at.programs.databases) if not is_system(row["name"])]


def _tables(at: Target, after: Place, size: int) -> Iterator[ResourceFact]:
    """Yield the tables of every database that the connector can see into."""
    passing = offers(at)
    for row in _databases(at):
        name = row["name"]
        if after and _later(after[0], name):
            continue
        last = after[1] if after and after[0] == name else ""
        for rows in at.session.stream(at.programs.tables, size, database=name, after=last):
            yield from (_table(name, found, passing) for found in rows)


def _database(row: dict[str, Any], passing: Offers) -> ResourceFact:
    """Return a database with the levels that the connector cannot give."""
    name = row["name"]
    refusals = {level: words for level in LEVELS["database"] if (words := _lacking(passing, "database", level, name))}
    return ResourceFact(
        "database", source_id(name), name, path(name), context={"collation": row["collation"]}, refusals=refusals
    )


def _lacking(passing: Offers, kind: str, level: str, *names: str) -> str:
    """Return why a level cannot be given, or an empty string."""
    lacking = passing.missing(privileges(kind, level), *names)
    return f"The connector may not pass on {', '.join(sorted(lacking))}. {PREPARE}" if lacking else ""


def _role(role: Role) -> ResourceFact:
    """Return a role."""
    refusals = {"MEMBER": role.refusal} if role.refusal else {}
    return ResourceFact("role", source_id(role.name), role.name, path(role.name), refusals=refusals)


def _table(database: str, row: dict[str, Any], passing: Offers) -> ResourceFact:
    """Return a table, or what can be read like one."""
    names = (database, row["name"])
    refusals = {level: words for level in LEVELS["table"] if (words := _lacking(passing, "table", level, *names))}
    if row["kind"] in VIEWS:
        refusals |= dict.fromkeys(("READ_WRITE", "ADMIN"), "It is a view.")
    return ResourceFact(
        "table", source_id(*names), row["name"], path(*names), context={"kind": row["kind"].lower()}, refusals=refusals
    )
