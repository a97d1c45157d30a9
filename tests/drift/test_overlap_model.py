"""Whatever happens in whatever order: a person holds exactly what live grants give, and what was there before.

The target keeps memberships of accounts that people have anyway, where overlap and standing access matter most. The
model is two sets: the units of grants that live, by our own rows, and what was put there by hand. Steps break off in
the middle of giving and taking, connectors die with an order, reports come twice, time jumps.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from access_requests import actions
from access_requests.actions import NotPossible
from access_requests.choices import OPEN
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, Proof
from accounts.models import User
from connectors.contract.orders import Unit
from flows.models import AccessFlow
from integrations import actions as integration_actions
from integrations.choices import OPEN_ORDERS
from integrations.models import Order
from tests.cast import person
from tests.drift.looking import Looking, member
from tests.story import allow_extensions, put_into

GROUPS = ("admins", "readers")
PEOPLE, MINUTES = st.integers(0, 1), st.sampled_from([1, 7, 31, 65, 300])
STEP = st.one_of(
    # Twice, so that there is mostly something to end.
    st.tuples(st.just("ask"), PEOPLE, st.sets(st.sampled_from(GROUPS), min_size=1).map(sorted), MINUTES),
    st.tuples(st.just("ask"), PEOPLE, st.sets(st.sampled_from(GROUPS), min_size=1).map(sorted), MINUTES),
    st.tuples(st.sampled_from(["hand_back", "revoke", "extend", "cancel"]), PEOPLE),
    st.tuples(st.sampled_from(["put", "take"]), PEOPLE, st.sampled_from(GROUPS)),
    st.tuples(st.just("later"), MINUTES),
    st.tuples(st.just("dies"), st.sampled_from(["before", "between", "after"])),
    st.tuples(st.sampled_from(["lost", "twice", "rest"])),
)


@dataclass
class World:
    """The story, and what the model says was there before us."""

    told: Looking
    people: tuple[User, User]
    standing: dict[int, set[Unit]] = field(default_factory=lambda: {0: set(), 1: set()})

    def members(self, who: int) -> set[Unit]:
        """Return what the target says."""
        return self.told.accounts.members[str(self.people[who].pk)]

    def requests(self, who: int, *states: str) -> list[AccessRequest]:
        """Return a person's requests in these states, oldest first."""
        return list(AccessRequest.objects.filter(grantee=self.people[who], state__in=states).order_by("pk"))

    def named(self, who: int) -> set[str]:
        """Return the groups that any open request of the person names."""
        units = AccessUnit.objects.filter(group__request__grantee=self.people[who], group__request__state__in=OPEN)
        return set(units.values_list("resource_source_id", flat=True))

    def live(self, who: int) -> set[Unit]:
        """Return the units of live grants, by our rows."""
        units = AccessUnit.objects.filter(
            group__request__grantee=self.people[who], group__request__state="active", state="active"
        )
        return {member(name) for name in units.values_list("resource_source_id", flat=True)}

    def step(self, name: str, *what: Any) -> None:
        """Take one step."""
        getattr(self, name)(*what)
        self.always()

    def always(self) -> None:
        """Hold at any moment: what was there before is there, and at most one order is open for a person."""
        for who in (0, 1):
            assert self.standing[who] <= self.members(who)
        open_orders = Order.objects.filter(state__in=OPEN_ORDERS, person__isnull=False).values("person")
        assert all(one["number"] == 1 for one in open_orders.annotate(number=Count("pk")))

    def ask(self, who: int, names: list[str], minutes: int) -> None:
        """Ask, have it approved, and try it."""
        told = self.told
        request = told.ask(*names, user=self.people[who], duration_seconds=min(minutes, 60) * 60)
        told.approve(request)
        told.work()

    def hand_back(self, who: int) -> None:
        """Hand the oldest open access back."""
        for one in self.requests(who, "active")[:1]:
            actions.hand_back(one, user=self.people[who], actor=self.told.by(self.people[who]), at=self.told.now)
            self.told.work()

    def revoke(self, who: int) -> None:
        """Have the latest access revoked, also while it is still being opened."""
        admin = self.told.cast.admin
        for one in self.requests(who, "active", "granting")[-1:]:
            actions.revoke(one, user=admin, actor=self.told.by(admin), reason="no", at=self.told.now)

    def extend(self, who: int) -> None:
        """Ask for more time, and get it."""
        for one in self.requests(who, "active")[:1]:
            user, approver = self.people[who], self.told.cast.approver
            try:
                more = actions.extend(
                    one, user=user, actor=self.told.by(user), seconds=600, justification="more", at=self.told.now
                )
                actions.approve_extension(more, approver=approver, actor=self.told.by(approver), at=self.told.now)
            except NotPossible:
                return

    def cancel(self, who: int) -> None:
        """Ask, and think better of it."""
        request = self.told.ask("readers", user=self.people[who])
        actions.cancel(request, user=self.people[who], actor=self.told.by(self.people[who]), at=self.told.now)

    def put(self, who: int, name: str) -> None:
        """Put somebody into a group by hand, where no open request names it."""
        if name not in self.named(who):
            self.members(who).add(member(name))
            self.standing[who].add(member(name))

    def take(self, who: int, name: str) -> None:
        """Take somebody out by hand, of what was standing and no open request names."""
        if name not in self.named(who):
            self.members(who).discard(member(name))
            self.standing[who].discard(member(name))

    def later(self, minutes: int) -> None:
        """Let time pass."""
        self.told.later(minutes=minutes)

    def dies(self, where: str) -> None:
        """Have the next apply break off."""
        self.told.accounts.dies.append(where)

    def lost(self) -> None:
        """Have a connector lease what is due and never come back."""
        from integrations.actions.running import embedded_connector, instance_of

        actions.sweep(at=self.told.now)
        integration_actions.lease(instance_of(embedded_connector()), at=self.told.now)

    def twice(self) -> None:
        """Have the latest report come once more: it changes nothing."""
        from connectors.contract.orders import Report
        from integrations.actions.running import embedded_connector, instance_of

        last = Order.objects.filter(state="done", person__isnull=False).order_by("-settled_at").first()
        if last is not None:
            again = Report(str(last.pk), last.epoch)
            assert not integration_actions.settle(again, instance=instance_of(embedded_connector()), at=self.told.now)

    def rest(self) -> None:
        """Come to rest with everything in order: now the target holds exactly what the model says."""
        told = self.told
        told.accounts.dies.clear()
        told.now += timedelta(seconds=61)
        integration_actions.expire_leases(at=told.now)
        for _ in range(3):
            Order.objects.filter(state="queued").update(next_try_at=told.now)
            told.work()
        for who in (0, 1):
            assert self.members(who) == self.live(who) | self.standing[who], who
        groups = AccessGroup.objects.filter(dispatched_at__isnull=False)
        ended = set(groups.filter(ended_at__isnull=False).values_list("pk", flat=True))
        assert set(Proof.objects.values_list("group", flat=True)) == ended
        assert not groups.filter(ended_at__isnull=False, request__state__in=["active", "granting"]).exists()
        assert not AccessRequest.objects.filter(state__in=["revoking", "granting", "approved"]).exists()


@pytest.fixture
def world(accounts: Looking) -> World:
    """Two engineers and a directory with two groups."""
    put_into("engineers", second := person("Finn"))
    allow_extensions(AccessFlow.objects.get(), 5, 600)
    return World(accounts, (accounts.cast.requester, second))


def play(world: World, steps: list[Any]) -> None:
    """Play a story in a transaction that is rolled back; the next begins where this one did."""
    told = world.told
    now, world.standing = told.now, {0: set(), 1: set()}
    told.accounts.members.clear()
    told.accounts.dies.clear()
    try:
        with transaction.atomic():
            for step in steps:
                world.step(*step)
            world.rest()
            transaction.set_rollback(True)
    finally:
        told.now = now


COMMON = {
    "deadline": None,
    "phases": [Phase.generate, Phase.shrink],
    "suppress_health_check": list(HealthCheck),
    "database": None,
}


def test_the_target_holds_what_lives_and_what_was_standing(world: World) -> None:
    @seed(int(os.environ["LATCHKEY_TEST_SEED"]))
    @settings(max_examples=20, **COMMON)
    @given(steps=st.lists(STEP, min_size=6, max_size=25))
    def stories(steps: list[Any]) -> None:
        play(world, steps)

    stories()


@pytest.mark.full
def test_many_longer_stories(world: World) -> None:
    @seed(int(os.environ["LATCHKEY_TEST_SEED"]))
    @settings(max_examples=300, **COMMON)
    @given(steps=st.lists(STEP, min_size=10, max_size=60))
    def stories(steps: list[Any]) -> None:
        play(world, steps)

    stories()
