"""200 connectors on one server, one link each, idle and busy: memory and processor of the server's process.

The clients are web sockets on one event loop of this process which speak the wire as a worker does: hello, heartbeats,
asking for orders, and an empty report at once for each. Of the server everything is real: its process holds web,
timetable and the connector of its own, so what it takes without links is measured before and taken off.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks import Measure
from lib import benchworld
from lib.remote.watching import memory, processor, share
from lib.remote.world import burst, connect, people, settled
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as dial
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from connectors import VERSION
from connectors.contract import wire
from connectors.contract.orders import ReadBack, Report
from connectors.contract.wire import Heartbeat, Hello, Ready, ReportOf, Welcome, Work
from connectors.toolkit.sealing import new_private_key, public_key
from integrations.models import Connector, Integration, SecretReference
from tests.remote.world import World

# What product.md plans for; the others say how many orders each gets, and how long is looked.
CONNECTORS, ORDERS_EACH, IDLE_SECONDS, SLOTS = 200, 2, 20.0, 8
# Their inventory is not what is measured.
LATER = timedelta(days=1)
# They must not need a machine of their own: idle, they may take a quarter of one core and 100 MB beside the server's
# own; and after a restart of the server all are back before one of them would be taken for lost (three beats).
IDLE_PERCENT, MEMORY_MB, BACK_SECONDS = 25.0, 100.0, 30.0


@dataclass
class Crowd:
    """Clients on a loop of their own, in a thread."""

    url: str
    tokens: Sequence[str]
    welcomed: int = 0
    beats: int = 0
    broken: list[str] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __enter__(self) -> Crowd:
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self._all(),))
        self.thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.loop.call_soon_threadsafe(self.main.cancel)
        self.thread.join(30)
        self.loop.close()

    async def _all(self) -> None:
        self.main = asyncio.ensure_future(asyncio.gather(*(self._one(token) for token in self.tokens)))
        with suppress(asyncio.CancelledError):
            await self.main

    async def _one(self, token: str) -> None:
        """Be one instance, from hello to the end."""
        hello = Hello(
            secrets.token_hex(16), VERSION, public_key(new_private_key()), slots=SLOTS, providers=("nothing",)
        )
        try:
            async with dial(
                self.url,
                subprotocols=[Subprotocol(wire.SUBPROTOCOL)],
                additional_headers={"Authorization": f"Bearer {token}"},
                ping_interval=None,
                proxy=None,
                open_timeout=60,
            ) as socket:
                await socket.send(wire.write(hello))
                welcome = wire.read(await socket.recv())
                assert isinstance(welcome, Welcome), welcome
                self.welcomed += 1
                await socket.send(wire.write(Ready(SLOTS, time.monotonic())))
                await self._work(socket, welcome.heartbeat_seconds)
        except (OSError, ConnectionClosed, AssertionError, TimeoutError) as error:
            self.broken.append(repr(error))

    async def _work(self, socket: ClientConnection, beat: float) -> None:
        """Say heartbeats and answer orders, until cancelled."""
        due = time.monotonic() + random.uniform(0, beat)
        while True:
            message = None
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - time.monotonic())):
                    message = wire.read(await socket.recv())
            if time.monotonic() >= due:
                due += beat
                self.beats += 1
                await socket.send(wire.write(Heartbeat(SLOTS, (), time.monotonic())))
            if isinstance(message, Work):
                order = message.order
                report = Report(order.order_id, order.epoch, read_back=ReadBack(time.time()))
                await socket.send(wire.write(ReportOf(report)))
                await socket.send(wire.write(Ready(1, time.monotonic())))


def measure(world: World) -> Iterator[Measure]:
    """Connect all, look at the server idle and busy."""
    assert world.stack.up is not None
    pid = world.stack.up.process.pid
    connectors = [world.connector() for _ in range(CONNECTORS)]
    integrations = _connected([row for row, _ in connectors])
    before, share_before = memory(pid), share(pid, IDLE_SECONDS / 2)
    began = time.monotonic()
    url = world.url.replace("http", "ws", 1) + wire.LINK_PATH
    with Crowd(url, [token for _, token in connectors]) as crowd:
        benchworld.until(lambda: crowd.welcomed == CONNECTORS or bool(crowd.broken), 120, "all welcomed")
        yield Measure(f"{CONNECTORS} connectors: all connected after", time.monotonic() - began, "s", most=BACK_SECONDS)
        time.sleep(2)
        yield from _idle(pid, before, share_before)
        yield from _busy(pid, before, integrations)
        assert not crowd.broken, crowd.broken[:3]


def _connected(rows: Sequence[Connector]) -> list[Integration]:
    """Give each connector a system; all have the secret of the first, sealed anew for every order."""
    first = connect("Crowd 0", rows[0])
    others = [
        Integration(
            name=f"Crowd {n}",
            type=first.type,
            connector=row,
            config=first.config,
            sync_due_at=first.sync_due_at + LATER,
        )
        for n, row in enumerate(rows[1:], 1)
    ]
    Integration.objects.bulk_create(others)
    secret = SecretReference.objects.get(integration=first)
    SecretReference.objects.bulk_create(
        SecretReference(integration=one, field=secret.field, store=secret.store, reference=secret.reference)
        for one in others
    )
    return [first, *others]


def _idle(pid: int, before: float, share_before: float) -> Iterator[Measure]:
    taken, grown = share(pid, IDLE_SECONDS) - share_before, memory(pid) - before
    yield Measure("the server before: memory", before, "MB")
    yield Measure("the server before: of one processor", share_before, "%")
    yield Measure("idle: memory of all links", grown, "MB", most=MEMORY_MB)
    yield Measure("idle: memory per connector", grown / CONNECTORS * 1000, "kB")
    yield Measure("idle: of one processor, all links", taken, "%", most=IDLE_PERCENT)
    yield Measure("idle: processor per connector and minute", taken / 100 * 60_000 / CONNECTORS, "ms")


def _busy(pid: int, before: float, integrations: Sequence[Integration]) -> Iterator[Measure]:
    """Order something everywhere at once, each time for somebody else, and wait until all is settled."""
    persons = people(ORDERS_EACH * len(integrations), "crowd")
    settled(*integrations)
    seconds, began = processor(pid), time.monotonic()
    burst(integrations, persons)
    settled(*integrations)
    taken, number = time.monotonic() - began, len(persons)
    seconds = processor(pid) - seconds
    yield Measure(f"busy: orders, {number} at once", number / taken, "/s")
    yield Measure("busy: processor per order", seconds / number * 1000, "ms")
    yield Measure("busy: of one processor", seconds / taken * 100, "%")
    yield Measure("busy: memory of all links", memory(pid) - before, "MB", most=MEMORY_MB)
    yield Measure("busy: memory per connector", (memory(pid) - before) / CONNECTORS * 1000, "kB")
