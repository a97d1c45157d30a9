"""What the floor above knows of flows: it registers how to count, for policy may not look up there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

Ids = Iterable[uuid.UUID]
Counter = Callable[[Ids], dict[uuid.UUID, int]]

_counters: dict[str, Counter] = {}


def count_with(*, live: Counter, recent: Counter) -> None:
    """Register how to count, by flow, the requests that hold or await access, and those of the last 90 days."""
    _counters.update(live=live, recent=recent)


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
