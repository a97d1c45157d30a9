"""How things are called: what source ids are made of, markers on logins, comments on prepared roles."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import NamedTuple

from connectors.contract.orders import Person, Unit
from connectors.engines import names
from connectors.engines.names import marker_id

LENGTHS = {"database": 1, "schema": 2, "table": 3, "role": 1}
LEVELS = {
    "database": ("READ_ONLY", "READ_WRITE", "ADMIN"),
    "schema": ("READ_ONLY", "READ_WRITE"),
    "table": ("READ_ONLY", "READ_WRITE"),
    "role": ("MEMBER",),
}
PREPARED = re.compile(r"latchkey level=(READ_ONLY|READ_WRITE|ADMIN|KEEPER) database=(.+)", re.DOTALL)


class Prepared(NamedTuple):
    """What a prepared role is for. The level KEEPER is given to nobody: it owns what people made."""

    database: str
    level: str


def parse_unit(unit: Unit) -> tuple[str, ...]:
    """Return the names in a unit. Raises Misconfigured when type, permission or source id is none of ours."""
    return names.parse_unit(unit, LENGTHS, LEVELS)


def prepared(comment: str) -> Prepared | None:
    """Return what a role is prepared for, by its comment."""
    found = PREPARED.fullmatch(comment)
    return Prepared(found[2], found[1]) if found else None


def person_marker(integration_id: str, person: Person) -> str:
    """Return how the marker on every login of one person in one integration begins."""
    return f"latchkey integration={marker_id(integration_id)} person={marker_id(person.person_id)} grant="


def grant_marker(person_marker_: str, grant_id: str) -> str:
    """Return the marker on the login of one grant."""
    return person_marker_ + marker_id(grant_id)


def probe_marker(integration_id: str) -> str:
    """Return the marker on the login that `check` makes for a moment."""
    return f"latchkey probe integration={marker_id(integration_id)}"


def timestamp(seconds: float) -> str:
    """Return a moment in the spelling of VALID UNTIL; infinity never ends."""
    if math.isinf(seconds):
        return "infinity"
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="microseconds")
