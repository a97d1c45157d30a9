"""Rows that a query names by the value of a tag, or one by one: gathered by their index before anybody walks a table.

A tag that a hundred of a million resources have is found at once in the index of tags, and very late on a walk in
reading order. So what queries leave of a place is gathered first, as far as tags, names and ids lead; where there is
more of it than GATHERED_MAX, it is common, and a walk meets a page of it soon.
"""

# ruff: noqa: S608

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from integrations.aql.conditions import SQL, condition, one_of
from integrations.aql.leading import candidates, kept, leads, leads_exactly
from integrations.aql.tree import Query, any_of, size_of
from integrations.search.places import Place

GATHERED_MAX = 2_000
# So many shapes are gathered for at most, and of each so many rows in any case.
SHAPES_MAX, EACH_MIN = 50, 100
# A shape of more comparisons is walked: SQLite joins no more than 500 selects, and takes no more than 32,766 values.
TERMS_MAX = 100


def shapes(among: Iterable[Place]) -> dict[tuple[Query, ...], list[Place]]:
    """Return the places by the queries that are left in them, where queries are all there is and an index leads."""
    found: dict[tuple[Query, ...], list[Place]] = defaultdict(list)
    for place in among:
        queries = tuple(one.query for one in place.wanted if one.query is not None)
        if place.way == "selected" and len(queries) == len(place.wanted):
            found[queries].append(place)
    leading = [(queries, here) for queries, here in found.items() if _is_small(queries)]
    return dict(leading[:SHAPES_MAX])


def _is_small(queries: tuple[Query, ...]) -> bool:
    root = any_of(one.root for one in queries)
    return leads(root) and size_of(root) <= TERMS_MAX


def most(number: int) -> int:
    """Return how many rows are gathered of each of so many shapes."""
    return max(min(EACH_MIN, GATHERED_MAX), GATHERED_MAX // number)


def gather(asked: Mapping[tuple[Query, ...], Sequence[Place]]) -> SQL:
    """Return (number of the shape, type id, id) of its rows; of a shape that has too many, one more than the most."""
    parts: list[str] = []
    values: list[Any] = []
    for number, (queries, here) in enumerate(asked.items()):
        root = any_of(one.root for one in queries)
        kinds = one_of(place.type_id for place in here)
        leading, found = candidates(root, tuple(dict.fromkeys(place.type for place in here)), kinds)
        left, others = ("1 = 1", []) if leads_exactly(root) else condition(root)
        rows = (
            "SELECT r.resource_type_id, r.id FROM integrations_resource r WHERE r.id = c.resource_id"
            f" AND r.status = 'active' AND r.resource_type_id {kinds[0]} AND {left}"
        )
        parts.append(
            f"SELECT * FROM (SELECT {number:d} AS shape, x.* FROM ({leading}{kept()}) c {_each(rows)}"
            f" LIMIT {most(len(asked)) + 1:d}) x{number:d}"
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
