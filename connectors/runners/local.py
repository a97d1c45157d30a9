"""Runs one order in this process. A remote worker calls the same function."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar, cast

from connectors import stores
from connectors.contract.errors import ErrorReport, LeaseLost, Misconfigured, Refused, TargetError
from connectors.contract.orders import Order, Page, Report, SecretReference, Verb
from connectors.contract.people import Directory
from connectors.contract.provider import AnyProgram, Baseline, Outcome, Provider, Run, remember
from connectors.contract.secret import Secret
from connectors.registry import BUILT_IN, Registry
from connectors.runners.rules import Rules, restore
from connectors.toolkit.redaction import Redactor
from connectors.toolkit.sealing import seal

log = logging.getLogger(__name__)

# The lease is given up this much earlier, so that what was begun in its last moment is over before its end.
MARGIN_SECONDS = 2.0
MARGIN_SHARE = 0.1

Answer = TypeVar("Answer")
# A connector whose owner says nothing does what it is told.
NO_RULES = Rules()


class Resolve(Protocol):
    """Reads secrets from their stores."""

    def __call__(self, references: Mapping[str, SecretReference], run: Run, /) -> dict[str, Secret]:
        """Return the secret of every field. Raises a TargetError."""


class _Failed(Exception):
    """Carries the error report of a provider that failed."""

    def __init__(self, report: ErrorReport) -> None:
        super().__init__(report.message)
        self.report = report


@dataclass(slots=True)
class _Execution:
    """One order under way: its lease, its redactor, what its provider gets."""

    order: Order
    monotonic: Callable[[], float]
    baseline: Baseline | None
    rules: Rules
    since: float | None
    cancelled: Callable[[], bool]
    redactor: Redactor = field(init=False)
    deadline: float = field(init=False)
    notes: Run = field(init=False)
    found: int = 0

    def __post_init__(self) -> None:
        margin = min(MARGIN_SECONDS, self.order.lease_seconds * MARGIN_SHARE)
        begin = self.monotonic() if self.since is None else self.since
        self.deadline = begin + self.order.lease_seconds - margin
        self.redactor = Redactor(secret.reveal() for secret in self.order.secrets.values())
        self.notes = Run(
            alive=self.alive,
            seal=self.seal,
            remaining=self.remaining,
            admit=self.admit,
            baseline=self.baseline or remember({}),
        )

    def remaining(self) -> float:
        """Return how many seconds of the lease may still be used."""
        return max(0.0, self.deadline - self.monotonic())

    def alive(self) -> None:
        """Raise LeaseLost once the lease is over or the order is not wanted any more."""
        if self.cancelled():
            raise LeaseLost("The order was withdrawn before the work was done.", fix="A newer order takes its place.")
        if self.remaining() <= 0:
            raise LeaseLost("The lease ran out before the work was done.", fix="It is done again under a new lease.")

    def seal(self, details: dict[str, str], grant_id: str = "") -> str:
        """Seal credentials to the server's key, bound to their grant."""
        self.redactor.add(*details.values())
        if not self.order.seal_to:
            raise Misconfigured("The order carries no key to seal credentials to.")
        context = (grant_id or self.order.order_id).encode()
        return seal(self.order.seal_to, json.dumps(details).encode(), context)

    def admit(self, program: AnyProgram, /) -> AnyProgram:
        """Return the program to run, by the owner's rules and then by the order's pins. Raises Refused."""
        admitted = self.rules.admit(self.order.provider, program)
        pins = self.order.digests
        if pins and pins.get(admitted.name) != admitted.digest:
            raise Refused(f"The program {admitted.name} is not the one that is pinned for this connector.")
        return admitted

    def secrets(self, resolve: Resolve) -> dict[str, Secret]:
        """Return the order's secrets, those that it only refers to among them: read now, kept for this run only."""
        if not self.order.references:
            return self.order.secrets
        # Reading a store is no program of the provider's: its pins and rules are not asked.
        asking = Run(alive=self.alive, seal=self.seal, remaining=self.remaining)
        read = self.attempt(lambda: resolve(self.order.references, asking))
        self.redactor.add(*(secret.reveal() for secret in read.values()))
        return {**self.order.secrets, **read}

    def attempt(self, call: Callable[[], Answer]) -> Answer:
        """Call into the provider; raise _Failed with a report that holds no secret."""
        try:
            return call()
        except TargetError as error:
            told = error.report()
            report = replace(told, message=self.redactor.scrub(told.message), fix=self.redactor.scrub(told.fix))
        except Exception as error:  # noqa: BLE001 - the one broad except: below
            # A report is owed for every order: without one, the order would be leased again and again and nobody would
            # learn why. Whatever a provider did not foresee ends here, and the log gets the traceback without secrets.
            log.error("order %s: %s failed: %s", self.order.order_id, self.order.verb, self.redactor.describe(error))
            report = ErrorReport(
                Misconfigured.kind,
                f"The provider '{self.order.provider}' failed in a way it did not foresee ({type(error).__name__}).",
                "The connector's log has the details.",
            )
        raise _Failed(report)


def run(
    order: Order,
    *,
    on_page: Callable[[Page], None],
    monotonic: Callable[[], float] = time.monotonic,
    registry: Registry = BUILT_IN,
    baseline: Baseline | None = None,
    rules: Rules = NO_RULES,
    since: float | None = None,
    cancelled: Callable[[], bool] = bool,
    resolve: Resolve = stores.resolve,
) -> Report:
    """Run one order and return its final report; the lease runs from this call on, by `monotonic` (seconds).

    With `since`, the lease runs from that reading of `monotonic`: one from before it can have been given. `baseline` is
    the server's memory of what was standing; without one, this run has a memory of its own. `rules` are those of the
    owner of the environment. `cancelled` says whether the order is still wanted, and is asked before every statement.
    `resolve` reads the secrets that the order only refers to from their stores, at this moment.

    Never raises for what goes wrong at the target or in the provider: that is `Report.error`. What `on_page` raises is
    the caller's own and passes through.
    """
    execution = _Execution(order, monotonic, baseline, rules, since, cancelled)
    report = Report(order.order_id, order.epoch)
    try:
        report = _dispatch(execution, registry, on_page, resolve)
    except _Failed as failure:
        report = replace(report, error=failure.report)
    notes = execution.notes
    return replace(report, found=execution.found, functions=tuple(notes.functions), programs=tuple(notes.programs))


def _dispatch(execution: _Execution, registry: Registry, on_page: Callable[[Page], None], resolve: Resolve) -> Report:
    """Do the verb and return what it answers."""
    judged = execution.attempt(lambda: execution.rules.judge(execution.order))
    order, notes = replace(judged.order, secrets=execution.secrets(resolve)), execution.notes
    report = Report(order.order_id, order.epoch)
    provider = execution.attempt(lambda: registry.provider(order.provider))
    if order.verb is Verb.CHECK:
        return replace(report, findings=execution.attempt(lambda: provider.check(order, notes)))
    if order.verb is Verb.DISCOVER:
        resource_types = execution.attempt(lambda: provider.resource_types(order, notes))
        _pages(execution, lambda: provider.discover(execution.order, execution.notes), on_page)
        return replace(report, resource_types=resource_types)
    if order.verb is Verb.PEOPLE:
        if not hasattr(provider, "people"):
            raise _Failed(Misconfigured(f"The provider '{order.provider}' tells of no people.").report())
        directory = cast(Directory, provider)
        _pages(execution, lambda: directory.people(order, notes), on_page)
        return report
    outcome = restore(execution.attempt(lambda: _about_a_person(provider, order, notes)), judged, execution.order)
    return replace(report, grants=outcome.grants, read_back=outcome.read_back)


def _pages(execution: _Execution, begin: Callable[[], Iterator[Page]], on_page: Callable[[Page], None]) -> None:
    """Hand on what is found page by page; the provider's connection is closed whatever `on_page` does."""
    pages = execution.attempt(begin)
    with closing(_Closable(pages)) as source:
        while (page := execution.attempt(source.next)) is not None:
            on_page(page)
            execution.found += len(page.resources)


class _Closable:
    """An iterator of pages that can be closed early, also when it is no generator."""

    def __init__(self, pages: Iterator[Page]) -> None:
        self._pages = pages

    def next(self) -> Page | None:
        """Return the next page, or None after the last."""
        return next(self._pages, None)

    def close(self) -> None:
        """Let a generator run its `finally`."""
        close = getattr(self._pages, "close", None)
        if close is not None:
            close()


def _about_a_person(provider: Provider, order: Order, notes: Run) -> Outcome:
    """Do one of the verbs that name a person."""
    if order.desired is None:
        raise Misconfigured(f"An order to {order.verb} names a person; this one does not.")
    verbs: dict[Verb, Callable[[Order, Run], Outcome]] = {
        Verb.APPLY: provider.apply,
        Verb.READ_BACK: provider.read_back,
        Verb.RESET_CREDENTIALS: provider.reset_credentials,
        Verb.ROTATE: provider.rotate,
        Verb.CLEAN_UP: provider.clean_up,
    }
    return verbs[order.verb](order, notes)
