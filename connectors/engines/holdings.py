"""What a login holds, piece by piece, and how the pieces make up the units that people ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.contract.errors import TargetError
from connectors.contract.orders import Unit

# A kind and the names of a thing, outermost first: ("table", database, schema, name). A holding is what may be done
# with it, in the target's own words.
Thing = tuple[str, ...]
Holdings = dict[Thing, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One unit, resolved at the target: the pieces it is made of.

    It is held when `core` is there and, of `content` (what comes and goes, like the tables of a schema), at least one
    table. `refusal` says why what is missing may not be given. `error` says why the unit cannot be resolved at all.
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


def explained(wanted: Iterable[Wanted]) -> Holdings:
    """Return everything that the wanted units are made of."""
    allowed: Holdings = {}
    for one in wanted:
        for thing, privileges in (one.core | one.content).items():
            allowed[thing] = allowed.get(thing, frozenset()) | privileges
    return allowed


def unexplained(holdings: Holdings, wanted: Iterable[Wanted]) -> Holdings:
    """Return the holdings that no wanted unit accounts for."""
    allowed = explained(wanted)
    return {thing: has for thing, has in holdings.items() if not has <= allowed.get(thing, frozenset())}
