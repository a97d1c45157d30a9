"""The clock by which leases are counted: it never goes back, and it does not stand still while the machine sleeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# The wall clock is corrected by less than this all the time; that is no sleep.
DRIFT_SECONDS = 1.0


def since_boot() -> float:
    """Return the seconds since the machine started, those that it slept included, where the system counts them."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class LeaseClock:
    """Seconds that pass by whichever clock says that more have passed.

    A machine that was suspended may not count that time, but its wall clock is set right afterwards: a jump forward is
    taken for time that passed, which at worst gives up a lease too early. A jump back changes nothing, and how far the
    wall clock is off changes nothing either.
    """

    def __init__(self, steady: Callable[[], float] = since_boot, wall: Callable[[], float] = time.time) -> None:
        """Count by these two."""
        self._steady, self._wall = steady, wall
        self._apart = wall() - steady()
        self._ahead = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the seconds; only differences mean something."""
        with self._lock:
            steady = self._steady()
            apart = self._wall() - steady
            if apart > self._apart + DRIFT_SECONDS:
                self._ahead += apart - self._apart
            self._apart = apart
            return steady + self._ahead
