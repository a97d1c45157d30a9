"""What a provider is: one class with one method per verb."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from connectors.contract.orders import (
    Finding,
    Function,
    GrantReport,
    Order,
    Page,
    Program,
    ReadBack,
    ResourceTypeFact,
)


class Seal(Protocol):
    """Seals credentials to the server's key."""

    def __call__(self, details: dict[str, str], grant_id: str = "") -> str:
        """Return `details` as a sealed JSON object (hex), bound to the grant; without a grant, to the order."""


def _one_minute() -> float:
    """Return the lease that a Run made without a runner may use."""
    return 60.0


@dataclass(slots=True)
class Run:
    """What a provider gets beside its order: the lease and a notebook.

    `alive` raises LeaseLost once the lease is over; every toolkit calls it before every statement. `remaining` says how
    many seconds of it are left, for time-outs. `functions` and `programs` are filled in by the toolkits, for the
    report.
    """

    alive: Callable[[], None]
    seal: Seal
    functions: list[Function] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    remaining: Callable[[], float] = _one_minute


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `apply`, `read_back`, `reset_credentials`, `rotate` and `clean_up` answer."""

    grants: tuple[GrantReport, ...] = ()
    read_back: ReadBack | None = None


class Provider(Protocol):
    """One kind of target. Every verb is idempotent; each raises a TargetError and never retries by itself."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try the connection and the connector's own privileges; say in words what is missing."""

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types with their permissions."""

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield the inventory in pages of at most `order.page_size` resources."""

    def apply(self, order: Order, run: Run) -> Outcome:
        """Make the target hold exactly `order.desired` for the person, beside what was standing; then read back."""

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Answer from the target what the person holds; change nothing."""

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Make new credentials for the grants in `desired.holds` that want them."""

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Make new credentials for logins older than the period; never called during active access."""

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Remove the logins in `desired.gone`, keeping what they own."""
