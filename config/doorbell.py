"""Messages between threads and processes: Celery's tasks and Channels' groups, both only a hurry.

What is due is found in the database by the sweeps, so a bell that nobody hears, or that cannot be rung because the
broker is away, costs seconds and loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine
from typing import Any

from celery.contrib.django.task import DjangoTask
from channels.layers import InMemoryChannelLayer
from kombu.exceptions import OperationalError

from config import timetable

log = logging.getLogger(__name__)
# Redis' client tries for some seconds before it gives up, and a page waits for it. So after a failure nobody tries for
# a while: a broker that is away costs one page a moment, not every page.
QUIET_SECONDS = 10.0


class _Quiet:
    """Until when nobody tries, by the monotonic clock. One for the process: it has one broker."""

    until = float("-inf")


class Turns:
    """How many runs of one job go on in this process, and whether somebody rang when no more could begin."""

    def __init__(self, at_once: int) -> None:
        """Allow so many at once."""
        self.at_once, self.running, self.rung = at_once, 0, False
        self._lock = threading.Lock()

    def begin(self) -> bool:
        """Take a turn; without one, have whoever ends next run once more."""
        with self._lock:
            self.rung = self.running >= self.at_once
            self.running += not self.rung
            return not self.rung

    def end(self, *, well: bool) -> bool:
        """Give the turn back; return whether to keep it for somebody who rang meanwhile."""
        with self._lock:
            again, self.rung = self.rung and well, False
            self.running -= not again
            return again


_turns: dict[str, Turns] = {}


def turns_of(name: str) -> Turns | None:
    """Return the turns of a job of the timetable, None for other tasks."""
    if name not in _turns:
        line = next((line for line in timetable.TIMETABLE if line.task == name), None)
        if line is None:
            return None
        _turns.setdefault(name, Turns(line.at_once))
    return _turns[name]


class DoorbellTask(DjangoTask):  # type: ignore[type-arg]  # not generic at run time
    """The base of every task. Ringing never fails the caller, whose data is safe already."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Run. In a worker, jobs of the timetable take turns: rung every two seconds, one that takes longer, or that
        waits for a target, must not fill all threads with itself. A ring in between makes it run once more.
        """
        turns = None if self.request.called_directly else turns_of(self.name)
        if turns is None:
            return super().__call__(*args, **options)
        result, going = None, turns.begin()
        while going:
            well = False
            try:
                result = super().__call__(*args, **options)
                well = True
            finally:
                going = turns.end(well=well)
        return result

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """Ring. With the broker away, log it and return None. Refuses a later time: that belongs in the database."""
        if options.get("eta") is not None or options.get("countdown") is not None:
            raise ValueError(
                f"{self.name}: what is due later is a row that a sweep finds, never an eta or a countdown."
            )
        if time.monotonic() < _Quiet.until:
            return None
        try:
            return super().apply_async(*args, **options)
        except OperationalError as error:
            _Quiet.until = time.monotonic() + QUIET_SECONDS
            log.warning("Could not ring for %s, the sweep will find it: %s", self.name, error)
            return None


class EmbeddedChannelLayer(InMemoryChannelLayer):
    """Channels' in-memory layer, made safe to use from other threads than the server's.

    Its queues belong to the server's event loop. Used from a worker thread as it is, a message waits until the loop
    wakes up by itself (measured: 84 ms instead of 1). Here, what another loop sends is handed over to the server's.
    """

    def __init__(self, **options: Any) -> None:
        """Begin without a server: until `serve_on`, everything stays in the caller's loop."""
        super().__init__(**options)
        self.loop: asyncio.AbstractEventLoop | None = None

    def serve_on(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Deliver on this loop from now on; None when the server ends."""
        self.loop = loop

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Send to one channel, from whichever thread."""
        await self._hand_over(super().send(channel, message))

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Send to a group, from whichever thread."""
        await self._hand_over(super().group_send(group, message))

    async def _hand_over(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the work on the server's loop and wait for it."""
        loop = self.loop
        if loop is None or loop is asyncio.get_running_loop() or loop.is_closed():
            await work
        else:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))
