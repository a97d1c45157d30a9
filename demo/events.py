"""Events at their times: each happens at its own, in order, and nothing in between looks at the real clock."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from access_requests import actions
from accounts import actions as accounts
from integrations import actions as integrations

# A worker looks every two seconds: so much later than due does an end begin.
LAG = (0.2, 2.1)
# How long orders may run that come of one event.
SECONDS = 60.0


class Events:
    """The events still to come, and the time."""

    def __init__(self, rng: random.Random, begins: datetime) -> None:
        """Begin at a time, with nothing planned."""
        self.rng, self.now = rng, begins
        self._heap: list[tuple[datetime, int, Callable[[], Any], bool]] = []
        self._order = itertools.count()

    def at(self, moment: datetime, happens: Callable[[], Any], *, follows: bool = True) -> None:
        """Plan something. `follows` is false for what leaves nothing to be done."""
        heapq.heappush(self._heap, (moment, next(self._order), happens, follows))

    def tick(self) -> datetime:
        """Let a moment pass, as work takes; never beyond the real time. Return the time."""
        later = self.now + timedelta(seconds=self.rng.uniform(0.08, 0.45))
        self.now = max(self.now, min(later, timezone.now()))
        return self.now

    def clock(self) -> float:
        """Return the time in seconds since the epoch."""
        return self.now.timestamp()

    def lag(self) -> timedelta:
        """Return how long it takes until somebody sees that something is due."""
        return timedelta(seconds=self.rng.uniform(*LAG))

    def run(self, after_each: Callable[[], None] = lambda: None) -> None:
        """Let everything happen that has its time before the real one, in order."""
        while self._heap and self._heap[0][0] <= timezone.now():
            moment, _, happens, follows = heapq.heappop(self._heap)
            self.now = max(self.now, moment)
            happens()
            if follows:
                self.rest()
            after_each()

    def rest(self) -> None:
        """Do what is due now, as the timetable would: what a sweep orders is run, and its report taken in, at once."""
        actions.sweep(at=self.now)
        integrations.run_until_idle(seconds=SECONDS, at=self.tick)
        # Into the demo's own folder: a month of letters must not leave all at once when the worker begins.
        accounts.send_letters(at=self.now)
