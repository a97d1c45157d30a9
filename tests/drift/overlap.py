"""The model of overlap and standing access: a person holds exactly what live grants give, and what was there before.

A story is a row of steps in any order: grants, ends, extensions, hands from outside, connectors that die, hang or come
back too late, reports that are lost or told twice, time that jumps. The model keeps its own book of what was asked for
and until when, and what was put there by hand; the target is asked by a reader of the test's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import pytest
from django.db.models import Count

from access_requests import actions
from access_requests.drift import FindingKind, FindingState
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, DriftFinding
from accounts.models import User
from connectors.contract.errors import Unreachable
from connectors.contract.orders import Verb
from connectors.runners.local import _Execution
from integrations.actions import running
from integrations.choices import OPEN_ORDERS
from integrations.models import Order
from tests.story import Story

PATIENCE = timedelta(minutes=10)


class Killed(BaseException):
    """The process is dead: nothing of ours catches it."""


@dataclass(frozen=True)
class Must:
    """What a target must hold for one person at one moment, and what it may hold at most.

    By grant: `certain` is held; `possible` may be, as long as the end is not proven; `over` has nothing left.
    """

    certain: dict[AccessGroup, set[str]]
    possible: dict[AccessGroup, set[str]]
    over: list[AccessGroup]
    standing: set[str]


class Target(Protocol):
    """A target and its own reader. `names` are what can be asked for; the last of them can never be given."""

    names: tuple[str, str, str]
    permission: str

    def clear(self) -> None:
        """Take everything away: the next story begins."""

    def is_standing(self, who: User, name: str) -> bool:
        """Whether what is given by hand now counts as standing, and not as what a grant gave."""

    def put(self, who: User, name: str) -> None:
        """Give by hand, on the person's own account."""

    def take(self, who: User, name: str) -> None:
        """Take by hand what a person's own account has."""

    def snatch(self, who: User, name: str) -> None:
        """Take by hand what grants gave."""

    def slip(self, who: User, name: str) -> None:
        """See to it that an end cannot take everything that is on what a grant uses, whatever it is told."""

    def unslip(self) -> None:
        """Let it be as before."""

    def check(self, who: User, must: Must) -> None:
        """Fail unless the target holds what it must."""


@dataclass
class Asked:
    """What the model knows of a request: whose, and how long it lasts once it is open; `over` when it was ended."""

    who: int
    names: tuple[str, ...]
    seconds: int
    over: bool = False


@dataclass
class World:
    """The story, its target, and the model's own book."""

    told: Story
    target: Target
    people: tuple[User, User]
    # Whether the target has a clock that is not the story's: stories then begin by the real time.
    own_clock: bool = False
    asked: dict[int, Asked] = field(default_factory=dict)
    standing: dict[int, set[str]] = field(default_factory=lambda: {0: set(), 1: set()})
    # What hands took of what grants gave: it is missing until a later order carries it along, or a look says so.
    snatched: set[tuple[int, str]] = field(default_factory=set)
    # At which statement the next order breaks off, and how; then whether the target is down.
    breaks: list[tuple[int, str]] = field(default_factory=list)
    down: bool = False
    # Orders whose holder sleeps, as they were leased; orders whose news was lost.
    asleep: list[Order] = field(default_factory=list)
    unheard_of: set[Any] = field(default_factory=set)

    def statement(self, verb: Verb) -> None:
        """Do as told at each statement to the target."""
        if self.breaks and verb is Verb.APPLY:
            left, how = self.breaks.pop(0)
            if left:
                self.breaks.insert(0, (left - 1, how))
            elif how == "killed":
                raise Killed
            else:
                self.down = how == "down"
                raise Unreachable("The line broke.")
        if self.down:
            raise Unreachable("Nobody answers.")

    def requests(self, who: int, *states: str) -> list[AccessRequest]:
        """Return a person's requests in these states, oldest first."""
        return list(AccessRequest.objects.filter(grantee=self.people[who], state__in=states).order_by("pk"))

    def work(self) -> None:
        """Do what is due: the sweep, orders, news. What follows from that is done in the next step."""
        actions.sweep(at=self.told.now)
        for _ in range(20):
            if not self.run_orders() + self.hear():
                return
        raise AssertionError("the story does not come to rest")

    def run_orders(self) -> int:
        """Run what is due. Looks for it cheaply first: most often nothing is."""
        done, instance = 0, self.instance()
        while Order.objects.filter(state="queued", next_try_at__lte=self.told.now).exists():
            try:
                if not running.run_next(instance, at=lambda: self.told.now):
                    break
            except Killed:
                self.asleep += Order.objects.filter(state="leased").exclude(pk__in=[one.pk for one in self.asleep])
            done += 1
        return done

    def hear(self) -> int:
        """Take in reports as the news of them would, but for those whose news was lost."""
        waiting = Order.objects.filter(state="done", absorbed_at__isnull=True, person__isnull=False)
        return sum(actions.absorb(order) for order in waiting.exclude(pk__in=self.unheard_of))

    def instance(self) -> Any:
        """Return the connector in this process."""
        return running.instance_of(running.embedded_connector(), at=self.told.now)

    def always(self) -> None:
        """Hold after each step: nothing is missing, nothing is there that nobody owes, the book is right."""
        self._book()
        for who in (0, 1):
            groups = self._groups(who)
            live = {one: _active(one) for one in groups if one.request.state == "active"}
            lost = {name for person, name in self.snatched if person == who}
            certain = {one: names - lost for one, names in live.items()}
            possible = {one: self._named(one) for one in groups if one.ended_at is None}
            over = [one for one in groups if one.ended_at is not None]
            self.target.check(self.people[who], Must(certain, possible, over, self.standing[who]))
        open_orders = Order.objects.filter(state__in=OPEN_ORDERS, person__isnull=False).values("person")
        assert all(one["number"] == 1 for one in open_orders.annotate(number=Count("pk")))

    def exactly(self) -> None:
        """Hold when nothing is under way: the target has what is live and what was standing, and nothing else."""
        vanished = DriftFinding.objects.filter(kind=FindingKind.VANISHED, state=FindingState.OPEN)
        missing = {(one.unit.group_id, self._name(one.unit)) for one in vanished.select_related("unit") if one.unit}
        for who in (0, 1):
            groups = self._groups(who)
            assert all((one.ended_at is None) == (one.request.state == "active") for one in groups)
            live = {
                one: {name for name in _active(one) if (one.pk, name) not in missing}
                for one in groups
                if one.ended_at is None
            }
            ours = {one.pk for one in groups}
            gone = {(who, name) for group, name in missing if group in ours}
            assert gone <= self.snatched
            self.snatched = {one for one in self.snatched if one[0] != who or one in gone}
            over = [one for one in groups if one.ended_at is not None]
            self.target.check(self.people[who], Must(live, live, over, self.standing[who]))

    def _groups(self, who: int) -> list[AccessGroup]:
        rows = AccessGroup.objects.filter(request__grantee=self.people[who], dispatched_at__isnull=False)
        return list(rows.select_related("request").prefetch_related("units__resource"))

    def _named(self, group: AccessGroup) -> set[str]:
        return {self._name(unit) for unit in group.units.all()} - {self.target.names[2]}

    def _name(self, unit: AccessUnit) -> str:
        assert unit.resource is not None
        return unit.resource.name

    def _book(self) -> None:
        """Hold the states of requests against the model's own book: nothing ends too early, or without a reason."""
        for row in AccessRequest.objects.all():
            mine = self.asked[row.pk]
            if row.activated_at is None:
                allowed = mine.over or mine.names == self.target.names[2:] or self._given_up(row)
                assert allowed or row.state in {"pending", "approved", "granting"}, (row.state, mine)
                continue
            ends_at = row.activated_at + timedelta(seconds=mine.seconds)
            assert mine.over or row.ends_at == ends_at
            if not mine.over:
                assert (row.state == "active") == (self.told.now < ends_at), (row.state, mine)

    def _given_up(self, row: AccessRequest) -> bool:
        """Whether it was tried for long enough."""
        since = row.access_groups.get().dispatched_at
        return since is not None and self.told.now >= since + PATIENCE


def _active(group: AccessGroup) -> set[str]:
    """Return the names that are held by a grant, by our own rows."""
    return {unit.resource.name for unit in group.units.all() if unit.state == "active" and unit.resource}


@contextmanager
def watched(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Ask the world at every statement to the target; and wait for no more than is said."""
    real: Callable[[Any], None] = _Execution.alive

    def alive(execution: _Execution) -> None:
        real(execution)
        world.statement(execution.order.verb)

    with monkeypatch.context() as patched:
        patched.setattr(_Execution, "alive", alive)
        yield world
