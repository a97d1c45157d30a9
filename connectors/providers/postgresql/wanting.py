"""Resolves the units of a grant at the target: which pieces each of them is made of, and whether they can be given."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from connectors.contract.errors import LeaseLost, NotPermitted, Refused, TargetError, TargetMissing
from connectors.contract.orders import Grant, Unit
from connectors.engines.holdings import Holdings, Wanted
from connectors.providers.postgresql import programs
from connectors.providers.postgresql.discovery import PREPARE, prepared_roles, refusal
from connectors.providers.postgresql.holdings import BY_LEVEL, CONNECT, MEMBER, USAGE, WRITE
from connectors.providers.postgresql.names import Prepared, parse_unit
from connectors.providers.postgresql.server import Target


class Resolver:
    """Resolves units, asking the target once for what many units need."""

    def __init__(self, at: Target) -> None:
        """Ask nothing yet."""
        self._at = at

    @cached_property
    def roles(self) -> dict[Prepared, dict[str, Any]]:
        """Return the prepared roles."""
        return prepared_roles(self._at)

    def resolve(self, grants: tuple[Grant, ...]) -> dict[str, list[Wanted]]:
        """Return the resolved units of each grant. A unit that cannot be resolved carries its error."""
        return {grant.grant_id: [self._unit(unit) for unit in grant.units] for grant in grants}

    def _unit(self, unit: Unit) -> Wanted:
        """Return one unit, resolved."""
        try:
            names = parse_unit(unit)
            match unit.resource_type:
                case "database":
                    return self._database(unit, names[0])
                case "role":
                    return self._role(unit, names[0])
                case "schema":
                    return self._schema(unit, *names)
                case _:
                    return self._table(unit, *names)
        except LeaseLost:
            raise
        except TargetError as error:
            return Wanted(unit, error=error)

    def _database(self, unit: Unit, database: str) -> Wanted:
        """Return a level of a database: membership in the role prepared for it."""
        role = self.roles.get(Prepared(database, unit.permission))
        if role is None or not role["database_exists"]:
            known = {row["name"] for row in self._at.home.rows(programs.DATABASES)}
            if database not in known:
                raise TargetMissing(f"There is no database {database!r} any more.")
            raise NotPermitted(f"No role is prepared for {unit.permission} in {database!r}.", fix=f"To do: {PREPARE}.")
        reason = None
        if not role["may_give"]:
            reason = NotPermitted(
                f"The connector does not hold {role['role']} WITH ADMIN OPTION.",
                fix=f"Grant it that role WITH ADMIN OPTION, or {PREPARE} again.",
            )
        return Wanted(unit, {("role", role["role"]): MEMBER}, refusal=reason)

    def _role(self, unit: Unit, name: str) -> Wanted:
        """Return membership in a role."""
        rows = self._at.home.rows(programs.ROLES, names=[name])
        if not rows:
            raise TargetMissing(f"There is no role {name!r} that could be asked for.")
        reason = refusal(rows[0])
        kind = Refused if rows[0]["leads_to"] else NotPermitted
        refused = kind(f"Role {name!r}: {reason}") if reason else None
        return Wanted(unit, {("role", name): MEMBER}, refusal=refused)

    def _schema(self, unit: Unit, database: str, schema: str) -> Wanted:
        """Return a level of a schema: every table that is in it now."""
        rows = self._at.sessions.on(database).rows(programs.SCHEMA_CONTENT, schema=schema)
        if not rows:
            raise TargetMissing(f"There is no schema {schema!r} in {database!r} any more.")
        privileges = BY_LEVEL[unit.permission]
        content: Holdings = {}
        for row in rows:
            if row["name"] is None:
                continue
            if not row["is_sequence"]:
                content["table", database, schema, row["name"]] = privileges
            elif privileges == WRITE:
                content["sequence", database, schema, row["name"]] = USAGE
        return Wanted(unit, {("database", database): CONNECT, ("schema", database, schema): USAGE}, content)

    def _table(self, unit: Unit, database: str, schema: str, table: str) -> Wanted:
        """Return a level of a table: its schema's USAGE goes with it, and the sequences its columns own."""
        rows = self._at.sessions.on(database).rows(programs.TABLE_CONTENT, schema=schema, table=table)
        if not rows:
            raise TargetMissing(f"There is no table {schema}.{table} in {database!r} any more.")
        privileges = BY_LEVEL[unit.permission]
        core: Holdings = {
            ("database", database): CONNECT,
            ("schema", database, schema): USAGE,
            ("table", database, schema, table): privileges,
        }
        sequences: Holdings = {
            ("sequence", database, row["sequence_schema"], row["sequence"]): USAGE
            for row in rows
            if row["sequence"] is not None and privileges == WRITE
        }
        return Wanted(unit, core, sequences)
