"""The results of a search, as the page shows them: by integration, with what is held already, and chips to narrow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

from access_requests.choices import RequestState, UnitState
from access_requests.models import AccessUnit
from access_requests.offering.reaching import Asker, Choice, bundle_value, choices_of
from flows.queries import requestable
from integrations.queries import Entitlement, catalogue
from integrations.search import Count, Place, Search, words_of

SIZE = 20
# Further down nobody reads; another word finds it sooner.
PAGES_MAX = 50
BUNDLES_SHOWN = 5
BUNDLES = "bundle"
CATEGORIES = {"database": "Databases", "server": "Servers", "application": "Applications", "directory": "Directories"}
CHIPS_MAX = 12


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for: a text, and at most one category, integration and type."""

    q: str = ""
    category: str = ""
    integration: str = ""
    type: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Held:
    """Access that the person has now. `until` None: without an end."""

    permission: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A resource with what the person may ask for on it, and what they hold there now."""

    about: Entitlement
    choices: tuple[Choice, ...]
    held: tuple[Held, ...]

    @property
    def first(self) -> Choice | None:
        """The choice of least risk that can be granted; none when none can."""
        return next((one for one in self.choices if not one.refusal), None)

    @property
    def others(self) -> tuple[Choice, ...]:
        """What else can be granted."""
        return tuple(one for one in self.choices if not one.refusal and one is not self.first)

    @property
    def notes(self) -> tuple[str, ...]:
        """Why some of it cannot be granted now; a reason that all have is said once."""
        reasons = {one.refusal for one in self.choices}
        if len(reasons) == 1:
            return tuple(reason for reason in reasons if reason)
        return tuple(f"{one.name}: {one.refusal}" for one in self.choices if one.refusal)


@dataclass(frozen=True, slots=True)
class System:
    """The part of a page that lies in one integration."""

    id: str
    name: str
    provider: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Kit:
    """A bundle that may be asked for as a whole."""

    value: str
    name: str
    systems: int


@dataclass(frozen=True, slots=True)
class Chip:
    """A way to narrow the results, with how many there are; empty when nobody counted."""

    name: str
    value: str
    label: str
    count: str
    current: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One page of results. `reach` False: no flow gives the person anything at all."""

    filters: Filters
    words: tuple[str, ...]
    systems: tuple[System, ...]
    kits: tuple[Kit, ...]
    more_kits: int
    categories: tuple[Chip, ...]
    types: tuple[Chip, ...]
    integration_name: str
    more: bool
    reach: bool

    @property
    def next(self) -> int:
        """The number of the page after, or 0."""
        return self.filters.page + 1 if self.more and self.filters.page < PAGES_MAX else 0

    @property
    def previous(self) -> int:
        """The number of the page before, or 0."""
        return self.filters.page - 1

    @property
    def deep(self) -> bool:
        """Whether there is more than anybody may page through."""
        return self.more and self.filters.page >= PAGES_MAX


def look(who: Asker, filters: Filters) -> Found:
    """Return one page of what the person may ask for. The number of queries does not depend on how much that is."""
    words = words_of(filters.q)
    everywhere = requestable(who.reach)
    # The integration narrows all that follows; category and type narrow the rows, and their chips count the others.
    here = [one for one in everywhere if filters.integration in ("", one.integration_id)]
    search = Search(here, words)
    among = [one for one in here if _fits(one, filters)] if filters.category != BUNDLES else []
    ids, more = search.find((filters.page - 1) * SIZE, SIZE, among) if among else ([], False)
    kits = _kits(who, words) if not filters.integration and not filters.type else []
    shown = kits if filters.category in ("", BUNDLES) and filters.page == 1 else []
    limit = None if filters.category == BUNDLES else BUNDLES_SHOWN
    counts = search.count() if _worth_counting(here, kits) else {}
    return Found(
        filters=filters,
        words=words,
        systems=_systems(who, ids),
        kits=tuple(shown[:limit]),
        more_kits=len(shown) - len(shown[:limit]),
        categories=_category_chips(here, counts, kits, filters),
        types=_type_chips(here, counts, filters),
        integration_name=here[0].integration_name if filters.integration and here else "",
        more=more,
        reach=bool(everywhere),
    )


def _fits(place: Place, filters: Filters) -> bool:
    return filters.category in ("", category_of(place)) and filters.type in ("", place.type)


def category_of(place: Place) -> str:
    """Return the category of the integration's type in the catalogue."""
    return _category(place.provider)


@cache
def _category(provider: str) -> str:
    """Return the category a type of integration is under; the catalogue is read once, it comes with the program."""
    manifest = catalogue().get(provider)
    return manifest.category if manifest else "other"


def _worth_counting(here: Sequence[Place], kits: Sequence[Kit]) -> bool:
    """Whether there is anything to choose between."""
    kinds = {(category_of(place), place.type) for place in here}
    return len(kinds) > 1 or (bool(kits) and bool(here))


def _kits(who: Asker, words: tuple[str, ...]) -> list[Kit]:
    found = []
    for bundle_id, target in who.reach.bundles().items():
        name = str(target.get("name", ""))
        if all(word in name.lower() for word in words):
            systems = {one["integration"] for one in target["targets"] if one.get("integration")}
            found.append(Kit(bundle_value(bundle_id), name, len(systems)))
    return sorted(found, key=lambda kit: (kit.name.lower(), kit.value))


def _systems(who: Asker, ids: Sequence[int]) -> tuple[System, ...]:
    """Return resources by integration, in the order they were found."""
    given, held = who.given_on(ids), _held(who, ids)
    offers = [Offer(given[pk][0], choices_of(given[pk]), tuple(held.get(pk, ()))) for pk in ids if pk in given]
    found = []
    for integration, group in groupby(offers, key=lambda offer: offer.about.integration_id):
        rows = tuple(group)
        about = rows[0].about
        found.append(System(integration, about.integration_name, about.integration_type, rows))
    return tuple(found)


def _held(who: Asker, ids: Iterable[int]) -> dict[int, list[Held]]:
    """Return what the person holds now on these resources. One query."""
    units = AccessUnit.objects.filter(
        group__request__grantee=who.grantee,
        group__request__state=RequestState.ACTIVE,
        state=UnitState.ACTIVE,
        resource__in=list(ids),
    )
    found: dict[int, list[Held]] = defaultdict(list)
    for resource, name, until in units.order_by("pk").values_list(
        "resource_id", "permission_name", "group__request__ends_at"
    ):
        found[resource].append(Held(name, until))
    return found


def _category_chips(
    here: Sequence[Place], counts: dict[int, Count], kits: Sequence[Kit], filters: Filters
) -> tuple[Chip, ...]:
    sums = _sums(here, counts, category_of)
    names = sorted(sums, key=lambda name: name.lower())
    if len(names) + bool(kits) < 2 and not filters.category:
        return ()
    chips = [_chip("c", "", "All", "", filters.category)]
    if kits:
        chips.append(_chip("c", BUNDLES, "Bundles", str(len(kits)), filters.category))
    return (
        *chips,
        *(_chip("c", name, CATEGORIES.get(name, name.capitalize()), sums[name], filters.category) for name in names),
    )


def _type_chips(here: Sequence[Place], counts: dict[int, Count], filters: Filters) -> tuple[Chip, ...]:
    wanted = [place for place in here if filters.category in ("", category_of(place))]
    sums = _sums(wanted, counts, lambda place: place.type)
    labels = {place.type: place.type_name for place in wanted}
    if len(labels) < 2 and not filters.type:
        return ()
    names = sorted(labels, key=lambda kind: labels[kind].lower())[:CHIPS_MAX]
    chips = [_chip("t", "", "All types", "", filters.type)]
    return (*chips, *(_chip("t", name, labels[name], sums[name], filters.type) for name in names))


def _sums(here: Sequence[Place], counts: dict[int, Count], key: Any) -> dict[str, str]:
    """Return how many there are of each kind, in words; empty where nobody counted."""
    numbers: dict[str, int] = defaultdict(int)
    more: set[str] = set()
    for place in here:
        name, count = key(place), counts.get(place.type_id)
        numbers[name] += count.number if count else 0
        if count and count.more:
            more.add(name)
    return {name: str(Count(0, name in more) + Count(number)) if counts else "" for name, number in numbers.items()}


def _chip(name: str, value: str, label: str, count: str, current: str) -> Chip:
    return Chip(name, value, label, count, value == current)
