"""What the floor above knows of flows: it registers how to count, for policy may not look up there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.decision import Facts
    from flows.whatif.change import Change

Ids = Iterable[uuid.UUID]
Counter = Callable[[Ids], dict[uuid.UUID, int]]


@dataclass(frozen=True, slots=True)
class Link:
    """A request as a page names it."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Ends:
    """Live requests that would end: how many, and the first of them."""

    count: int = 0
    first: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """An ask of the past: its facts as they were kept or, from before facts were kept, the facts of now."""

    key: int
    kept: Mapping[str, Any] | None
    facts: Facts | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """Which asks are read: the newest `most` since a moment."""

    since: datetime
    most: int


_counters: dict[str, Counter] = {}
_ending: list[Callable[[Change], Ends]] = []
_asked: list[Callable[[Period], Iterator[Asked]]] = []
_links: list[Callable[[Iterable[Asked]], list[Link]]] = []


def count_with(*, live: Counter, recent: Counter) -> None:
    """Register how to count, by flow, the requests that hold or await access, and those of the last 90 days."""
    _counters.update(live=live, recent=recent)


def foretell_with(
    *,
    ending: Callable[[Change], Ends],
    asked: Callable[[Period], Iterator[Asked]],
    links: Callable[[Iterable[Asked]], list[Link]],
) -> None:
    """Register how what-if finds live requests that would end, reads past asks (newest first), and names some."""
    _ending[:], _asked[:], _links[:] = [ending], [asked], [links]


def ends_with(change: Change) -> Ends:
    """Return which live requests would end with a change of policy."""
    return _ending[0](change) if _ending else Ends()


def asked_in(period: Period) -> Iterator[Asked]:
    """Return the asks of a period, newest first, read in batches."""
    return _asked[0](period) if _asked else iter(())


def links_to(asks: Iterable[Asked]) -> list[Link]:
    """Return how pages name these asks."""
    return _links[0](asks) if _links else []


def live_requests(flows: Ids) -> int:
    """Return how many requests would end if these flows were switched off."""
    return sum(_count("live", flows).values())


def recent_requests(flows: Ids) -> dict[uuid.UUID, int]:
    """Return how many requests of the last 90 days each flow decided."""
    return _count("recent", flows)


def _count(name: str, flows: Ids) -> dict[uuid.UUID, int]:
    counter, ids = _counters.get(name), list(flows)
    return counter(ids) if counter and ids else {}


@dataclass(frozen=True, slots=True)
class Badge:
    """How something stands, as the badge takes it."""

    tone: str
    icon: str
    word: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds through an automatic flow: who, since when, and how it stands."""

    name: str
    email: str
    since: datetime
    badge: Badge
    request: int


@dataclass(frozen=True, slots=True)
class Holders:
    """How many people hold through a flow, and the first of them by name."""

    number: int = 0
    first: tuple[Holder, ...] = ()


FindHolders = Callable[[uuid.UUID, int], Holders]
_finders: list[FindHolders] = []


def find_holders_with(find: FindHolders) -> None:
    """Register how to find who holds through a flow: called with the flow and how many are to be named."""
    _finders[:] = [find]


def holders(flow: uuid.UUID, at_most: int) -> Holders:
    """Return who holds through an automatic flow; nobody where nothing knows."""
    return _finders[0](flow, at_most) if _finders else Holders()
