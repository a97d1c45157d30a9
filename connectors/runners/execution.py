"""One order, executed by a worker: its secrets opened, its pages and questions carried to the server, its report.

Secrets are opened for one order, live in its thread, and are gone with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from connectors.contract import wire
from connectors.contract.errors import ErrorReport, LeaseLost, Misconfigured, TargetError, Unreachable
from connectors.contract.orders import Order, Page, Report, Unit, Verb
from connectors.contract.secret import Secret
from connectors.contract.wire import AskBaseline, Message, PageOf, Taken, TellBaseline, Work
from connectors.registry import Registry
from connectors.runners import local
from connectors.runners.rules import Rules
from connectors.toolkit.sealing import SealBroken, open_sealed

# A page that is longer as text goes out as several; the wire has a limit, and what is near it is slow.
PAGE_TEXT_MAX = wire.MESSAGE_MAX // 4
BASELINE_SECONDS = 15.0

# What tells an order under one lease apart; and an answer: to a page or a question by number, or to the report.
Key = tuple[str, int]
Asked = tuple[str, int]
REPORT: Asked = ("report", 0)


@dataclass(slots=True)
class Held:
    """One order under way. `deadline` is the end of its lease by the worker's clock."""

    order_id: str
    epoch: int
    verb: Verb
    deadline: float
    cancelled: threading.Event = field(default_factory=threading.Event)
    answers: dict[Asked, Message] = field(default_factory=dict)
    report: str = ""
    questions: int = 0
    pages: int = 0

    @property
    def key(self) -> Key:
        """Return what tells it apart: an order under one lease."""
        return (self.order_id, self.epoch)


@dataclass(frozen=True, slots=True)
class Means:
    """What executing takes. `ask` says a text to the server and returns the answer, None when none came in time."""

    private_key: str = field(repr=False)
    clock: Callable[[], float]
    ask: Callable[[Held, str, Asked, float], Message | None]
    registry: Registry
    rules: Rules


def as_text(message: Message, what: str) -> str:
    """Return a message as it is sent. Raises Misconfigured for one that the server would not take.

    Such a message would end the link, and again the next one: better the order fails, with a reason.
    """
    try:
        text = wire.write(message)
        text.encode()
        if "\\u" in text:
            wire.read(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise Misconfigured(f"The {what} holds what cannot be sent.", fix="Mend the provider.") from error
    return text


def execute(means: Means, held: Held, work: Work) -> Report:
    """Return the final report of an order."""
    try:
        order = _opened(means, work)
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
            on_page=lambda page: _send_page(means, held, page),
            monotonic=means.clock,
            registry=means.registry,
            baseline=lambda present, wanted: _ask_baseline(means, held, present, wanted),
            since=work.since,
            cancelled=held.cancelled.is_set,
            rules=means.rules,
        )
    except TargetError as error:
        # From sending a page, which is the runner's and not the provider's.
        return Report(held.order_id, held.epoch, error=error.report())


def _opened(means: Means, work: Work) -> Order:
    """Return the order with its secrets. Raises SealBroken."""
    order, opened = work.order, {}
    for name, sealed in work.sealed.items():
        context = wire.sealing_context(order.order_id, order.epoch, name)
        opened[name] = Secret(open_sealed(means.private_key, sealed, context).decode())
    return wire.from_wire(order, opened, order.lease_seconds)


def _send_page(means: Means, held: Held, page: Page) -> None:
    """Hand a page to the server and wait until it is durable there. Raises LeaseLost, Misconfigured."""
    text = as_text(PageOf(held.order_id, held.epoch, held.pages + 1, page), "page of the inventory")
    if len(text) > wire.MESSAGE_MAX and len(page.resources) == 1:
        raise Misconfigured("One resource alone is too long to be sent.", fix="Leave this kind of resource out.")
    if len(text) > PAGE_TEXT_MAX and len(page.resources) > 1:
        half = len(page.resources) // 2
        # Only after its last part one can go on.
        _send_page(means, held, replace(page, resources=page.resources[:half], resume=""))
        _send_page(means, held, replace(page, resources=page.resources[half:]))
        return
    if page.people is not None and len(text) > wire.MESSAGE_MAX:
        raise Misconfigured("A page of people is too long to be sent.", fix="Mend the provider: smaller pages.")
    held.pages += 1
    answer = means.ask(held, text, ("page", held.pages), held.deadline)
    if not isinstance(answer, Taken) or answer.refused:
        raise LeaseLost("The server did not take a page of the inventory.", fix="The sync is done again.")


def _ask_baseline(means: Means, held: Held, present: Iterable[Unit], wanted: Iterable[Unit]) -> frozenset[Unit]:
    """Ask the server's memory. Raises Unreachable, LeaseLost, Misconfigured."""
    held.questions += 1
    asked = AskBaseline(held.order_id, held.epoch, held.questions, tuple(present), tuple(wanted))
    until = min(held.deadline, means.clock() + BASELINE_SECONDS)
    answer = means.ask(held, as_text(asked, "question about standing access"), ("baseline", held.questions), until)
    if not isinstance(answer, TellBaseline):
        raise Unreachable("Latchkey's server cannot be asked what the person had before.", fix="It is tried again.")
    return frozenset(answer.standing)
