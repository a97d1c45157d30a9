"""What of the inventory some targets give, found by text: in reading order, one page at a time, at a million rows.

Reading order is integration, resource type, then path. Two ways lead through it. A *walk* goes along the index
integrations_resource_searched, type by type, and stops when the page is full: right for no text and for common ones. A
*dig* finds all that has a rare text, by trigrams where PostgreSQL has them, and sorts it. The planner's own figures say
which; SQLite always walks. Selectors by name and id are looked up first, so that nobody walks a table to find ten rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from integrations.choices import IntegrationStatus
from integrations.models import Permission

# A text that more rows have than this is common: a walk meets a page of it soon.
COMMON = 4_000
# How many types one walk visits at first; the next one visits more.
FIRST_TYPES = 16
# A text has at most so many words; the rest is not looked at.
WORDS_MAX = 8
Selector = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one access target gives: some permissions on the resources of one type that the selectors leave."""

    integration_id: str
    resource_type: str
    permissions: tuple[str, ...]
    selectors: tuple[Selector, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """One resource type of one integration, with what is wanted there."""

    type_id: int
    type: str
    type_name: str
    integration_id: str
    integration_name: str
    provider: str
    wanted: tuple[Wanted, ...]

    @property
    def whole(self) -> bool:
        """Whether all of it is wanted."""
        return any(not one.selectors for one in self.wanted)


@dataclass(frozen=True, slots=True)
class Found:
    """Ids of resources, each with its type's id, in reading order; `more` says that there are others behind them."""

    rows: tuple[tuple[int, int], ...]
    more: bool


def places(wanted: Iterable[Wanted]) -> list[Place]:
    """Return where what is wanted lies, in reading order, without what is switched off or has none of the permissions.

    One query.
    """
    by_type: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    for one in wanted:
        by_type[one.integration_id, one.resource_type].append(one)
    rows = (
        Permission.objects.filter(
            resource_type__integration__in={integration for integration, _ in by_type},
            resource_type__type__in={kind for _, kind in by_type},
        )
        .exclude(resource_type__integration__status=IntegrationStatus.DISABLED)
        .values_list(
            "resource_type__integration__name",
            "resource_type__name",
            "resource_type_id",
            "resource_type__type",
            "resource_type__integration_id",
            "resource_type__integration__type",
            "source_id",
        )
    )
    sources: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for *place, source in rows:
        sources[tuple(place)].add(source)
    found = []
    for integration_name, name, pk, kind, integration, provider in sorted(sources, key=lambda row: row[:3]):
        held = sources[integration_name, name, pk, kind, integration, provider]
        here = tuple(one for one in by_type.get((str(integration), kind), ()) if not held.isdisjoint(one.permissions))
        if here:
            found.append(Place(pk, kind, name, str(integration), integration_name, provider, here))
    return found
