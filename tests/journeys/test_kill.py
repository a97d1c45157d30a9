"""SIGKILL of the whole stack at random moments in the life of real grants."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from access_requests import actions
from access_requests.choices import FINAL, HOLDS_ACCESS
from access_requests.models import AccessGroup, AccessRequest, Change, Proof, Transition
from accounts.choices import LetterKind, LetterState
from accounts.models import Letter
from integrations.models import Order
from tests.cast import Cast, person
from tests.journeys.real import connect, logins, memberships
from tests.journeys.stack import Stack, wait_for
from tests.story import Story, put_into
from tests.targets import PostgresServer

PEOPLE = 3
# A sweep comes every two seconds; a lease of a killed holder lasts six; a restart takes some.
SLACK_SECONDS = 20


@pytest.fixture
def stack(fresh_database: str, tmp_path: Path) -> Iterator[Stack]:
    """The stack, on the test's database."""
    running = Stack(tmp_path)
    running.move_in()
    yield running
    running.stop()


def some_life(story: Story, people: list, rng: random.Random) -> None:
    """Ask for something short, have it approved, perhaps hand something back."""
    user = rng.choice(people)
    request = story.ask(rng.choice(["shop", "stock"]), user=user, duration_seconds=rng.randint(2, 8))
    approver = story.cast.approver
    actions.approve(request, approver=approver, actor=story.by(approver))
    held = AccessRequest.objects.filter(state="active", grantee=user).first()
    if held is not None and rng.random() < 0.3:
        with suppress(actions.NotPossible):
            actions.hand_back(held, user=user, actor=story.by(user))


def nothing_is_forgotten() -> None:
    """No access past its end without an order at work on it, or a sweep that is due to make one."""
    for row in AccessRequest.objects.filter(state__in=HOLDS_ACCESS):
        over = row.ends_at is not None and (timezone.now() - row.ends_at).total_seconds() > SLACK_SECONDS
        if not over:
            continue
        assert row.state == "revoking", f"{row} should have ended at {row.ends_at}"
        groups = list(row.access_groups.filter(ended_at__isnull=True))
        at_work = Order.objects.filter(person=row.grantee, state__in=["queued", "leased"]).exists()
        assert at_work or not groups, f"nobody works on the end of {row}"


def everything_is_well(server: PostgresServer, asked: int) -> None:
    """No access left, none lost, none doubled, every end proven, the chain whole."""
    assert AccessRequest.objects.count() == asked
    assert set(AccessRequest.objects.values_list("state", flat=True)) == {"revoked"}
    assert not [name for name, may in logins(server).items() if may]
    assert memberships(server) == set()
    groups = AccessGroup.objects.exclude(dispatched_at=None)
    assert groups.count() == asked
    assert set(logins(server)) <= set(groups.values_list("login", flat=True))
    assert Proof.objects.count() == asked
    moves = Counter(Transition.objects.values_list("request_id", "to_state"))
    assert set(moves.values()) == {1}, "a request made the same move twice"
    assert not Order.objects.filter(state__in=["queued", "leased"], person__isnull=False).exists()
    call_command("audit", "verify")


def live_and_die(stack: Stack, cast: Cast, server: PostgresServer, rng: random.Random, kills: int) -> None:
    """Kill the stack `kills` times in the middle of things, then look whether everything came to its end."""
    story = connect(cast, server, "shop", "stock")
    people = [cast.requester, *(person(f"Engineer{number}") for number in range(1, PEOPLE))]
    put_into("engineers", *people[1:])
    stack.start()
    stack.wait_until_ready()
    wait_for("the first sync", lambda: story.integration.resources.filter(name="stock").exists())
    asked = 0
    for _ in range(kills):
        for _ in range(rng.randint(1, 3)):
            some_life(story, people, rng)
            asked += 1
        time.sleep(rng.uniform(0.0, 3.0))
        stack.kill()
        stack.start()
        if rng.random() < 0.8:
            stack.wait_until_ready()
        nothing_is_forgotten()
    stack.wait_until_ready()
    wait_for("all requests at their end", lambda: not AccessRequest.objects.exclude(state__in=FINAL).exists())
    everything_is_well(server, asked)
    wait_for("all news told", lambda: not Change.objects.filter(delivered_at=None).exists())
    wait_for("all letters gone", lambda: not Letter.objects.filter(state=LetterState.QUEUED).exists())
    every_end_is_told_once(stack.folder / "mail", asked)


def every_end_is_told_once(folder: Path, asked: int) -> None:
    """One letter for each end. One that was just leaving at a kill has left, or leaves when its lease is over."""
    assert Letter.objects.filter(kind=LetterKind.ENDED).count() == asked
    assert not Letter.objects.filter(state=LetterState.FAILED).exists()
    files = {file.stem for file in folder.glob("*.eml")}
    sent = {one.message_id.partition("@")[0] for one in Letter.objects.filter(state=LetterState.SENT)}
    leaving = {one.message_id.partition("@")[0] for one in Letter.objects.filter(state=LetterState.SENDING)}
    assert sent <= files <= sent | leaving


def test_ten_kills_lose_nothing(stack: Stack, cast: Cast, fresh_server: PostgresServer, rng: random.Random) -> None:
    live_and_die(stack, cast, fresh_server, rng, kills=10)


@pytest.mark.full
def test_fifty_kills_lose_nothing(stack: Stack, cast: Cast, fresh_server: PostgresServer, rng: random.Random) -> None:
    live_and_die(stack, cast, fresh_server, rng, kills=50)
