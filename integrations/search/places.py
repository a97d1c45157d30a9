"""What is wanted, and where of the inventory it lies."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.db import connection

from integrations.aql.catalogue import Catalogue, Kind, catalogue
from integrations.aql.tree import Query, merged
from integrations.choices import IntegrationStatus

# Beyond this nobody counts.
COUNT_MAX = 100
SEPARATOR = "\x1f"
# The places of so many sets of queries are remembered, each of thousands of types at most.
MADE_MAX = 50


@dataclass(frozen=True, slots=True)
class Selection:
    """Takes resources in or leaves them out: by name, by id (the target's or ours), or by the value of a tag."""

    includes: bool
    by: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one access target gives: some permissions on the resources of one type that the selectors leave.

    With a `query` it is what that selects, wherever it lies, and the other fields are left empty; in a Place, the query
    is what is left of it there, and names resources only.
    """

    integration_id: str = ""
    resource_type: str = ""
    permissions: tuple[str, ...] = ()
    selectors: tuple[Selection, ...] = ()
    query: Query | None = None

    @property
    def whole(self) -> bool:
        """Whether it leaves no resource out."""
        return not self.selectors and self.query is None

    @property
    def listed(self) -> bool:
        """Whether it names its resources one by one."""
        return bool(self.selectors) and all(one.includes and one.by in {"name", "id"} for one in self.selectors)


@dataclass(frozen=True, slots=True)
class Place:
    """One resource type of one integration, with what is wanted there. `way`: all of it, rows by name, or selected."""

    type_id: int
    type: str
    type_name: str
    integration_id: str
    integration_name: str
    provider: str
    wanted: tuple[Wanted, ...]
    way: Literal["whole", "listed", "selected"]


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; with `more`, at least so many."""

    number: int
    more: bool = False

    def __add__(self, other: Count) -> Count:
        """Add up, without counting beyond what people read."""
        number = self.number + other.number
        return Count(min(number, COUNT_MAX), self.more or other.more or number > COUNT_MAX)

    def __str__(self) -> str:
        """Write it as people read it; nothing where nobody knows more than that there are some."""
        if self.more and not self.number:
            return ""
        return f"{self.number}+" if self.more else str(self.number)


def places(wanted: Iterable[Wanted]) -> list[Place]:
    """Return where what is wanted lies, in reading order, without what is switched off or has none of the permissions.

    One query; another one where something is wanted by query.
    """
    every = tuple(wanted)
    found = {place.type_id: place for place in _named(one for one in every if one.query is None)}
    for place in _selected(tuple(dict.fromkeys(one.query for one in every if one.query is not None))):
        before = found.get(place.type_id)
        here = (*before.wanted, *place.wanted) if before else place.wanted
        found[place.type_id] = replace(place, wanted=here, way=_way(here)) if before else place
    return sorted(found.values(), key=lambda place: (place.integration_name, place.type_name, place.type_id))


def _named(wanted: Iterable[Wanted]) -> Iterable[Place]:
    by_type: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    for one in wanted:
        by_type[one.integration_id, one.resource_type].append(one)
    keys = [key for key in by_type if _is_id(key[0])]
    for integration_name, type_name, type_id, number, provider, sources in _types(keys) if keys else ():
        integration, kind = keys[number]
        held = set(sources.split(SEPARATOR))
        here = tuple(one for one in by_type[keys[number]] if not held.isdisjoint(one.permissions))
        if here:
            yield Place(type_id, kind, type_name, integration, integration_name, provider, here, _way(here))


def _selected(queries: tuple[Query, ...]) -> tuple[Place, ...]:
    """Return where queries select something that is active, with what is left of each there."""
    if not queries:
        return ()
    known = catalogue()
    found = known.made.get(queries)
    if found is None:
        if len(known.made) >= MADE_MAX:
            known.made.clear()
        found = known.made[queries] = tuple(_made(known, queries))
    return found


def _made(known: Catalogue, queries: Sequence[Query]) -> Iterable[Place]:
    here: dict[Kind, dict[Wanted, None]] = defaultdict(dict)
    for query in queries:
        for kind, residual in known.residuals(merged(query.root)).items():
            left = None if isinstance(residual, bool) else Query(residual)
            here[kind][Wanted(kind.integration_id, kind.type, query=left)] = None
    for kind, found in here.items():
        wanted = tuple(found)
        yield Place(
            kind.type_id, kind.type, kind.type_name, kind.integration_id, kind.integration_name, kind.provider,
            wanted, _way(wanted),
        )  # fmt: skip


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


_SELECT = """
SELECT system.name, kind.name, kind.id, wanted.number, system.type, {joined}
FROM {wanted}
JOIN integrations_resourcetype kind ON kind.integration_id = wanted.integration AND kind.type = wanted.type
JOIN integrations_integration system ON system.id = kind.integration_id
JOIN integrations_permission held ON held.resource_type_id = kind.id
WHERE system.status <> %s GROUP BY system.name, kind.name, kind.id, wanted.number, system.type
"""
_POSTGRESQL = _SELECT.format(
    joined="string_agg(held.source_id, chr(31))",
    wanted="unnest(%s::uuid[], %s::text[], %s::int[]) AS wanted(integration, type, number)",
)
_SQLITE = _SELECT.format(
    joined="group_concat(held.source_id, char(31))",
    wanted="(SELECT json_extract(value, '$[0]') AS integration, json_extract(value, '$[1]') AS type,"
    " json_extract(value, '$[2]') AS number FROM json_each(%s)) AS wanted",
)


def _types(keys: list[tuple[str, str]]) -> list[tuple[str, str, int, int, str, str]]:
    """Return the resource types that are there of these (integration, type), with the permissions in one text each."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns: list[Any] = [[one for one, _ in keys], [kind for _, kind in keys], list(range(len(keys)))]
            cursor.execute(_POSTGRESQL, [*columns, IntegrationStatus.DISABLED.value])
        else:
            # SQLite keeps a UUID as 32 hex digits.
            rows = [(one.replace("-", ""), kind, number) for number, (one, kind) in enumerate(keys)]
            cursor.execute(_SQLITE, [json.dumps(rows), IntegrationStatus.DISABLED.value])
        return list(cursor.fetchall())


def _way(wanted: tuple[Wanted, ...]) -> Literal["whole", "listed", "selected"]:
    if any(one.whole for one in wanted):
        return "whole"
    return "listed" if all(one.listed for one in wanted) else "selected"
