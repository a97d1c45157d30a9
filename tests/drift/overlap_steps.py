"""What can happen in the model of overlap (tests.drift.overlap), and stories made of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from access_requests import actions
from access_requests.actions import NotPossible
from access_requests.actions.grants import look_at
from access_requests.actions.rules import lock_person
from access_requests.actions.sweeps import due_ends
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, Proof
from connectors.contract.orders import ReadBack, Report
from integrations import actions as integration_actions
from integrations.actions import running
from integrations.choices import OPEN_ORDERS
from integrations.models import Order
from tests.drift.overlap import Asked, Killed, World
from tests.story import Story

LEASE = timedelta(seconds=61)
MORE_SECONDS = 600
UNDER_WAY = ("revoking", "granting", "approved")
# What a story costs to shrink is no matter: a failure is rare. `database`: none, a run is repeated by its seed.
COMMON: dict[str, Any] = {
    "deadline": None,
    "phases": [Phase.generate, Phase.shrink],
    "suppress_health_check": list(HealthCheck),
    "database": None,
}


def steps(names: tuple[str, str, str], statements: int, chapters: int) -> st.SearchStrategy[list[Any]]:
    """Return stories of so many chapters for a target at which an order has about so many statements.

    A chapter is what is known to be hard; anything may come between its steps. Mostly one person and one thing: what
    can go wrong goes wrong where much happens to the same.
    """
    minutes, number = st.sampled_from([1, 1, 7, 31, 65]), st.integers(0, statements)
    people, one = st.sampled_from([0, 0, 0, 1]), st.sampled_from([names[0], names[0], names[1]])
    some = st.sampled_from([names[:1], names[:1], names[:2], names[1:], names[2:], names])
    ask = st.tuples(st.just("ask"), people, some, minutes, st.sampled_from([False, False, True]))
    more = st.tuples(st.sampled_from(["hand_back", "revoke", "extend"]), people)
    hands = st.tuples(st.sampled_from(["put", "take", "snatch", "slip"]), people, one)
    later = st.tuples(st.just("later"), minutes)
    breaks = st.tuples(st.just("breaks"), number, st.sampled_from(["killed", "killed", "broken", "down"]))
    alone = st.tuples(st.sampled_from(["lost", "wakes", "unheard", "twice", "rest"]))
    any_ = st.one_of(ask, more, more, hands, later, breaks, alone, st.tuples(st.just("cancel"), people))
    chapter = st.one_of(
        st.tuples(breaks, ask, st.one_of(ask, more), any_, st.just(("wakes",)), any_),
        st.tuples(ask, breaks, more, st.one_of(ask, more), st.just(("wakes",)), any_),
        st.tuples(st.just(("put", 0, names[0])), ask, hands, ask, more, more, hands),
        st.tuples(ask, ask, hands, more, later, st.just(("rest",))),
        st.tuples(ask, st.tuples(st.just("extend"), people), any_, later, later),
        st.tuples(ask, more, st.just(("unheard",)), any_, more, st.just(("twice",))),
        st.tuples(number.map(lambda n: ("breaks", n, "down")), ask, later, later),
        st.tuples(any_, any_, any_),
    )
    told = st.lists(chapter, min_size=chapters, max_size=chapters)
    return told.map(lambda parts: [step for part in parts for step in part])


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
        """Have ends fail without a word."""
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
        for _ in range(5):
            Order.objects.filter(state="queued").update(next_try_at=self.told.now)
            world.work()
            if not (AccessRequest.objects.filter(state__in=UNDER_WAY).exists() or _open_orders() or self._due()):
                break
        if world.snatched:
            self._look()
        world.exactly()
        _all_is_over()

    def _due(self) -> bool:
        """Whether something ended before its report was taken in, which is after the sweep that ends what is due."""
        return due_ends(self.told.now).exists()

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
    assert not AccessRequest.objects.filter(state__in=UNDER_WAY).exists()
    assert not _open_orders()


def _open_orders() -> bool:
    return Order.objects.filter(state__in=OPEN_ORDERS, person__isnull=False).exists()


def play(world: World, story: list[Any]) -> None:
    """Play a story in a transaction that is rolled back; the next begins where this one did."""
    now: datetime = world.told.now
    if world.own_clock:
        world.told.now = timezone.now()
    fresh = World(world.told, world.target, world.people)
    for name in ("asked", "standing", "snatched", "breaks", "down", "asleep", "unheard_of"):
        setattr(world, name, getattr(fresh, name))
    world.target.clear()
    try:
        with transaction.atomic():
            for name, *what in [*story, ("rest",)]:
                getattr(Steps(world), name)(*what)
                world.always()
            transaction.set_rollback(True)
    finally:
        world.told.now = now
