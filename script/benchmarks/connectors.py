"""Remote workers: orders a second, 200 connectors connected, a dead instance's order taken over, large syncs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lib.remote import connected, rate, reading, takeover
from lib.remote.world import default_server, served

from accounts.models import User
from benchmarks import Measure
from tests.remote.world import World

# Beside the defaults, which are a minute and ten seconds. A beat as long as the sweep for leases that ran out.
LEASE, BEAT = 6, 2


def run() -> Iterator[Measure]:
    """Measure on one server that stays; what needs short leases has a server beside it."""
    with default_server() as (world, folder, broker):
        yield from rate.measure(world)
        world.tidy()
        yield from connected.measure(world)
        yield from _killed(world, folder, broker)


def _killed(world: World, folder: Path, broker: str) -> Iterator[Measure]:
    """Kill instances, and while long leases run out, measure syncs and kill some whose leases are short."""
    person = User.objects.get(name="Rita")
    short = {"LATCHKEY_LEASE_SECONDS": str(LEASE), "LATCHKEY_HEARTBEAT_SECONDS": str(BEAT)}
    with served(folder / "short", broker, world.cast, **short) as quick:
        one, two = takeover.Pair.started(world), takeover.Pair.started(quick)
        interrupted = reading.interrupt(two, LEASE)
        late = one.kill(person)
        yield from reading.measure(world)
        yield from takeover.tries(two, person, LEASE, BEAT)
        yield Measure("lease 60 s, heartbeat 10 s: taken over", takeover.taken_over(*late, 120), "s", most=60 + 10)
        yield from interrupted.finished()
