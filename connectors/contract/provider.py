"""What a provider is: one class with one method per verb."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self, TypeVar

from connectors.contract.orders import (
    Finding,
    Function,
    GrantReport,
    Order,
    Page,
    Program,
    ReadBack,
    ResourceTypeFact,
    Unit,
)


class Seal(Protocol):
    """Seals credentials to the server's key."""

    def __call__(self, details: dict[str, str], grant_id: str = "") -> str:
        """Return `details` as a sealed JSON object (hex), bound to the grant; without a grant, to the order."""


class ProgramSource(Protocol):
    """A program file, whatever its language."""

    @property
    def name(self) -> str:
        """Return the file's name without its ending."""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the file, hex."""

    def replaced(self, path: Path) -> Self:
        """Return the same program, read from another file."""


AnyProgram = TypeVar("AnyProgram", bound=ProgramSource)


class Admit(Protocol):
    """Asks the connector's own rules whether a program may run."""

    def __call__(self, program: AnyProgram, /) -> AnyProgram:
        """Return the program to run, which may be the owner's own instead. Raises Refused naming the rule."""


class Baseline(Protocol):
    """Asks the server's memory which of these things the person had before anything was given."""

    def __call__(self, present: Iterable[Unit], wanted: Iterable[Unit], /) -> frozenset[Unit]:
        """Return the units that are standing. Durable before it returns.

        `present` is what the person has at the target now, `wanted` everything that the order holds or ends and that
        was read, and the other levels of the same resources where one follows another (who has a level has those below
        it). A unit that nobody asked about before is standing if it is present. It is so until it is asked about and
        not present: somebody took it, and whoever gives it anew are we. What is known of a resource is kept for as long
        as an open grant names it. Raises Unreachable when the server cannot be asked: then nothing may be given.
        """


def _one_minute() -> float:
    """Return the lease that a Run made without a runner may use."""
    return 60.0


def _admit_all(program: AnyProgram, /) -> AnyProgram:
    """Let every program run, as a connector without rules does."""
    return program


def remember(memory: dict[Unit, bool]) -> Baseline:
    """Return a baseline that is kept in `memory`: unit to whether it is standing."""

    def baseline(present: Iterable[Unit], wanted: Iterable[Unit], /) -> frozenset[Unit]:
        there = frozenset(present)
        for unit in wanted:
            memory[unit] = memory.get(unit, True) and unit in there
        return frozenset(unit for unit, standing in memory.items() if standing)

    return baseline


def _no_memory() -> Baseline:
    """Return a baseline for one run only."""
    return remember({})


@dataclass(slots=True)
class Run:
    """What a provider gets beside its order: the lease, the owner's rules, the server's memory, and a notebook.

    `alive` raises LeaseLost once the lease is over; every toolkit calls it before every statement. `remaining` says how
    many seconds of it are left, for time-outs. Every toolkit hands a program to `note` (or, in a dry run, to `admit`)
    before it runs it, and runs what it gets back. A provider that gives access to accounts which people have anyway
    asks `baseline` before it gives anything. `functions` and `programs` are filled in by the toolkits, for the report.
    """

    alive: Callable[[], None]
    seal: Seal
    functions: list[Function] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    remaining: Callable[[], float] = _one_minute
    admit: Admit = _admit_all
    baseline: Baseline = field(default_factory=_no_memory)

    def note(self, program: AnyProgram) -> AnyProgram:
        """Return the program to run instead of `program`, and write down that it runs. Raises Refused."""
        admitted = self.admit(program)
        function = Function(admitted.name, admitted.digest)
        # In the order in which they ran last: a verb reads the target back after everything else, so the last one is
        # what did the reading.
        if function in self.functions:
            self.functions.remove(function)
        self.functions.append(function)
        return admitted


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
