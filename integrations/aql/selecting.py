"""What a query selects of the whole inventory, asked of the database: one statement each, nothing in memory."""

# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from integrations.aql.conditions import SQL, condition, one_of
from integrations.aql.tree import And, Node, Query, Term
from integrations.choices import IntegrationStatus, ResourceStatus

# A count stops here: "more than 10,000" says enough, and costs no more.
COUNT_MAX = 10_000
PAGE = 5_000
Pair = tuple[int, int]
_ROWS = """
FROM integrations_resource r
JOIN integrations_resourcetype t ON t.id = r.resource_type_id
JOIN integrations_integration i ON i.id = t.integration_id
JOIN integrations_permission p ON p.resource_type_id = r.resource_type_id
"""


@dataclass(frozen=True, slots=True)
class Selected:
    """The entitlements a query selects; with `grantable`, those that are there and not switched off."""

    query: Query
    grantable: bool = False

    def count(self, most: int = COUNT_MAX) -> int:
        """Return how many entitlements there are, or `most` + 1 when there are more than that."""
        rows, values = self._rows()
        ((number,),) = _read(f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT {most + 1:d}) AS counted", values)
        return int(number)

    def page(self, after: Pair = (0, 0), size: int = PAGE) -> list[Pair]:
        """Return the next (resource id, permission id) behind a pair, in the order of these."""
        rows, values = self._rows()
        sql = f"SELECT r.id, p.id {rows}"
        if after > (0, 0):
            sql, values = f"{sql} AND r.id >= %s AND (r.id, p.id) > (%s, %s)", [*values, after[0], *after]
        return _read(f"{sql} ORDER BY r.id, p.id LIMIT {size:d}", values)

    def statement(self) -> SQL:
        """Return the statement that selects all (resource id, permission id), to be part of another one."""
        rows, values = self._rows()
        return f"SELECT r.id AS resource_id, p.id AS permission_id {rows}", values

    def pairs(self) -> Iterator[Pair]:
        """Return all pairs, read page by page."""
        page = self.page()
        while page:
            yield from page
            page = self.page(page[-1]) if len(page) == PAGE else []

    def _rows(self) -> SQL:
        parts = [part for part in _conjuncts(self.query.root) if not _is_driving(part)]
        drivers = [_driver(part, self._types()) for part in _conjuncts(self.query.root) if _is_driving(part)]
        parts_sql = [condition(part) for part in parts]
        if self.grantable:
            parts_sql.append(("r.status = %s", [ResourceStatus.ACTIVE.value]))
            parts_sql.append(("i.status <> %s", [IntegrationStatus.DISABLED.value]))
        # Left as a plain list: what stands on top, the planner joins; and the list is as short as its parts are few.
        every = [*drivers, *parts_sql]
        return (
            f"{_ROWS} WHERE {' AND '.join(sql for sql, _ in every)}",
            [value for _, values in every for value in values],
        )

    def _types(self) -> tuple[str, ...]:
        """Return the resource types that the query names for all it selects, if it does."""
        for part in _conjuncts(self.query.root):
            if isinstance(part, Term) and part.field == "resource_type" and part.operator in {"=", "in"}:
                return part.values
        return ()


def selected(query: Query, *, grantable: bool = False) -> Selected:
    """Return what a query selects, ready to be counted and read. No query yet."""
    return Selected(query, grantable)


def _conjuncts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, And) else (node,)


def _is_driving(part: Node) -> bool:
    """Whether a part names the value of a tag that all has to have: the index of tags finds what does."""
    return isinstance(part, Term) and part.field == "resource_tag" and part.operator in {"=", "in"}


def _driver(part: Node, types: tuple[str, ...]) -> SQL:
    assert isinstance(part, Term)
    sql, values = tagged(part, types)
    return f"r.id IN ({sql})", values


def tagged(term: Term, types: tuple[str, ...]) -> SQL:
    """Return the ids of resources that have the tag, of these types if any: read from integrations_tag_select alone."""
    value, values = ("= %s", [term.values[0]]) if len(term.values) == 1 else one_of(term.values)
    sql = f"SELECT g.resource_id FROM integrations_tag g WHERE g.key = %s AND g.value {value}"
    if not types:
        return sql, [term.key, *values]
    kind, more = ("= %s", [types[0]]) if len(types) == 1 else one_of(types)
    return f"{sql} AND g.type {kind}", [term.key, *values, *more]


def _read(sql: str, values: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
