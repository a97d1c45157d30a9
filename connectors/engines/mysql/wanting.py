"""Resolves the units of a grant at the target: what each of them is made of, and whether it can be given."""

from __future__ import annotations

from functools import cached_property

from connectors.contract.errors import LeaseLost, NotPermitted, Refused, TargetError, TargetMissing
from connectors.contract.orders import Grant, Unit
from connectors.engines.holdings import Wanted
from connectors.engines.mysql.levels import MEMBER, is_system, parse_unit, privileges
from connectors.engines.mysql.offers import PREPARE, Offers, offers
from connectors.engines.mysql.roles import roles
from connectors.engines.mysql.server import Target


class Resolver:
    """Resolves units, asking the target once for what many units need."""

    def __init__(self, at: Target) -> None:
        """Ask nothing yet."""
        self._at = at

    @cached_property
    def _offers(self) -> Offers:
        """Return what the connector may pass on."""
        return offers(self._at)

    @cached_property
    def _databases(self) -> frozenset[str]:
        """Return the databases that are there."""
        return frozenset(row["name"] for row in self._at.session.rows(self._at.programs.databases))

    def resolve(self, grants: tuple[Grant, ...]) -> dict[str, list[Wanted]]:
        """Return the resolved units of each grant. A unit that cannot be resolved carries its error."""
        return {grant.grant_id: [self._unit(unit) for unit in grant.units] for grant in grants}

    def _unit(self, unit: Unit) -> Wanted:
        """Return one unit, resolved."""
        try:
            found = parse_unit(unit)
            return self._role(unit, found[0]) if unit.resource_type == "role" else self._data(unit, found)
        except LeaseLost:
            raise
        except TargetError as error:
            return Wanted(unit, error=error)

    def _role(self, unit: Unit, name: str) -> Wanted:
        """Return membership in a role."""
        found = roles(self._at, [name])
        if not found:
            raise TargetMissing(f"There is no role {name!r} that could be asked for.")
        kind = Refused if found[0].harm else NotPermitted
        refusal = kind(f"Role {name!r}: {found[0].refusal}") if found[0].refusal else None
        return Wanted(unit, {("role", name): MEMBER}, refusal=refusal)

    def _data(self, unit: Unit, found: tuple[str, ...]) -> Wanted:
        """Return a level of a database or table."""
        kind, database = unit.resource_type, found[0]
        if is_system(database):
            raise Refused(f"The database {database!r} is the server's own: whoever may use it may do everything.")
        if database not in self._databases:
            raise TargetMissing(f"There is no database {database!r} any more.")
        if kind == "table" and not self._at.session.rows(self._at.programs.table, database=database, table=found[1]):
            raise TargetMissing(f"There is no table {found[1]!r} in {database!r} that the connector could see.")
        needed = privileges(kind, unit.permission)
        lacking = self._offers.missing(needed, *found)
        words = f"The connector may not pass on {', '.join(sorted(lacking))} in {database!r}."
        refusal = NotPermitted(words, fix=PREPARE) if lacking else None
        return Wanted(unit, {(kind, *found): needed}, refusal=refusal)
