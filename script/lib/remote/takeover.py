"""kill -9 of one of two instances in the middle of an order: how long until the other has done it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from benchmarks import Measure
from django.utils import timezone
from lib import benchworld
from lib.remote.world import FOLDERS, order

from accounts.models import User
from integrations.models import Connector, Order
from tests.remote.world import RemoteStory, WorkerProcess, World

TRIES = 5


@dataclass
class Pair:
    """Two instances of one connector, and a ledger that they work on."""

    world: World
    connector: Connector
    token: str
    story: RemoteStory
    alive: list[WorkerProcess]

    @classmethod
    def started(cls, world: World) -> Pair:
        """Start both, and wait for the first sync."""
        connector, token = world.connector()
        pair = cls(world, connector, token, world.story(connector), [])
        pair.complete()
        pair.story.synced()
        return pair

    def complete(self) -> None:
        """Start what is missing of the two."""
        while len(self.alive) < 2:
            self.alive.append(self.world.worker(self.token, LATCHKEY_PROVIDERS=FOLDERS))

    def holder_of(self, row: Order) -> WorkerProcess:
        """Wait until an order is leased, and return by whom."""
        leased = Order.objects.filter(pk=row.pk, state="leased").select_related("leased_by")
        benchworld.until(leased.exists, 30, "leased")
        holder = leased.get().leased_by
        assert holder is not None
        return next(one for one in self.alive if str(one.process.pid) == holder.surroundings["process"])

    def kill(self, person: User) -> tuple[Order, datetime]:
        """Have one of the two begin an order that waits for its target, kill it; return the order and when that was."""
        self.story.ledger.shut()
        row = order(self.story.integration, person, timezone.now())
        holder = self.holder_of(row)
        # Until it is in the middle: the order is on its way, opened, and waits before its first statement.
        time.sleep(0.3)
        holder.kill()
        killed = timezone.now()
        self.alive.remove(holder)
        self.story.ledger.open()
        return row, killed


def taken_over(row: Order, killed: datetime, seconds: float) -> float:
    """Wait until an order is settled; return the seconds since the kill."""
    rows = Order.objects.filter(pk=row.pk, state="done")
    benchworld.until(rows.exists, seconds, "taken over", every=0.02)
    settled = rows.get()
    assert settled.epoch == 2, settled.epoch
    assert settled.settled_at is not None
    return (settled.settled_at - killed).total_seconds()


def tries(pair: Pair, person: User, lease: int, beat: int) -> Iterator[Measure]:
    """Kill one, several times over, each time with two that are well."""
    taken = []
    for _ in range(TRIES):
        pair.complete()
        taken.append(taken_over(*pair.kill(person), lease + 60))
    name = f"lease {lease} s, heartbeat {beat} s: taken over"
    yield Measure(f"{name}, median of {TRIES}", statistics.median(taken), "s", most=lease + beat)
    yield Measure(f"{name}, most", max(taken), "s", most=lease + beat)
