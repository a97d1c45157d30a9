"""What of all that a person may ask for fits what a program names: by integration, type, resource, permission, text.

Programs name things by ids and narrow by several at once; pages search by words (access_requests.offering.results).
Both see only what an access flow gives the person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q

from access_requests.offering.reaching import Asker
from flows.queries import requestable
from integrations.models import Permission, Resource
from integrations.queries import Entitlement
from integrations.search import Place, Search, words_of

# So many resources are looked at in one go.
CHUNK = 1000
# For one page of a list that may be read on, at most so many times.
CHUNKS_MAX = 10
# Of what a query selects, permissions are gathered from so many resources of a type.
SAMPLE = 500
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Narrow:
    """What is looked for; an empty part does not narrow. A resource is named by our id or the target's own."""

    integrations: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    text: str = ""
    permission_text: str = ""

    def takes(self, one: Entitlement) -> bool:
        """Whether an entitlement has one of the permissions that are named, by the target's word or by name."""
        named = not self.permissions or {one.permission_source_id, one.permission_name} & set(self.permissions)
        text = self.permission_text.strip().lower()
        return bool(named) and (not text or text in one.permission_name.lower())

    def lies_in(self, one: Entitlement) -> bool:
        """Whether an entitlement is where it is looked for."""
        here = one.integration_id in self.integrations or not self.integrations
        kind = one.resource_type in self.types or not self.types
        words = words_of(self.text)
        text = f"{one.resource_path} {one.resource_name}".lower()
        return here and kind and all(word in text for word in words)


def places_in(who: Asker, narrow: Narrow) -> list[Place]:
    """Return where what the person may ask for lies, in reading order, as far as it is looked for. Two queries."""
    return [
        place
        for place in requestable(who.reach)
        if (not narrow.integrations or place.integration_id in narrow.integrations)
        and (not narrow.types or place.type in narrow.types)
    ]


def find_resources(who: Asker, narrow: Narrow, start: int, size: int) -> tuple[list[Entitlement], bool]:
    """Return one page of resources, each as some entitlement on it, and whether there are more."""
    places = places_in(who, narrow)
    if narrow.resources:
        every = named(narrow.resources, places)
        ids, more = every[start : start + size], len(every) > start + size
    else:
        ids, more = Search(places, words_of(narrow.text)).find(start, size) if places else ([], False)
    given = who.given_on(ids)
    return [given[pk][0] for pk in ids if pk in given], more


def find_units(
    who: Asker, narrow: Narrow, start: int, size: int, *, grantable: bool = True
) -> tuple[list[Entitlement], bool]:
    """Return one page of entitlements, and whether there are more. `grantable`: only what can be granted now."""
    found: list[Entitlement] = []
    for one in _units(who, narrow):
        if grantable and one.refusal:
            continue
        found.append(one)
        if len(found) > start + size:
            return found[start : start + size], True
    return found[start : start + size], False


def _units(who: Asker, narrow: Narrow) -> Iterator[Entitlement]:
    if narrow.bundles:
        yield from _within_bundles(who, narrow)
        return
    for ids in _chunks(narrow, places_in(who, narrow)):
        given = who.given_on(ids)
        for pk in ids:
            yield from (one for one in given.get(pk, ()) if narrow.takes(one))


def find_units_behind(
    who: Asker, narrow: Narrow, behind: tuple[int, int], size: int, takes: Callable[[Entitlement], bool]
) -> tuple[list[Entitlement], tuple[int, int] | None]:
    """Return what can be granted now, from some place on, and where to read on (None: nowhere).

    A place is the first resource of a chunk, and how many entitlements of that chunk lie behind. At most CHUNKS_MAX
    chunks are looked at, so that a page may be short though there is more.
    """
    search = Search(places_in(who, narrow), words_of(narrow.text))
    found: list[Entitlement] = []
    chunk, skip = behind
    for _ in range(CHUNKS_MAX if search.places else 0):
        ids, more = search.find(chunk, CHUNK)
        given = who.given_on(ids)
        here = [one for pk in ids for one in given.get(pk, ()) if not one.refusal]
        for position in range(skip, len(here)):
            if len(found) == size:
                return found, (chunk, position)
            found += [here[position]] if takes(here[position]) else []
        if not more:
            return found, None
        chunk, skip = chunk + CHUNK, 0
    return found, (chunk, 0) if search.places else None


def _within_bundles(who: Asker, narrow: Narrow) -> Iterator[Entitlement]:
    bundles = [found for found in map(who.bundle, narrow.bundles) if found is not None]
    within = {(one.resource_id, one.permission_id): one for bundle in bundles for one in who.within(bundle)}
    yield from (one for one in within.values() if narrow.lies_in(one) and narrow.takes(one))


def _chunks(narrow: Narrow, places: Sequence[Place]) -> Iterator[list[int]]:
    """Yield the ids of resources, some at a time: who wants one page is not made to wait for all."""
    if not places:
        return
    if narrow.resources:
        ids = named(narrow.resources, places)
        yield from (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
        return
    search, start, more = Search(places, words_of(narrow.text)), 0, True
    while more:
        found, more = search.find(start, CHUNK)
        start += CHUNK
        yield found


def named(texts: Iterable[str], places: Sequence[Place]) -> list[int]:
    """Return the ids of the resources that are named in some places, in the order they are named. One query.

    What is a number of ours there means that; anything else is the target's own id, which several types may share.
    """
    wanted = list(dict.fromkeys(texts))
    numbers = [int(text) for text in wanted if _NUMBER.fullmatch(text)]
    rows = Resource.objects.filter(resource_type__in=[place.type_id for place in places])
    rows = rows.filter(Q(pk__in=numbers) | Q(source_id__in=wanted))
    by_number: dict[str, int] = {}
    by_source: dict[str, list[int]] = {}
    for pk, source in rows.order_by("pk").values_list("pk", "source_id"):
        by_number[str(pk)] = pk
        by_source.setdefault(source, []).append(pk)
    found = [[by_number[text]] if text in by_number else by_source.get(text, []) for text in wanted]
    return list(dict.fromkeys(pk for one in found for pk in one))


def permissions_in(who: Asker, narrow: Narrow) -> list[Permission]:
    """Return the permissions that some flow gives on resources of these types, least risk first.

    What flows name by integration and type is known at once. What they select by query is looked up on the first SAMPLE
    resources of a type; asking for another is decided by policy all the same.
    """
    places = places_in(who, narrow)
    known: dict[int, set[str]] = {}
    for place in places:
        here = known.setdefault(place.type_id, set())
        for wanted in place.wanted:
            here.update(wanted.permissions)
        if any(wanted.query is not None for wanted in place.wanted):
            ids, _ = Search([place], ()).find(0, SAMPLE)
            here.update(one.permission_source_id for given in who.given_on(ids).values() for one in given)
    rows = Permission.objects.filter(resource_type__in=list(known)).order_by("risk_level", "name", "pk")
    text = narrow.text.strip().lower()
    return [row for row in rows if row.source_id in known[row.resource_type_id] and text in row.name.lower()]
