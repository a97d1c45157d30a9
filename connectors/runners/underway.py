"""The orders that a worker has under way: each in a thread of its own, under its lease, until its report is taken.

A report is kept until the server has taken it or the lease is over, and is said again on every new link. Secrets are
opened for one order, live in its thread, and are gone with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from connectors.contract import wire
from connectors.contract.errors import ErrorReport, LeaseLost, Misconfigured, Unreachable
from connectors.contract.orders import Order, Page, Report, Unit, Verb
from connectors.contract.secret import Secret
from connectors.contract.wire import AskBaseline, Cancel, Message, PageOf, Ready, ReportOf, Taken, TellBaseline, Work
from connectors.registry import BUILT_IN, Registry
from connectors.runners import local
from connectors.runners.rules import Rules
from connectors.toolkit.sealing import SealBroken, open_sealed

log = logging.getLogger(__name__)
# A page that is longer as text goes out as several; the wire has a limit, and what is near it is slow.
PAGE_TEXT_MAX = wire.MESSAGE_MAX // 4
BASELINE_SECONDS = 15.0
# Ends that are remembered, so that an order that comes again under the same lease is not done again.
REMEMBERED = 1000

Key = tuple[str, int]


@dataclass(slots=True)
class Held:
    """One order under way. `deadline` is the end of its lease by the worker's clock."""

    order_id: str
    epoch: int
    verb: Verb
    deadline: float
    cancelled: threading.Event = field(default_factory=threading.Event)
    answers: dict[tuple[str, int], Message] = field(default_factory=dict)
    report: str = ""
    questions: int = 0
    pages: int = 0

    @property
    def key(self) -> Key:
        """Return what tells it apart: an order under one lease."""
        return (self.order_id, self.epoch)


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
        self.slots, self._private_key, self._clock = slots, private_key, clock
        self._registry, self._rules = registry, rules
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
            self._ask_for(self._free())
            self._changed.notify_all()

    def free(self) -> int:
        """Return how many more orders could begin now."""
        with self._changed:
            return self._free()

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
                self._taken(message)
            case TellBaseline():
                self._answered(message.order_id, message.epoch, ("baseline", message.question), message)

    def drain(self) -> None:
        """Begin nothing more, and break off what is long: a sync goes on where it was, elsewhere."""
        with self._changed:
            self.draining = True
            for held in self._held.values():
                if held.verb is Verb.DISCOVER and not held.report:
                    held.cancelled.set()
            self._changed.notify_all()

    def _free(self) -> int:
        running = sum(not held.report for held in self._held.values())
        return 0 if self.draining else max(0, self.slots - running)

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

    def _taken(self, message: Taken) -> None:
        """Note that a page or a report is durable over there, or not wanted."""
        if message.number:
            self._answered(message.order_id, message.epoch, ("page", message.number), message)
            return
        with self._changed:
            held = self._held.get((message.order_id, message.epoch))
            if held is not None and held.report:
                self._forget(held)
                self._changed.notify_all()

    def _answered(self, order_id: str, epoch: int, what: tuple[str, int], message: Message) -> None:
        with self._changed:
            held = self._held.get((order_id, epoch))
            if held is not None:
                held.answers[what] = message
                self._changed.notify_all()

    def _run(self, held: Held, work: Work) -> None:
        """Run an order in its thread, and leave its report."""
        text = _as_text(self._report(held, work))
        with self._changed:
            held.report = text
            self._say(text)
            self._ask_for(1)
            self._changed.notify_all()

    def _report(self, held: Held, work: Work) -> Report:
        """Return the final report of an order."""
        try:
            order = self._opened(work)
        except SealBroken:
            told = ErrorReport(
                Misconfigured.kind,
                "The order's secrets do not open with this instance's key.",
                "It comes again under a new lease; if not, restart the connector.",
            )
            return Report(held.order_id, held.epoch, error=told)
        try:
            return local.run(
                order,
                on_page=lambda page: self._send_page(held, page),
                monotonic=self._clock,
                registry=self._registry,
                baseline=lambda present, wanted: self._ask_baseline(held, present, wanted),
                since=work.since,
                cancelled=held.cancelled.is_set,
                rules=self._rules,
            )
        except LeaseLost as error:
            # From sending a page, which is the runner's and not the provider's.
            return Report(held.order_id, held.epoch, error=error.report())

    def _opened(self, work: Work) -> Order:
        """Return the order with its secrets. Raises SealBroken."""
        order, opened = work.order, {}
        for name, sealed in work.sealed.items():
            context = wire.sealing_context(order.order_id, order.epoch, name)
            opened[name] = Secret(open_sealed(self._private_key, sealed, context).decode())
        return wire.from_wire(order, opened, order.lease_seconds)

    def _send_page(self, held: Held, page: Page) -> None:
        """Hand a page to the server and wait until it is durable there. Raises LeaseLost."""
        text = wire.write(PageOf(held.order_id, held.epoch, held.pages + 1, page))
        if len(text) > PAGE_TEXT_MAX and len(page.resources) > 1:
            half = len(page.resources) // 2
            # Only after its last part one can go on.
            self._send_page(held, replace(page, resources=page.resources[:half], resume=""))
            self._send_page(held, replace(page, resources=page.resources[half:]))
            return
        held.pages += 1
        answer = self._ask(held, text, ("page", held.pages), held.deadline)
        if not isinstance(answer, Taken) or answer.refused:
            raise LeaseLost("The server did not take a page of the inventory.", fix="The sync is done again.")

    def _ask_baseline(self, held: Held, present: Iterable[Unit], wanted: Iterable[Unit], /) -> frozenset[Unit]:
        """Ask the server's memory. Raises Unreachable, LeaseLost."""
        held.questions += 1
        asked = AskBaseline(held.order_id, held.epoch, held.questions, tuple(present), tuple(wanted))
        until = min(held.deadline, self._clock() + BASELINE_SECONDS)
        answer = self._ask(held, wire.write(asked), ("baseline", held.questions), until)
        if not isinstance(answer, TellBaseline):
            raise Unreachable("Latchkey's server cannot be asked what the person had before.", fix="It is tried again.")
        return frozenset(answer.standing)

    def _ask(self, held: Held, text: str, what: tuple[str, int], until: float) -> Message | None:
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
    """Return a report as it is sent; one that the wire does not take is replaced by one that says so."""
    try:
        text = wire.write(ReportOf(report))
    except (TypeError, ValueError, RecursionError) as error:
        log.error("order %s: its report cannot be written: %s", report.order_id, type(error).__name__)
        return wire.write(ReportOf(_unsaid(report, "holds what cannot be sent")))
    if len(text) > wire.MESSAGE_MAX:
        return wire.write(ReportOf(_unsaid(report, f"is longer than {wire.MESSAGE_MAX // 2**20} MB")))
    return text


def _unsaid(report: Report, why: str) -> Report:
    """Return what is said in place of a report that cannot be sent."""
    fix = "Ask for fewer things at once, or mend the provider."
    told = ErrorReport(Misconfigured.kind, f"The order's report {why}.", fix)
    return Report(report.order_id, report.epoch, error=told, functions=report.functions)
