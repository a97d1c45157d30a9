"""What a query selects of the whole inventory, asked of the database: one statement each, nothing in memory."""

# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from integrations.aql.asking import ask
from integrations.aql.conditions import SQL, condition, one_of
from integrations.aql.leading import candidates, kept, leaders, leads, tagged
from integrations.aql.tree import And, Node, Query, Term, merged
from integrations.choices import IntegrationStatus, ResourceStatus

# A count stops here: "more than 10,000" says enough, and costs no more.
COUNT_MAX = 10_000
PAGE = 5_000
Pair = tuple[int, int]
# By the name of the row that a condition speaks of.
_JOINS = {
    "t": " JOIN integrations_resourcetype t ON t.id = r.resource_type_id",
    "i": " JOIN integrations_integration i ON i.id = r.integration_id",
}
_PERMISSIONS = " JOIN integrations_permission p ON p.resource_type_id = r.resource_type_id"


@dataclass(frozen=True, slots=True)
class Selected:
    """The entitlements a query selects; with `grantable`, those that are there and not switched off."""

    query: Query
    grantable: bool = False

    def count(self, most: int = COUNT_MAX) -> int:
        """Return how many entitlements there are, or `most` + 1 when there are more than that."""
        rows, values = self._rows(self._met())
        ((number,),) = ask(f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT {most + 1:d}) AS counted", values)
        return int(number)

    def page(self, after: Pair = (0, 0), size: int = PAGE) -> list[Pair]:
        """Return the next (resource id, permission id) behind a pair, in the order of these."""
        if connection.vendor == "postgresql" and leads(self.query.root):
            return ask(*self._led(after, size))
        conditions = self._met()
        if after > (0, 0):
            conditions.append(("r.id >= %s AND (r.id, p.id) > (%s, %s)", [after[0], *after]))
        rows, values = self._rows(conditions)
        return ask(f"SELECT r.id, p.id {rows} ORDER BY r.id, p.id LIMIT {size:d}", values)

    def statement(self) -> SQL:
        """Return the statement that selects all (resource id, permission id), to be part of another one."""
        rows, values = self._rows(self._met())
        return f"SELECT r.id AS resource_id, p.id AS permission_id {rows}", values

    def pairs(self) -> Iterator[Pair]:
        """Return all pairs, read page by page."""
        page = self.page()
        while page:
            yield from page
            page = self.page(page[-1]) if len(page) == PAGE else []

    def _led(self, after: Pair, size: int) -> SQL:
        """Return the page where an index leads: candidate by candidate, in order, until the page is full."""
        types = self._types()
        kind, kinds = one_of(types) if types else ("IS NOT NULL", [])
        all_kinds = f"IN (SELECT id FROM integrations_resourcetype WHERE type {kind})"
        leading, values = candidates(self.query.root, types, (all_kinds, kinds))
        # What the index of tags says, which carries the type, is asked of no candidate again.
        parts = _conjuncts(self.query.root)
        driving = [part for part in leaders(parts) if _is_driving(part)]
        left = [part for part in parts if part not in driving and not (driving and part == self._type())]
        conditions = [("r.id = c.resource_id", []), *(condition(part) for part in left)]
        begin, first = "", []
        if after > (0, 0):
            begin, first = " WHERE c.resource_id >= %s", [after[0]]
            conditions.append(("(r.id, p.id) > (%s, %s)", [*after]))
        rows, more = self._rows(conditions)
        return (
            f"SELECT c.resource_id, x.permission_id"
            f" FROM (SELECT c.resource_id FROM ({leading}) c{begin} ORDER BY c.resource_id{kept()}) c"
            f" CROSS JOIN LATERAL (SELECT p.id AS permission_id {rows}{kept()}) x"
            f" ORDER BY c.resource_id, x.permission_id LIMIT {size:d}"
        ), [*values, *first, *more]

    def _met(self) -> list[SQL]:
        """Return the conditions of the parts that all have to be met; one that drives is joined by the planner."""
        parts = _conjuncts(self.query.root)
        driving = [part for part in leaders(parts) if isinstance(part, Term) and _is_driving(part)]
        tags = [tagged(part, self._types()) for part in driving]
        met = [(f"r.id IN ({sql})", values) for sql, values in tags]
        return [*met, *(condition(part) for part in parts if part not in driving)]

    def _rows(self, conditions: list[SQL]) -> SQL:
        """Return the rows that meet all conditions, joined to no more than these name."""
        if self.grantable:
            active = (
                "r.status = %s AND i.status <> %s",
                [ResourceStatus.ACTIVE.value, IntegrationStatus.DISABLED.value],
            )
            conditions = [*conditions, active]
        where = " AND ".join(sql for sql, _ in conditions)
        joins = "".join(join for row, join in _JOINS.items() if f"{row}." in where)
        sql = f"FROM integrations_resource r{joins}{_PERMISSIONS} WHERE {where}"
        return sql, [value for _, values in conditions for value in values]

    def _type(self) -> Term | None:
        """Return the part of the query that names the resource types of all it selects, if there is one."""
        for part in _conjuncts(self.query.root):
            if isinstance(part, Term) and part.field == "resource_type" and part.operator in {"=", "in"}:
                return part
        return None

    def _types(self) -> tuple[str, ...]:
        part = self._type()
        return part.values if part else ()


def selected(query: Query, *, grantable: bool = False) -> Selected:
    """Return what a query selects, ready to be counted and read. No query yet."""
    return Selected(Query(merged(query.root)), grantable)


def _conjuncts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, And) else (node,)


def _is_driving(part: Node) -> bool:
    """Whether a part names the value of a tag that all has to have: the index of tags finds what does."""
    return isinstance(part, Term) and part.field == "resource_tag" and part.operator in {"=", "in"}
