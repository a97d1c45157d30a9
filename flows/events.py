"""What the floor above knows of flows: it registers how to count, for policy may not look up there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

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
