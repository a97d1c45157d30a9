"""The model of overlap and standing access: a person holds exactly what live grants give, and what was there before.

A story is a row of steps in any order: grants, ends, extensions, hands from outside, connectors that die, hang or come
back too late, reports that are lost or told twice, time that jumps. The model keeps its own book of what was asked for
and until when, and what was put there by hand; the target is asked by a reader of the test's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from django.db import transaction
from django.db.models import Count
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from access_requests import actions
from access_requests.actions import NotPossible
from access_requests.actions.grants import look_at
from access_requests.actions.rules import lock_person
from access_requests.choices import OPEN
from access_requests.drift import FindingKind, FindingState
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, DriftFinding, Proof
from accounts.models import User
from connectors.contract.errors import Unreachable
from connectors.contract.orders import ReadBack, Report, Verb
from connectors.runners.local import _Execution
from integrations import actions as integration_actions
from integrations.actions import running
from integrations.choices import OPEN_ORDERS
from integrations.models import Order
from tests.story import Story

LEASE = timedelta(seconds=61)
PATIENCE = timedelta(minutes=10)
MORE_SECONDS = 600
# What a story costs to shrink is no matter: a failure is rare. `database`: none, a run is repeated by its seed.
COMMON: dict[str, Any] = {
    "deadline": None,
    "phases": [Phase.generate, Phase.shrink],
    "suppress_health_check": list(HealthCheck),
    "database": None,
}


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
        """Give by hand what no grant gives on what a grant uses, if grants have something of their own."""

    def unslip(self) -> None:
        """Take that back by hand."""

    def check(self, who: User, must: Must) -> None:
        """Fail unless the target holds what it must."""


def steps(names: tuple[str, str, str], statements: int, least: int, most: int) -> st.SearchStrategy[list[Any]]:
    """Return stories for a target at which an order has about so many statements."""
    people, minutes = st.integers(0, 1), st.sampled_from([1, 1, 7, 31, 65])
    some = st.sampled_from([names[:1], names[1:2], names[:2], names[:2], names[1:], names[2:], names])
    number = st.integers(0, statements)
    ask = st.tuples(st.just("ask"), people, some, minutes, st.sampled_from([False, False, True]))
    one = st.sampled_from(names[:2])
    step = st.one_of(
        # More often, so that there is mostly something to end.
        ask,
        ask,
        ask,
        st.tuples(st.sampled_from(["hand_back", "revoke", "extend", "cancel"]), people),
        st.tuples(st.sampled_from(["put", "take", "put", "snatch", "slip"]), people, one),
        st.tuples(st.just("later"), minutes),
        st.tuples(st.just("breaks"), number, st.sampled_from(["killed", "broken", "down"])),
        st.tuples(st.sampled_from(["lost", "wakes", "wakes", "unheard", "twice", "rest"])),
    )
    return st.lists(step, min_size=least, max_size=most)


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

    def step(self, name: str, *what: Any) -> None:
        """Take one step."""
        getattr(Steps(self), name)(*what)
        self.always()

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
            assert {(who, name) for group, name in missing if group in ours} <= self.snatched
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


@dataclass
class Steps:
    """What can happen."""

    world: World

    @property
    def told(self) -> Story:
        """The story."""
        return self.world.told

    def ask(self, who: int, names: tuple[str, ...], minutes: int, less: bool) -> None:
        """Ask, have it approved, perhaps for less, and try it."""
        told, user, approver = self.told, self.world.people[who], self.told.cast.approver
        seconds = min(minutes, 60) * 60
        request = told.ask(*names, user=user, permission=self.world.target.permission, duration_seconds=seconds)
        if less:
            names, seconds = names[:1], seconds // 2
            kept = AccessUnit.objects.filter(group__request=request, resource__name__in=names)
            keep = list(kept.values_list("pk", flat=True))
            by, at = told.by(approver), told.now
            actions.approve_less(request, approver=approver, actor=by, keep=keep, duration_seconds=seconds, at=at)
        else:
            told.approve(request)
        self.world.asked[request.pk] = Asked(who, names, seconds)
        self.world.work()

    def hand_back(self, who: int) -> None:
        """Hand the oldest open access back."""
        user = self.world.people[who]
        for one in self.world.requests(who, "active")[:1]:
            self.world.asked[one.pk].over = True
            actions.hand_back(one, user=user, actor=self.told.by(user), at=self.told.now)
            self.world.work()

    def revoke(self, who: int) -> None:
        """Have the latest access revoked, also while it is still being opened."""
        admin = self.told.cast.admin
        for one in self.world.requests(who, "active", "granting")[-1:]:
            self.world.asked[one.pk].over = True
            actions.revoke(one, user=admin, actor=self.told.by(admin), reason="no", at=self.told.now)

    def extend(self, who: int) -> None:
        """Ask for more time, and get it."""
        user, approver, at = self.world.people[who], self.told.cast.approver, self.told.now
        for one in self.world.requests(who, "active")[:1]:
            with suppress(NotPossible):
                by = self.told.by(user)
                more = actions.extend(one, user=user, actor=by, seconds=MORE_SECONDS, justification="more", at=at)
                actions.approve_extension(more, approver=approver, actor=self.told.by(approver), at=at)
                self.world.asked[one.pk].seconds += MORE_SECONDS

    def cancel(self, who: int) -> None:
        """Ask, and think better of it."""
        user, permission = self.world.people[who], self.world.target.permission
        request = self.told.ask(self.world.target.names[1], user=user, permission=permission, duration_seconds=60)
        self.world.asked[request.pk] = Asked(who, self.world.target.names[1:2], 60, over=True)
        actions.cancel(request, user=user, actor=self.told.by(user), at=self.told.now)

    def put(self, who: int, name: str) -> None:
        """Give by hand, also what an open request names."""
        if self.world.target.is_standing(self.world.people[who], name):
            self.world.standing[who].add(name)
        self.world.target.put(self.world.people[who], name)

    def take(self, who: int, name: str) -> None:
        """Take by hand what was standing, also what an open request names."""
        if name in self.world.standing[who]:
            self.world.standing[who].discard(name)
            self.world.target.take(self.world.people[who], name)
            self.world.snatched.add((who, name))

    def snatch(self, who: int, name: str) -> None:
        """Take by hand what grants gave."""
        if name not in self.world.standing[who]:
            self.world.target.snatch(self.world.people[who], name)
            self.world.snatched.add((who, name))

    def slip(self, who: int, name: str) -> None:
        """Give by hand, on what a grant uses, something that the grant does not give."""
        self.world.target.slip(self.world.people[who], name)

    def later(self, minutes: int) -> None:
        """Let time pass."""
        self.told.now += timedelta(minutes=minutes)
        integration_actions.expire_leases(at=self.told.now)
        self.world.work()

    def breaks(self, number: int, how: str) -> None:
        """Have an order break off after so many statements: its process dies, the line breaks, the target goes down."""
        self.world.breaks.append((number, how))

    def lost(self) -> None:
        """Have a connector lease what is due and fall asleep."""
        actions.sweep(at=self.told.now)
        order = integration_actions.lease(self.world.instance(), at=self.told.now)
        self.world.asleep += [order] if order is not None else []

    def wakes(self) -> None:
        """Have a holder wake up: under a lease that still runs it does its work, else it tells what is not true."""
        if not self.world.asleep:
            return
        mine, now = self.world.asleep.pop(), self.told.now
        row = Order.objects.get(pk=mine.pk)
        runs = row.epoch == mine.epoch and row.lease_until is not None and row.lease_until > now
        report = Report(str(mine.pk), mine.epoch, read_back=ReadBack(now.timestamp()))
        if runs:
            try:
                report = running._run(mine, lambda: now)
            except Killed:
                self.world.asleep.append(mine)
                return
        expected = runs and row.state == "leased"
        assert integration_actions.settle(report, instance=self.world.instance(), at=now) == expected
        assert Order.objects.get(pk=mine.pk).state == row.state or expected

    def unheard(self) -> None:
        """Do what is due, and die after the report is kept: nobody is told of it."""
        actions.sweep(at=self.told.now)
        self.world.run_orders()
        waiting = Order.objects.filter(state="done", absorbed_at__isnull=True, person__isnull=False)
        self.world.unheard_of |= set(waiting.values_list("pk", flat=True))

    def twice(self) -> None:
        """Have the latest report come once more, and be taken in once more: it changes nothing."""
        last = Order.objects.filter(state="done", person__isnull=False).order_by("-settled_at").first()
        if last is not None:
            again = Report(str(last.pk), last.epoch, read_back=ReadBack(self.told.now.timestamp()))
            assert not integration_actions.settle(again, instance=self.world.instance(), at=self.told.now)
            assert last.absorbed_at is None or not actions.absorb(last)

    def rest(self) -> None:
        """Come to rest with everything in order: now the target holds exactly what the model says."""
        world = self.world
        world.breaks.clear()
        world.down = False
        world.target.unslip()
        self.told.now += LEASE
        integration_actions.expire_leases(at=self.told.now)
        for _ in range(3):
            Order.objects.filter(state="queued").update(next_try_at=self.told.now)
            world.work()
        if world.snatched:
            self._look()
        world.exactly()
        world.snatched.clear()
        _all_is_over()

    def _look(self) -> None:
        """Look at both, twice where something is missing."""
        for user in self.world.people:
            with transaction.atomic():
                look_at(lock_person(user.pk), self.told.integration, at=self.told.now)
        self.world.work()


def _all_is_over() -> None:
    """Hold at rest: what ended is proven, once, and nothing hangs."""
    groups = AccessGroup.objects.filter(dispatched_at__isnull=False)
    ended = sorted(groups.filter(ended_at__isnull=False).values_list("pk", flat=True))
    assert sorted(Proof.objects.values_list("group", flat=True)) == ended
    assert not AccessRequest.objects.filter(state__in=["revoking", "granting", "approved"]).exists()
    assert not Order.objects.filter(state__in=OPEN_ORDERS, person__isnull=False).exists()


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


def play(world: World, story: list[Any]) -> None:
    """Play a story in a transaction that is rolled back; the next begins where this one did."""
    now: datetime = world.told.now
    fresh = World(world.told, world.target, world.people)
    for name in ("asked", "standing", "snatched", "breaks", "down", "asleep", "unheard_of"):
        setattr(world, name, getattr(fresh, name))
    world.target.clear()
    try:
        with transaction.atomic():
            for step in story:
                world.step(*step)
            world.step("rest")
            transaction.set_rollback(True)
    finally:
        world.told.now = now
