"""How often and how many at once: what one process may ask of a service that counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from connectors.contract.errors import Unreachable

Kept = TypeVar("Kept")


class PerKey(Generic[Kept]):
    """One of something for each key, the same for every thread of this process."""

    def __init__(self, make: Callable[[], Kept]) -> None:
        """Make what is asked for first with `make`."""
        self._make = make
        self._kept: dict[Hashable, Kept] = {}
        self._lock = threading.Lock()

    def of(self, *key: Hashable) -> Kept:
        """Return the one of a key."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._make()
            return self._kept[key]


class Pace:
    """At most so many calls a second, for a whole process: shared by whoever talks to the same service."""

    def __init__(
        self,
        per_second: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Leave `1 / per_second` seconds between two calls."""
        self._gap = 1.0 / per_second
        self._next = 0.0
        self._lock = threading.Lock()
        self._monotonic, self._sleep = monotonic, sleep

    def wait(self, at_most: float) -> None:
        """Wait for a turn. Raises Unreachable when that would take longer than `at_most` seconds."""
        with self._lock:
            now = self._monotonic()
            turn = max(now, self._next)
            if turn - now > at_most:
                raise Unreachable("The service is asked as often as it allows; the next turn is too far off.")
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)


class Berths:
    """At most so many things under way at once, for a whole process. Whoever took a berth gives it back."""

    def __init__(self, number: int) -> None:
        """Have `number` berths."""
        self._free = threading.BoundedSemaphore(number)

    def take(self, at_most: float) -> bool:
        """Take a berth, waiting `at_most` seconds for one; say whether there was one."""
        return self._free.acquire(timeout=max(0.0, at_most))

    def leave(self) -> None:
        """Give a berth back."""
        self._free.release()
