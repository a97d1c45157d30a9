"""What flows give, as sets of (resource, permission) in SQL: united, compared and counted by the database.

An entitlement is gained when the flows that change, taken together, would give it to somebody and now give it to
nobody. What cannot be granted now (missing, switched off) is not counted, as the counts beside the form do not.
"""

# ruff: noqa: S608

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from accounts.regrouping import Regrouped
from flows import reach
from flows.decision.bounding import QUERIES, WITHIN, by_query, selection
from flows.decision.covering import Document, Target, targets_of
from flows.whatif.change import Change
from integrations.aql import selected
from integrations.models import Permission
from integrations.queries import Entitlement, entitlements

SQL = tuple[str, list[Any]]
# What an integration target selects is said by these.
_PLACED = ("integration", "resource_type", "permissions", "selectors")
# Parts of one compound statement; SQLite takes five hundred.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Given:
    """What targets give beyond what others give."""

    wanted: tuple[Target, ...]
    without: tuple[Target, ...] = ()

    def count(self) -> int:
        """Return how many entitlements there are, exactly."""
        found = self._beyond()
        return _read(f"SELECT count(*) FROM ({found[0]}) AS counted", found[1])[0][0] if found else 0

    def first(self, number: int) -> list[Entitlement]:
        """Return the first of them, by id."""
        found = self._beyond()
        if found is None:
            return []
        sql = f"SELECT resource_id, permission_id FROM ({found[0]}) AS found ORDER BY 1, 2 LIMIT {number:d}"
        return entitlements((resource, permission) for resource, permission in _read(sql, found[1]))

    def grows(self) -> bool:
        """Whether something is given that the others do not give."""
        return _exists(self._beyond())

    def any(self) -> bool:
        """Whether anything is given at all."""
        return _exists(united(self.wanted))

    def _beyond(self) -> SQL | None:
        """Return the statement of what is wanted beyond the others: what both give alike is not even looked at."""
        there = {_key(one) for one in self.without}
        wanted = united(one for one in self.wanted if _key(one) not in there)
        others = united(self.without) if wanted else None
        if wanted is None or others is None:
            return wanted
        sql = f"SELECT * FROM ({wanted[0]}) AS wanted EXCEPT SELECT * FROM ({others[0]}) AS others"
        return sql, [*wanted[1], *others[1]]


def given_by(before: Document | None, after: Document | None) -> Given:
    """Return what a flow gives after a change, to be compared with what it gave before."""
    return Given(_targets([after]), _targets([before]))


def gives_any_of(document: Document, resources: QuerySet[Any]) -> bool:
    """Whether a flow gives anything on one of these resources (a query of their ids)."""
    found = united(_targets([document]))
    if found is None:
        return False
    sql, values = resources.query.sql_with_params()
    return _exists((f"SELECT 1 FROM ({found[0]}) AS given WHERE resource_id IN ({sql})", [*found[1], *values]))


def gained(change: Change) -> tuple[Given, Given]:
    """Return what entitlements are gained and lost by the flows that change, together.

    A flow that reaches nobody gives nobody anything.
    """
    before = _targets(one for one in map(change.now, change.flows) if _anybody(one))
    after = _targets(one for one in map(change.then, change.flows) if _anybody(one, change.regrouped))
    return Given(after, before), Given(before, after)


def _anybody(document: Document | None, regrouped: Regrouped | None = None) -> bool:
    return document is not None and reach.people(document["requestors"], regrouped=regrouped).exists()


def _targets(documents: Iterable[Document | None]) -> tuple[Target, ...]:
    """Return all targets of the documents, each once."""
    found = {_key(target): target for one in documents if one is not None for target in targets_of(one)}
    return tuple(found[key] for key in sorted(found))


def _key(target: Target) -> str:
    """Name what a target selects; a scope is its query."""
    held = {WITHIN: target[WITHIN]} if WITHIN in target else {}
    if target["kind"] in QUERIES and not held:
        return "query " + str(target.get("query", ""))
    names = ("query",) if held and target["kind"] in QUERIES else _PLACED
    return json.dumps({name: target[name] for name in names} | held, sort_keys=True)


def united(targets: Iterable[Target]) -> SQL | None:
    """Return the statement that selects what any of the targets gives; None where that is nothing."""
    parts = [found for one in targets if (found := _select(one)) is not None]
    return _union(parts) if parts else None


def _union(parts: list[SQL]) -> SQL:
    if len(parts) == 1:
        return parts[0]
    if len(parts) > _AT_ONCE:
        return _union([_union(parts[start : start + _AT_ONCE]) for start in range(0, len(parts), _AT_ONCE)])
    joined = " UNION ".join(f"SELECT * FROM ({sql}) AS part{number}" for number, (sql, _) in enumerate(parts))
    return joined, [value for _, values in parts for value in values]


def _select(target: Target) -> SQL | None:
    """Return the statement that selects what one target gives."""
    if by_query(target):
        query = selection(target)
        return selected(query, grantable=True).statement() if query else None
    # The permissions are few, and looked up first: what is left to join is one table.
    kinds = Permission.objects.filter(
        resource_type__integration=target["integration"],
        resource_type__type=target["resource_type"],
        source_id__in=target["permissions"],
    )
    try:
        sql, values = reach.resources(target).values("pk", "resource_type").query.sql_with_params()
        allowed, more = kinds.values("pk", "resource_type").query.sql_with_params()
    except EmptyResultSet:
        return None
    # Their columns are named by position, for each backend names them as it likes.
    statement = (
        f"WITH chosen(id, type) AS ({sql}), allowed(id, type) AS ({allowed}) "
        "SELECT chosen.id AS resource_id, allowed.id AS permission_id FROM chosen JOIN allowed USING (type)"
    )
    return statement, [*values, *more]


def _exists(found: SQL | None) -> bool:
    return found is not None and bool(_read(f"SELECT 1 FROM ({found[0]}) AS found LIMIT 1", found[1]))


def _read(sql: str, values: list[Any]) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
