"""Rows that a query names by the value of a tag, or one by one: gathered by their index before anybody walks a table.

A tag that a hundred of a million resources have is found at once in the index of tags, and very late on a walk in
reading order. So what queries leave of places is gathered first, each query once, as far as tags, names and ids lead;
what leads to more than CANDIDATES_MAX is common, and a walk meets a page of it soon.
"""

# ruff: noqa: S608

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from integrations.aql.conditions import SQL, condition, one_of
from integrations.aql.leading import candidates, kept, leads, leads_exactly
from integrations.aql.tree import Query, size_of
from integrations.search.places import Place

# So many rows an index may lead to for one query, and so many queries are gathered for at most.
CANDIDATES_MAX, QUERIES_MAX = 1_000, 50
# A query of more comparisons is walked: SQLite joins no more than 500 selects, and takes no more than 32,766 values.
TERMS_MAX = 100
Asked = Mapping[Query, Sequence[Place]]


def asked(among: Iterable[Place]) -> dict[Query, list[Place]]:
    """Return the places by each of the queries left in them, where queries are all there is and an index leads."""
    found: dict[Query, list[Place]] = defaultdict(list)
    small: dict[Query, bool] = {}
    for place in among:
        if place.way != "selected":
            continue
        for one in place.wanted:
            if one.query is not None and one.query not in small:
                small[one.query] = _is_small(one.query)
        if all(one.query is not None and small[one.query] for one in place.wanted):
            for one in place.wanted:
                found[one.query].append(place)  # type: ignore[index]
    return dict(found) if len(found) <= QUERIES_MAX else dict(list(found.items())[:QUERIES_MAX])


def _is_small(query: Query) -> bool:
    return leads(query.root) and size_of(query.root) <= TERMS_MAX


def count(asked: Asked) -> SQL:
    """Return (number of the query, how many rows an index leads to), no further than CANDIDATES_MAX + 1."""
    parts, values = [], []
    for number, (query, here) in enumerate(asked.items()):
        leading, found = _leading(query, here)
        parts.append(f"SELECT {number:d} AS query, (SELECT count(*) FROM ({leading}) c{number:d}) AS number")
        values += found
    return " UNION ALL ".join(parts), values


def _leading(query: Query, here: Sequence[Place]) -> SQL:
    kinds = one_of(place.type_id for place in here)
    sql, values = candidates(query.root, tuple(dict.fromkeys(place.type for place in here)), kinds)
    return f"SELECT * FROM ({sql}) l LIMIT {CANDIDATES_MAX + 1:d}", values


def gather(asked: Asked) -> SQL:
    """Return (number of the query, type id, id) of its rows."""
    parts: list[str] = []
    values: list[Any] = []
    for number, (query, here) in enumerate(asked.items()):
        kinds = one_of(place.type_id for place in here)
        leading, found = _leading(query, here)
        left, others = ("1 = 1", []) if leads_exactly(query.root) else condition(query.root)
        rows = (
            "SELECT r.resource_type_id, r.id FROM integrations_resource r WHERE r.id = c.resource_id"
            f" AND r.status = 'active' AND r.resource_type_id {kinds[0]} AND {left}"
        )
        parts.append(
            f"SELECT * FROM (SELECT {number:d} AS query, x.* FROM ({leading}{kept()}) c {_each(rows)}) x{number:d}"
        )
        values += [*found, *kinds[1], *others]
    return " UNION ALL ".join(parts), values


def _each(rows: str) -> str:
    """Join what is asked of one candidate: on PostgreSQL one by one, so that it stops where there is enough."""
    if connection.vendor == "postgresql":
        return f"CROSS JOIN LATERAL ({rows}{kept()}) x"
    return f"JOIN ({rows.replace(' r.id = c.resource_id AND', '', 1)}) x ON x.id = c.resource_id"


def read(ids: Sequence[int], text: SQL) -> SQL:
    """Return (type id, id) of the rows of these ids that have the text, in reading order within each type."""
    within, values = one_of(ids)
    has, words = text
    sql = f"SELECT r.resource_type_id, r.id FROM integrations_resource r WHERE r.id {within} AND {has}"
    return f"{sql} ORDER BY r.searched, r.id", [*values, *words]
