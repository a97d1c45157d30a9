"""Revoking everything, killed before any statement and after any commit: it goes on, proven, and nothing happens twice.

Every attempt dies a little later than the one before and leaves what it had committed; where that was a step forward,
the next begins to die from its first statement on again. The commits are real ones.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from access_requests import actions
from access_requests.choices import RevocationKind
from access_requests.models import AccessGroup, AccessRequest, Proof, Revocation, Transition
from access_requests.queries.emergencies import progress_of
from audit.models import AuditEntry
from integrations import actions as integration_actions
from integrations.models import Order
from tests.cast import Cast, person
from tests.story import Story, begin, flow, put_into, simulated_provider

STATES = ("active", "active", "active", "revoking", "pending", "approved")


class Killed(BaseException):
    """What kill -9 is to a process: nothing of it runs on, and what was not committed is undone."""


@contextmanager
def killed_at(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Die before the statement with this number, or right after the commit that has it: both are counted, from 0."""
    reached: list[str] = []
    here = connections["default"]
    hooks = here.run_and_clear_commit_hooks

    def count(what: str) -> None:
        reached.append(what)
        if len(reached) > number:
            raise Killed

    def statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        count(sql)
        return execute(sql, params, many, context)

    def committed() -> None:
        count("COMMIT")
        hooks()

    with monkeypatch.context() as patched, here.execute_wrapper(statement):
        patched.setattr(here, "run_and_clear_commit_hooks", committed)
        yield


def survives(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch, stride: Callable[[], int]) -> int:
    """Kill an act later and later until it comes through; return how often it was killed."""
    number, kills, before = 0, 0, come_to()
    while True:
        try:
            with killed_at(number, monkeypatch):
                act()
        except Killed:
            kills, number = kills + 1, number + stride()
            here = connections["default"]
            assert not here.in_atomic_block
            here.run_on_commit = []
            now = come_to()
            number, before = (stride() - 1 if now != before else number), now
        else:
            return kills


def come_to() -> tuple[Any, ...]:
    """Return how far everything has come; nothing of it goes back."""
    orders = Order.objects.filter(person__isnull=False)
    states = Counter(AccessRequest.objects.values_list("state", flat=True))
    done = orders.filter(state="done").count(), orders.filter(absorbed_at__isnull=False).count()
    finished = Revocation.objects.filter(finished_at__isnull=False).count()
    return Revocation.objects.count(), states, done, Proof.objects.count(), finished


@pytest.fixture
def story(fresh_database: str, cast: Cast) -> Iterator[Story]:
    """Rita and two more hold access; one end is under way, one request waits for a yes, one for the thaw."""
    with simulated_provider():
        told = begin(cast)
        flow(told.integration)
        others = [person("Finn"), person("Gwen")]
        put_into("engineers", *others)
        for user in (cast.requester, *others):
            told.granted("orders_prod", user=user)
        leaving = told.granted("orders_dev")
        actions.hand_back(leaving, user=cast.requester, actor=told.by(cast.requester), at=told.now)
        told.ask("orders_dev", user=others[0])
        actions.freeze(None, actor=told.by(cast.admin), reason="a drill", at=told.now)
        told.approve(told.ask("orders_dev", user=others[1]))
        assert sorted(AccessRequest.objects.values_list("state", flat=True)) == sorted(STATES)
        yield told


def press(story: Story) -> Revocation:
    """Press the button for everything; pressed again it is the same one."""
    admin = story.cast.admin
    kind = RevocationKind.EVERYWHERE
    return actions.revoke_all(kind, None, actor=story.by(admin), reason="A key was lost.", at=story.now)


def carry_on(story: Story) -> None:
    """Do what the timetable does after a death: leases of the dead run out, sweeps, orders, news."""
    story.now += timedelta(seconds=61)
    integration_actions.expire_leases(at=story.now)
    for _ in range(4):
        actions.sweep(at=story.now)
        integration_actions.run_until_idle(seconds=10, at=lambda: story.now)
        for order in Order.objects.filter(state="done", absorbed_at__isnull=True, person__isnull=False):
            actions.absorb(order)


def all_is_well(story: Story) -> None:
    """Everything ended once, proven, and told once; the target is empty; the chain is whole."""
    (made,) = Revocation.objects.all()
    assert made.finished_at is not None
    told = progress_of(made)
    assert (told.proven, told.lapsed, told.ending, told.left, told.declared) == (4, 2, 0, 0, 0)
    assert set(AccessRequest.objects.values_list("revocation", flat=True)) == {made.pk}
    assert sorted(AccessRequest.objects.values_list("state", flat=True)) == ["lapsed"] * 2 + ["revoked"] * 4
    groups = sorted(AccessGroup.objects.filter(dispatched_at__isnull=False).values_list("pk", flat=True))
    assert sorted(Proof.objects.values_list("group", flat=True)) == groups
    assert all(not any(units.values()) for units in story.target.holds.values())
    moves = Counter(Transition.objects.values_list("request", "to_state"))
    assert set(moves.values()) == {1}, "a request made the same move twice"
    entries = Counter(AuditEntry.objects.filter(action__startswith="revocation.").values_list("action", flat=True))
    assert entries == {"revocation.begun": 1, "revocation.finished": 1}
    assert not Order.objects.filter(state__in=["queued", "leased"], person__isnull=False).exists()
    call_command("audit", "verify")


def kill(story: Story, monkeypatch: pytest.MonkeyPatch, stride: Callable[[], int]) -> int:
    """Kill the press of the button, then what follows from it, each until it comes through."""
    kills = survives(lambda: press(story), monkeypatch, stride)
    kills += survives(lambda: carry_on(story), monkeypatch, stride)
    carry_on(story)
    all_is_well(story)
    assert press(story) != Revocation.objects.earliest("began_at"), "what is finished is not begun anew"
    return kills


def test_revoking_everything_goes_on_wherever_it_is_killed(
    story: Story, monkeypatch: pytest.MonkeyPatch, rng: random.Random
) -> None:
    assert kill(story, monkeypatch, lambda: rng.randint(8, 40)) > 12


@pytest.mark.full
def test_revoking_everything_is_killed_at_every_statement(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kill(story, monkeypatch, lambda: 1) > 400
