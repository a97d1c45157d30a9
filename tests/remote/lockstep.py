"""Two real runners and the real server's functions under one scheduler: time, messages and every statement are its.

Each instance is what a worker has (`UnderWay`, `local.run`, the ledger's provider) without socket and process. Its
orders run in threads that stop before each statement until the scheduler lets them do it. A paused instance does
nothing while its clock goes on, as a machine that hangs; what is said to it waits, is lost, or comes late.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.contract import wire
from connectors.contract.wire import Heartbeat, Message
from connectors.registry import BUILT_IN
from connectors.runners.underway import UnderWay
from integrations.actions import handing, links
from integrations.models import Connector
from tests.remote.by_hand import ByHand, instance

# How long, in real time, a thread may take from one stop to the next.
STEP_SECONDS = 5.0


class Gate:
    """Where the threads of an instance stop before each statement."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.waiting = self.released = self.passed = 0

    def enter(self) -> None:
        """Stop until the scheduler lets this statement be done."""
        with self._changed:
            self.waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.released > 0)
            self.released -= 1
            self.waiting -= 1
            self.passed += 1
            self._changed.notify_all()

    def release(self) -> bool:
        """Let one statement be done. False when nobody waits."""
        with self._changed:
            if self.waiting <= self.released:
                return False
            before = self.passed
            self.released += 1
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self.passed > before, STEP_SECONDS)


class Asking(UnderWay):
    """Orders under way that also know their threads, and which of them wait for an answer."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.asking: set[threading.Thread] = set()
        self.threads: set[threading.Thread] = set()

    def _run(self, held: Any, work: Any) -> None:
        self.threads.add(threading.current_thread())
        super()._run(held, work)
        self.threads.discard(threading.current_thread())

    def ask(self, held: Any, text: str, what: tuple[str, int], until: float) -> Message | None:
        self.asking.add(threading.current_thread())
        try:
            return super().ask(held, text, what, until)
        finally:
            self.asking.discard(threading.current_thread())

    def time_passed(self) -> None:
        """Have who waits look at the clock, which is ours."""
        with self._changed:
            self._changed.notify_all()


@dataclass
class Instance:
    """One instance: what a worker has, and the line between it and the server."""

    by: ByHand
    orders: Asking
    gate: Gate = field(default_factory=Gate)
    out: deque[str] = field(default_factory=deque)
    into: deque[str] = field(default_factory=deque)
    paused: bool = False
    away: bool = False

    def busy(self) -> bool:
        """Whether a thread is between two stops: it has begun and neither stands at the gate, asks, nor is done."""
        held = list(self.orders._held.values())
        running = sum(not one.report for one in held)
        return running > self.gate.waiting + len(self.orders.asking)


class Lockstep:
    """The scheduler."""

    def __init__(self, connector: Connector, now: Callable[[], datetime], rng: random.Random) -> None:
        self.connector, self.now, self.rng = connector, now, rng
        self.skew = [rng.uniform(-1e6, 1e6) for _ in range(2)]
        self.instances = [self._instance(number) for number in range(2)]
        self.statements = 0

    def _instance(self, number: int) -> Instance:
        by = instance(self.connector, at=self.now())
        skew = self.skew[number]
        orders = Asking(8, by.key, lambda: self.now().timestamp() + skew)
        one = Instance(by, orders)
        orders.attach(one.out.append)
        return one

    def running_in(self) -> Instance:
        """Return the instance whose thread this is."""
        return next(one for one in self.instances if threading.current_thread() in one.orders.threads)

    def settle(self) -> None:
        """Wait until every thread stands still."""
        end = time.monotonic() + STEP_SECONDS
        while any(one.busy() for one in self.instances):
            assert time.monotonic() < end, "a thread does not come to its next stop"
            time.sleep(0.0005)

    def time_passed(self) -> None:
        """Have everybody look at the clock."""
        for one in self.instances:
            one.orders.time_passed()

    def step(self, one: Instance) -> bool:
        """Let an instance do one statement."""
        if one.paused or not one.gate.release():
            return False
        self.statements += 1
        self.settle()
        return True

    def beat(self, one: Instance) -> None:
        """Have an instance say how things are, and ask for work."""
        if not one.paused:
            now = self.now()
            one.out.append(
                wire.write(Heartbeat(one.orders.free(), one.orders.working(), now.timestamp() + self._skew(one)))
            )

    def _skew(self, one: Instance) -> float:
        return self.skew[self.instances.index(one)]

    def carry_out(self, one: Instance) -> bool:
        """Bring one message to the server, and its answers on their way back."""
        if one.paused or not one.out:
            return False
        message = wire.read(one.out.popleft())
        if one.away or message is None:
            return True
        answers: list[Message] = links.hear(one.by.link, message, at=self.now())
        if isinstance(message, Heartbeat) and message.free:
            work = handing.next_work(one.by.link, at=self.now())
            answers += [work] if work is not None else []
        one.into.extend(wire.write(answer) for answer in answers)
        return True

    def carry_in(self, one: Instance) -> bool:
        """Bring one message to the instance."""
        if one.paused or not one.into:
            return False
        message = wire.read(one.into.popleft())
        if not one.away and message is not None:
            one.orders.hear(message)
            self.settle()
        return True

    def something(self) -> None:
        """Let one thing happen, whichever."""
        one = self.rng.choice(self.instances)
        self.rng.choice([self.step, self.step, self.carry_out, self.carry_in, self.beat])(one)

    def trouble(self) -> None:
        """Pause or wake an instance, or take it off the line or back."""
        one = self.rng.choice(self.instances)
        if self.rng.random() < 0.6:
            one.paused = not one.paused
        else:
            one.away = not one.away
            if one.away:
                # What was on the way is lost.
                one.into.clear()

    def rest(self, *, only: Instance | None = None) -> None:
        """Let everything happen that can, without time passing."""
        for one in [only] if only else self.instances:
            self.beat(one)
        moved = True
        while moved:
            moved = False
            for one in [only] if only else self.instances:
                moved |= self.carry_out(one) | self.carry_in(one) | self.step(one)

    def wake_all(self) -> None:
        """Everybody is there again."""
        for one in self.instances:
            one.paused = one.away = False

    def end(self) -> None:
        """Let threads that still stand go to their end."""
        self.wake_all()
        for one in self.instances:
            one.orders.drain()
            for held in list(one.orders._held.values()):
                held.cancelled.set()
        for _ in range(200):
            if not any(self.step(one) for one in self.instances):
                return


def gated(lockstep: Lockstep, monkeypatch: Any) -> None:
    """Have every statement of the ledger stop at the gate of the instance that does it."""
    session = sys.modules[type(BUILT_IN.provider("ledger")).__module__].Session
    do = session.do

    def stopping(self: Any, statement: str, *values: Any) -> Any:
        lockstep.running_in().gate.enter()
        return do(self, statement, *values)

    monkeypatch.setattr(session, "do", stopping)
