"""The orders that a worker has under way: each in a thread of its own, under its lease, until its report is taken.

A report is kept until the server has taken it or the lease is over, and is said again on every new link.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from connectors.contract import wire
from connectors.contract.errors import ErrorReport, LeaseLost, Misconfigured
from connectors.contract.orders import Report, Verb
from connectors.contract.wire import Cancel, Message, Ready, ReportOf, Taken, TellBaseline, Work
from connectors.registry import BUILT_IN, Registry
from connectors.runners import local
from connectors.runners.execution import REPORT, Asked, Held, Key, Means, as_text, execute
from connectors.runners.rules import Rules

log = logging.getLogger(__name__)
# Ends that are remembered, so that an order that comes again under the same lease is not done again.
REMEMBERED = 1000


class UnderWay:
    """All of them. `post` gives a text to the link there is, or drops it when there is none."""

    def __init__(
        self,
        slots: int,
        private_key: str,
        clock: Callable[[], float],
        registry: Registry = BUILT_IN,
        rules: Rules = local.NO_RULES,
    ) -> None:
        """Take `slots` orders at once, opening their secrets with this key, by the rules of the owner."""
        self.slots, self._clock = slots, clock
        self.execute = partial(execute, Means(private_key, clock, self.ask, registry, rules))
        self._held: dict[Key, Held] = {}
        self._over: dict[Key, None] = {}
        self._changed = threading.Condition()
        self._post: Callable[[str], None] | None = None
        # Counts links: what was asked over an earlier one is asked again.
        self._link = 0
        self._asks = False
        self.draining = False

    def attach(self, post: Callable[[str], None] | None, *, asks: bool = False) -> None:
        """Speak through another link from now on (None: there is none); what was not answered is said again.

        `asks`: over this link, orders are asked for one by one.
        """
        with self._changed:
            self._post, self._asks = post, asks
            self._link += 1
            self._tidy()
            for held in self._held.values():
                if held.report:
                    self._say(held.report)
            self._ask_for(self.free())
            self._changed.notify_all()

    def free(self) -> int:
        """Return how many more orders could begin now."""
        with self._changed:
            running = sum(not held.report for held in self._held.values())
            return 0 if self.draining else max(0, self.slots - running)

    def working(self) -> tuple[str, ...]:
        """Return the ids of the orders that are not over: under way, or with a report that is not taken yet."""
        with self._changed:
            self._tidy()
            return tuple(sorted({held.order_id for held in self._held.values()}))

    def hear(self, message: Message) -> None:
        """Do what the server says about orders."""
        match message:
            case Work():
                self._begin(message)
            case Cancel():
                self._cancel(message)
            case Taken():
                what = ("page", message.number) if message.number else REPORT
                self._answered(message.order_id, message.epoch, what, message)
            case TellBaseline():
                self._answered(message.order_id, message.epoch, ("baseline", message.question), message)

    def drain(self) -> None:
        """Begin nothing more, and break off what is long: a sync goes on where it was, elsewhere."""
        with self._changed:
            self.draining = True
            for held in self._held.values():
                if held.verb in (Verb.DISCOVER, Verb.PEOPLE) and not held.report:
                    held.cancelled.set()
            self._changed.notify_all()

    def _ask_for(self, more: int) -> None:
        if self._asks and not self.draining and more:
            self._say(wire.write(Ready(more, self._clock())))

    def _tidy(self) -> None:
        """Forget reports whose lease is over: the server would not take them, and somebody else does the order."""
        for held in [one for one in self._held.values() if one.report and self._clock() >= one.deadline]:
            log.warning("order %s: its report was not taken within its lease", held.order_id)
            self._forget(held)

    def _forget(self, held: Held) -> None:
        self._held.pop(held.key, None)
        self._over[held.key] = None
        while len(self._over) > REMEMBERED:
            self._over.pop(next(iter(self._over)))

    def _say(self, text: str) -> None:
        if self._post is not None:
            self._post(text)

    def _begin(self, work: Work) -> None:
        """Begin an order, unless it is under way or over already, or came when its lease is over."""
        order = work.order
        held = Held(order.order_id, order.epoch, order.verb, work.since + order.lease_seconds)
        with self._changed:
            if held.key in self._held or held.key in self._over or self._clock() >= held.deadline:
                return
            self._held[held.key] = held
            if self.draining:
                # Given back at once, so that another instance need not wait for the end of the lease.
                held.report = wire.write(ReportOf(_given_back(held)))
                self._say(held.report)
                return
        threading.Thread(target=self._run, args=(held, work), name=f"order-{order.order_id}", daemon=True).start()

    def _cancel(self, message: Cancel) -> None:
        with self._changed:
            for held in self._held.values():
                if held.order_id == message.order_id and held.epoch <= message.epoch:
                    held.cancelled.set()
            self._changed.notify_all()

    def _answered(self, order_id: str, epoch: int, what: Asked, message: Message) -> None:
        """Note an answer; that to a report is its end: durable over there, or not wanted."""
        with self._changed:
            held = self._held.get((order_id, epoch))
            if held is None:
                return
            if what != REPORT:
                held.answers[what] = message
            elif held.report:
                self._forget(held)
            self._changed.notify_all()

    def _run(self, held: Held, work: Work) -> None:
        """Run an order in its thread, and leave its report."""
        text = _as_text(self.execute(held, work))
        with self._changed:
            held.report = text
            self._say(text)
            self._ask_for(1)
            self._changed.notify_all()

    def ask(self, held: Held, text: str, what: Asked, until: float) -> Message | None:
        """Say something and return the answer to it, over whichever link there is; None when none came in time.

        Raises LeaseLost when the lease is over or the order is cancelled.
        """
        asked_over = -1
        with self._changed:
            while what not in held.answers:
                now = self._clock()
                if held.cancelled.is_set() or now >= held.deadline:
                    raise LeaseLost(
                        "The lease ran out, or the order was withdrawn.", fix="It is done again if need be."
                    )
                if now >= until:
                    return None
                if asked_over != self._link:
                    asked_over = self._link
                    self._say(text)
                self._changed.wait(min(1.0, until - now))
            return held.answers.pop(what)


def _given_back(held: Held) -> Report:
    """Return the report of an order that came while the instance was stopping."""
    told = LeaseLost("The instance is stopping.", fix="Another one does it.")
    return Report(held.order_id, held.epoch, error=told.report())


def _as_text(report: Report) -> str:
    """Return a report as it is sent; one that the server would not take is replaced by one that says so."""
    try:
        text = as_text(ReportOf(report), "report")
    except Misconfigured as error:
        log.error("order %s: %s", report.order_id, error.message)
        return wire.write(ReportOf(_unsaid(report, "holds what cannot be sent")))
    if len(text) > wire.MESSAGE_MAX:
        return wire.write(ReportOf(_unsaid(report, f"is longer than {wire.MESSAGE_MAX // 2**20} MB")))
    return text


def _unsaid(report: Report, why: str) -> Report:
    """Return what is said in place of a report that cannot be sent."""
    fix = "Ask for fewer things at once, or mend the provider."
    told = ErrorReport(Misconfigured.kind, f"The order's report {why}.", fix)
    return Report(report.order_id, report.epoch, error=told, functions=report.functions)
