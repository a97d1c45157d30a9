"""Orders a second, and how long one takes from due to settled: in the server's process, and through workers."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks import Measure
from django.db import connection
from django.utils import timezone
from lib import benchworld
from lib.remote import rivals
from lib.remote.world import burst, connect, people, settled, workers

from accounts.models import User
from integrations.models import Integration, Order
from tests.remote.world import World

Item = TypeVar("Item")
WORKERS = (1, 2, 4)
PEOPLE, ROUNDS, ONE_BY_ONE = 100, 3, 50
# On a machine that others use, too, fewer rounds have to do.
AT_ONCE_SECONDS, ALONE_SECONDS = 35.0, 20.0
# The remote way does all that the in-process way does, and then: two messages each way, the token and the link looked
# at for each, secrets sealed and opened.
OVERHEAD = 3.0
# An order is about as long as this on the wire, and so is its report.
TEXT = "x" * 1000


@dataclass
class Way:
    """One way to run orders, and what was measured on it: orders a second, seconds from due to settled."""

    name: str
    integration: Integration
    rates: list[float] = field(default_factory=list)
    burst: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return the orders a second, in the median of the rounds."""
        return statistics.median(self.rates)

    def measures(self) -> Iterator[Measure]:
        """Yield what was measured."""
        yield Measure(f"{self.name}: orders", self.rate, "/s")
        for what, lags in ((f"of {PEOPLE} at once", self.burst), ("one at a time", self.alone)):
            for share in (50, 99):
                lag = benchworld.percentile(lags, share / 100) * 1000
                yield Measure(f"{self.name}: due to settled, {what}, p{share}", lag, "ms")


def measure(world: World) -> Iterator[Measure]:
    """Measure every way in turn, round by round, so that what else goes on hits all alike."""
    ways = _ways(world)
    persons = people(PEOPLE)
    raw: dict[str, list[float]] = defaultdict(list)
    for way in ways:
        _burst(way, persons, keep=False)
    with connection.cursor() as cursor:
        # As the database does by itself within a minute: without figures it plans for empty tables.
        cursor.execute("ANALYZE")
    for _ in _while(AT_ONCE_SECONDS, range(ROUNDS)):
        for way in ways:
            _burst(way, persons)
        raw["claims"].append(rivals.claims(PEOPLE))
        raw["trips"].append(rivals.round_trip(TEXT, 200))
    for person in _while(ALONE_SECONDS, persons[:ONE_BY_ONE]):
        for way in ways:
            way.alone.append(_alone(way.integration, person))
    yield from _compared(ways, statistics.median(raw["claims"]), statistics.median(raw["trips"]))


def _while(seconds: float, items: Iterable[Item]) -> Iterator[Item]:
    """Yield items until the time is over, the first in any case."""
    deadline = time.monotonic() + seconds
    for item in items:
        yield item
        if time.monotonic() > deadline:
            return


def _ways(world: World) -> list[Way]:
    """Return the ways, connected: all at the same time, for a worker that waits costs nothing."""
    ways = [Way("in process", connect("In process", None))]
    for number in WORKERS:
        connector, _ = workers(world, number)
        ways.append(Way(f"{number} workers" if number > 1 else "1 worker", connect(f"Through {number}", connector)))
    settled(*(way.integration for way in ways))
    return ways


def _burst(way: Way, persons: Sequence[User], *, keep: bool = True) -> None:
    """Order for everybody at once; note the rate, and each order's time."""
    made = burst([way.integration], persons)
    seen = timezone.now()
    settled(way.integration)
    rows = Order.objects.filter(pk__in=[one.pk for one in made]).values_list("settled_at", flat=True)
    ends = [at for at in rows if at is not None]
    if keep:
        way.rates.append(len(ends) / (max(ends) - made[0].next_try_at).total_seconds())
        way.burst.extend((at - min(seen, made[0].next_try_at)).total_seconds() for at in ends)


def _alone(integration: Integration, person: User) -> float:
    """Return the seconds that one order takes when nothing else is due."""
    made = burst([integration], [person])[0]
    row = Order.objects.filter(pk=made.pk)
    benchworld.until(lambda: row.filter(settled_at__isnull=False).exists(), 60, "settled", every=0.01)
    ended = row.get().settled_at
    assert ended is not None
    return (ended - made.next_try_at).total_seconds()


def _compared(ways: list[Way], claims: float, trip: float) -> Iterator[Measure]:
    yield Measure("raw: rows claimed and settled, one connection", claims, "/s")
    yield Measure("raw: a message to a web socket and back", trip * 1000, "ms")
    for way in ways:
        yield from way.measures()
    here, one = ways[0], ways[1]
    alone = statistics.median(one.alone)
    yield Measure("1 worker: time of the in-process way, at once", here.rate / one.rate, "x", most=OVERHEAD)
    yield Measure(
        "1 worker: time of the in-process way, alone", alone / statistics.median(here.alone), "x", most=OVERHEAD
    )
    yield Measure("1 worker, alone: of a raw claim and two raw messages", alone / (1 / claims + 2 * trip), "x")
