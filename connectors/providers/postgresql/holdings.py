"""What a login holds, piece by piece, and how the pieces make up the units that people ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.contract.errors import TargetError
from connectors.contract.orders import Unit
from connectors.providers.postgresql.names import Prepared, source_id

# ("role", name) ("database", db) ("schema", db, schema) ("table" or "sequence", db, schema, name) ("other", db, words)
Thing = tuple[str, ...]
Holdings = dict[Thing, frozenset[str]]

MEMBER = frozenset({"MEMBER"})
CONNECT = frozenset({"CONNECT"})
USAGE = frozenset({"USAGE"})
READ = frozenset({"SELECT"})
WRITE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
BY_LEVEL = {"READ_ONLY": READ, "READ_WRITE": WRITE}

# More tables than this in one schema are reported as the schema.
MANY = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """One unit, resolved at the target: the pieces it is made of.

    It is held when `core` is there and, of `content` (the tables of a schema, which come and go), at least one piece.
    `refusal` says why what is missing may not be given. `error` says why the unit cannot be resolved at all.
    """

    unit: Unit
    core: Holdings = field(default_factory=dict)
    content: Holdings = field(default_factory=dict)
    refusal: TargetError | None = None
    error: TargetError | None = None

    def held(self, holdings: Holdings) -> bool:
        """Say whether a login that has `holdings` holds the unit."""
        if self.error is not None or any(not _has(holdings, piece) for piece in self.core.items()):
            return False
        tables = [piece for piece in self.content.items() if piece[0][0] == "table"]
        return not tables or any(_has(holdings, piece) for piece in tables)

    def complete(self, holdings: Holdings) -> bool:
        """Say whether nothing of the unit is missing."""
        return self.error is None and all(_has(holdings, piece) for piece in (self.core | self.content).items())


def _has(holdings: Holdings, piece: tuple[Thing, frozenset[str]]) -> bool:
    """Say whether a piece is among the holdings."""
    thing, privileges = piece
    return privileges <= holdings.get(thing, frozenset())


def unexplained(holdings: Holdings, wanted: Iterable[Wanted]) -> Holdings:
    """Return the holdings that no wanted unit accounts for."""
    allowed: dict[Thing, frozenset[str]] = {}
    for one in wanted:
        for thing, privileges in (one.core | one.content).items():
            allowed[thing] = allowed.get(thing, frozenset()) | privileges
    return {thing: has for thing, has in holdings.items() if not has <= allowed.get(thing, frozenset())}


def units(holdings: Holdings, prepared: dict[str, Prepared]) -> Iterator[Unit]:
    """Yield holdings as units; what is no unit of ours keeps PostgreSQL's own words."""
    tables = Counter(thing[1:3] for thing in holdings if thing[0] == "table")
    for place, number in tables.items():
        if number > MANY:
            privileges = frozenset[str]().union(*(holdings[t] for t in holdings if t[0] == "table" and t[1:3] == place))
            yield Unit("schema", source_id(*place), _level(privileges))
    for thing, privileges in sorted(holdings.items()):
        if thing[0] == "table" and tables[thing[1:3]] > MANY:
            continue
        if thing[0] == "role" and thing[1] in prepared:
            yield Unit("database", source_id(prepared[thing[1]].database), prepared[thing[1]].level)
        elif thing[0] == "role":
            yield Unit("role", source_id(thing[1]), "MEMBER")
        elif thing[0] == "table":
            yield Unit("table", source_id(*thing[1:]), _level(privileges))
        else:
            yield Unit(thing[0], source_id(*thing[1:]), ", ".join(sorted(privileges)))


def _level(privileges: frozenset[str]) -> str:
    """Return privileges on a table as the level they make up; others keep their names."""
    if privileges == READ:
        return "READ_ONLY"
    return "READ_WRITE" if privileges <= WRITE and privileges > READ else ", ".join(sorted(privileges))
