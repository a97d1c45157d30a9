"""How things are called: source ids, markers on logins, comments on prepared roles.

A source id is the JSON array of the names, outermost first: ["shop"], ["shop","public"], ["shop","public","orders"],
["auditors"]. JSON keeps apart what dots and quotes in names would mix up.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import NamedTuple

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Desired, Person, Unit

LENGTHS = {"database": 1, "schema": 2, "table": 3, "role": 1}
LEVELS = {
    "database": ("READ_ONLY", "READ_WRITE", "ADMIN"),
    "schema": ("READ_ONLY", "READ_WRITE"),
    "table": ("READ_ONLY", "READ_WRITE"),
    "role": ("MEMBER",),
}
PREPARED = re.compile(r"latchkey level=(READ_ONLY|READ_WRITE|ADMIN|KEEPER) database=(.+)", re.DOTALL)
ID = re.compile(r"[!-<>-~]+")


class Prepared(NamedTuple):
    """What a prepared role is for. The level KEEPER is given to nobody: it owns what people made."""

    database: str
    level: str


def source_id(*names: str) -> str:
    """Return the source id of these names."""
    return json.dumps(names, ensure_ascii=False, separators=(",", ":"))


def path(*names: str) -> str:
    """Return the names as people read them."""
    return "/".join(names)


def parse_unit(unit: Unit) -> tuple[str, ...]:
    """Return the names in a unit. Raises Misconfigured when type, permission or source id is none of ours."""
    if unit.permission not in LEVELS.get(unit.resource_type, ()):
        raise Misconfigured(f"PostgreSQL has no permission {unit.permission} on a {unit.resource_type}.")
    try:
        names = json.loads(unit.resource)
    except ValueError as error:
        raise Misconfigured(f"{unit.resource!r} is no source id.") from error
    if not (
        isinstance(names, list)
        and len(names) == LENGTHS[unit.resource_type]
        and all(isinstance(name, str) and name for name in names)
    ):
        raise Misconfigured(f"{unit.resource!r} is no source id of a {unit.resource_type}.")
    return tuple(names)


def prepared(comment: str) -> Prepared | None:
    """Return what a role is prepared for, by its comment."""
    found = PREPARED.fullmatch(comment)
    return Prepared(found[2], found[1]) if found else None


def person_marker(integration_id: str, person: Person) -> str:
    """Return how the marker on every login of one person in one integration begins."""
    for id_ in (integration_id, person.person_id):
        _check_id(id_)
    return f"latchkey integration={integration_id} person={person.person_id} grant="


def grant_marker(person_marker_: str, grant_id: str) -> str:
    """Return the marker on the login of one grant."""
    _check_id(grant_id)
    return person_marker_ + grant_id


def probe_marker(integration_id: str) -> str:
    """Return the marker on the login that `check` makes for a moment."""
    _check_id(integration_id)
    return f"latchkey probe integration={integration_id}"


def standing_names(desired: Desired) -> list[str]:
    """Return what the person's own logins may be called.

    The rule: the person's name and aliases, exactly and in lower case, and for an e-mail address also what is before
    the @. A role of that name is taken for the person's, unless it bears a marker of ours.
    """
    names = {desired.person.name, *desired.person.aliases}
    names |= {name.partition("@")[0] for name in names}
    return sorted(filter(None, names | {name.lower() for name in names}))


def timestamp(seconds: float) -> str:
    """Return a moment in the spelling of VALID UNTIL; infinity never ends."""
    if math.isinf(seconds):
        return "infinity"
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="microseconds")


def _check_id(id_: str) -> None:
    """Raise Misconfigured for an id that would make a marker ambiguous."""
    if not ID.fullmatch(id_):
        raise Misconfigured(f"The id {id_!r} cannot be written into a marker: no spaces and no '=', please.")
