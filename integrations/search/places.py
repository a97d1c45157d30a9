"""What is wanted, and where of the inventory it lies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Aggregate, TextField

from integrations.choices import IntegrationStatus
from integrations.models import ResourceType

# Beyond this nobody counts.
COUNT_MAX = 100
SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Selection:
    """Takes resources in or leaves them out: by name, by id (the target's or ours), or by the value of a tag."""

    includes: bool
    by: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one access target gives: some permissions on the resources of one type that the selectors leave."""

    integration_id: str
    resource_type: str
    permissions: tuple[str, ...]
    selectors: tuple[Selection, ...] = ()

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
        """Write it as people read it."""
        return f"{self.number}+" if self.more else str(self.number)


def places(wanted: Iterable[Wanted]) -> list[Place]:
    """Return where what is wanted lies, in reading order, without what is switched off or has none of the permissions.

    One query.
    """
    by_type: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    for one in wanted:
        by_type[one.integration_id, one.resource_type].append(one)
    found = []
    for integration_name, type_name, type_id, kind, integration, provider, sources in sorted(_types(by_type)):
        held = set(sources.split(SEPARATOR))
        here = by_type.get((str(integration), kind), ())
        wanted_here = tuple(one for one in here if not held.isdisjoint(one.permissions))
        if wanted_here:
            names = (str(integration), integration_name, provider)
            found.append(Place(type_id, kind, type_name, *names, wanted_here, _way(wanted_here)))
    return found


class _Joined(Aggregate):
    """All texts of a group in one, so that a type is one row and not one per permission."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, chr(31))"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """Return the same for SQLite."""
        return self.as_sql(
            compiler, connection, function="GROUP_CONCAT", template="%(function)s(%(expressions)s, char(31))", **more
        )


def _types(by_type: Mapping[tuple[str, str], Any]) -> Iterable[tuple[Any, ...]]:
    rows = ResourceType.objects.filter(
        integration__in={integration for integration, _ in by_type}, type__in={kind for _, kind in by_type}
    ).exclude(integration__status=IntegrationStatus.DISABLED)
    joined = rows.order_by().annotate(sources=_Joined("permissions__source_id"))
    return joined.exclude(sources__isnull=True).values_list(
        "integration__name", "name", "pk", "type", "integration_id", "integration__type", "sources"
    )


def _way(wanted: tuple[Wanted, ...]) -> Literal["whole", "listed", "selected"]:
    if any(not one.selectors for one in wanted):
        return "whole"
    return "listed" if all(one.listed for one in wanted) else "selected"
