"""A sync of 100,000 objects: through a worker and in the server's process, what memory it takes, and after a kill."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from benchmarks import Measure
from django.db import connection
from django.utils import timezone
from lib import benchworld
from lib.remote.takeover import Pair
from lib.remote.watching import peaks
from lib.remote.world import connect, settled, workers

from audit.actor import system
from integrations import actions
from integrations.actions.orders import LEASES_OF_A_SYNC
from integrations.models import Integration, Order, Resource, SyncRun
from tests.remote.world import World

OBJECTS, FEW = 100_000, 10_000
# A page has 5,000 objects, about 1 MB as text; each side may hold some of them, in some forms. Ten times as many
# objects must not take more than that.
GROWTH_MB = 25.0
# The pages go over the wire and are acknowledged one by one; reading them is the same, and so is the merge.
OVERHEAD = 2.5
SECONDS = 300


def measure(world: World) -> Iterator[Measure]:
    """Sync a tenth first, then all: what memory grows by is what is not constant."""
    connector, (worker,) = workers(world, 1)
    assert world.stack.up is not None
    here, far = connect("Large, here", None, objects=FEW), connect("Large, far away", connector, objects=FEW)
    settled(here, far)
    pids = {"server": world.stack.up.process.pid, "worker": worker.process.pid}
    with peaks(pids) as before:
        sync(far, FEW)
    with peaks(pids) as after:
        remote = sync(far, OBJECTS)
    yield Measure(f"a sync of {OBJECTS} through a worker", remote, "s")
    for name in pids:
        grown = after[name] - before[name]
        yield Measure(f"{name}: most memory, over that of {FEW}", grown, "MB", most=GROWTH_MB)
    local = sync(here, OBJECTS)
    yield Measure("the same in process", local, "s")
    yield Measure("through a worker: time of the in-process way", remote / local, "x", most=OVERHEAD)


def begin(integration: Integration, objects: int) -> Order:
    """Order a sync in which so many objects are found."""
    Integration.objects.filter(pk=integration.pk).update(config={"objects": str(objects)})
    return actions.sync(integration, actor=system())


def sync(integration: Integration, objects: int) -> float:
    """Sync, and return the seconds from order to inventory: all is read, kept, merged."""
    began = time.monotonic()
    done = Order.objects.filter(pk=begin(integration, objects).pk, state="done")
    benchworld.until(done.exists, SECONDS, "synced", every=0.02)
    taken = time.monotonic() - began
    assert Resource.objects.filter(integration=integration, status="active").count() == objects
    return taken


@dataclass
class Interrupted:
    """A sync whose instance is killed at half; a thread notes when another goes on.

    `whole` is the seconds that reading all takes, without the merge at the end.
    """

    order: Order
    whole: float
    lease: int
    killed: float = 0.0
    kept: int = 0
    again: float = 0.0
    again_at: datetime | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look until the order is leased again."""
        with closing(connection):
            while not self.over.wait(0.05) and not self.again:
                if Order.objects.filter(pk=self.order.pk, epoch=2).exists():
                    self.again, self.again_at = time.monotonic(), timezone.now()

    def finished(self) -> Iterator[Measure]:
        """Wait for the end, and yield how long it took."""
        done = Order.objects.filter(pk=self.order.pk, state="done")
        benchworld.until(done.exists, self.lease + SECONDS, "gone on and finished", every=0.05)
        rest = _seconds(self.again_at, done.get().settled_at)
        self.over.set()
        found = SyncRun.objects.get(order=self.order).found
        assert found == OBJECTS, found
        yield Measure(
            f"killed at {self.kept}: from there to going on", self.again - self.killed, "s", most=self.lease + 10
        )
        yield Measure("killed at half: reading the rest", rest, "s")
        yield Measure("killed at half: the rest, of reading all", rest / self.whole, "x", most=0.9)


def _seconds(begin: datetime | None, end: datetime | None) -> float:
    assert begin is not None
    assert end is not None
    return (end - begin).total_seconds()


def interrupt(pair: Pair, lease: int) -> Interrupted:
    """Sync once whole, then again, and kill who does it when half of it is kept."""
    large = connect("Large, interrupted", pair.connector, objects=FEW)
    settled(large)
    sync(large, OBJECTS)
    first = Order.objects.filter(integration=large, verb="discover").latest("created_at")
    whole = _seconds(first.created_at, first.settled_at)
    tried = Interrupted(begin(large, OBJECTS), whole, lease * LEASES_OF_A_SYNC)
    half = SyncRun.objects.filter(order=tried.order, found__gte=OBJECTS // 2)
    benchworld.until(half.exists, SECONDS, "half of it", every=0.005)
    holder = pair.holder_of(tried.order)
    holder.kill()
    tried.killed, tried.kept = time.monotonic(), half.get().found
    pair.alive.remove(holder)
    threading.Thread(target=tried.watch).start()
    return tried
