"""Two instances of one connector: whatever happens to one, the other finishes, and nothing is done twice after it."""

from __future__ import annotations

import random
import signal
import time

import pytest
from django.utils import timezone

from access_requests.models import Proof
from integrations.models import Order
from tests.journeys.stack import LEASE_SECONDS, wait_for
from tests.remote.world import RemoteStory, WorkerProcess, World, alive, holds


@pytest.fixture
def pair(world: World) -> tuple[RemoteStory, dict[str, WorkerProcess]]:
    """A story with two instances, by the place they tell."""
    connector, token = world.connector()
    workers = [world.worker(token) for _ in range(2)]
    story = world.story(connector).synced()
    assert alive(connector) == 2
    return story, {str(worker.process.pid): worker for worker in workers}


def holder(story: RemoteStory, workers: dict[str, WorkerProcess]) -> WorkerProcess:
    """Return who holds the lease on the order to give; a look at what is held may be leased beside it."""
    held = Order.objects.filter(integration=story.integration, verb="apply", state="leased")
    wait_for("a lease", held.exists)
    instance = held.get().leased_by
    assert instance is not None
    return workers[instance.surroundings["process"]]


def applies(story: RemoteStory) -> list[tuple[float, int]]:
    """Return when each statement of an order about a person was run, and under which epoch."""
    return [(at, epoch) for at, _, epoch, verb, _ in story.ledger.journal() if verb == "apply"]


def another_finishes(pair, how: str) -> None:
    """Lose the instance that holds an order, and see the other do it."""
    story, workers = pair
    story.ledger.shut()
    request = story.give("orders")
    lost = holder(story, workers)
    lost.kill() if how == "kill" else lost.send(signal.SIGSTOP)
    story.ledger.open()
    begun = time.monotonic()
    story.until(request, "active", 40)
    assert time.monotonic() - begun < LEASE_SECONDS + 10
    lost.send(signal.SIGCONT)
    holds(lambda: True, 1)
    # The one that was paused did nothing when it woke.
    assert {epoch for _, epoch in applies(story)} == {2}
    assert len(story.ledger.held()) == 1


def test_another_instance_finishes_what_a_lost_one_began(pair, rng) -> None:
    another_finishes(pair, rng.choice(["kill", "pause"]))


@pytest.mark.full
@pytest.mark.parametrize("how", ["kill", "pause"])
def test_another_instance_finishes_however_the_first_is_lost(pair, how: str) -> None:
    another_finishes(pair, how)


@pytest.mark.full
def test_a_partition_hands_the_order_to_the_other_side(world: World) -> None:
    connector, token = world.connector()
    line = world.line()
    away, here = world.worker(token, line.url), world.worker(token)
    workers = {str(one.process.pid): one for one in (away, here)}
    story = world.story(connector).synced()
    for _ in range(6):
        story.ledger.shut()
        request = story.give("orders")
        if holder(story, workers) is away:
            break
        story.ledger.open()
        story.until(request, "active")
    line.swallow = True
    holds(lambda: True, LEASE_SECONDS + 1)
    story.ledger.open()
    story.until(request, "active", 40)
    epochs = {
        epoch
        for _, order, epoch, verb, _ in story.ledger.journal()
        if verb == "apply"
        and order == str(Order.objects.filter(integration=story.integration, verb="apply").latest("created_at").pk)
    }
    assert epochs == {2}


def wakes_after_the_revoke(story: RemoteStory, workers: dict[str, WorkerProcess], rng: random.Random) -> None:
    """Pause the holder of a grant in the middle, end the grant, have the other prove it; then let the first wake."""
    story.ledger.pace(rng.choice([0.1, 0.2]))
    request = story.give("orders")
    paused = holder(story, workers)
    time.sleep(rng.uniform(0, 0.6))
    paused.send(signal.SIGSTOP)
    story.now = timezone.now()
    story.hand_back(request) if story.fresh(request).state == "active" else _revoke(story, request)
    story.until(request, "revoked", 60)
    proof = Proof.objects.filter(group__request=request).first()
    before = len(story.ledger.journal())
    paused.send(signal.SIGCONT)
    time.sleep(rng.uniform(0.3, 1.0))
    since = [row for row in story.ledger.journal()[before:] if row[3] == "apply"]
    assert story.ledger.held() == [], "access came back after its end was proven"
    assert proof is None or since == [], "a statement ran after the end was proven"
    story.ledger.pace(0)


def _revoke(story: RemoteStory, request) -> None:
    """End a request that is not active yet, as an admin does."""
    from access_requests import actions

    admin = story.cast.admin
    actions.revoke(story.fresh(request), user=admin, actor=story.by(admin), reason="It is over.")


def test_one_that_wakes_after_a_revoke_does_nothing(pair, rng) -> None:
    story, workers = pair
    wakes_after_the_revoke(story, workers, rng)


@pytest.mark.full
def test_one_that_wakes_after_a_revoke_does_nothing_many_times(pair, rng) -> None:
    story, workers = pair
    for _ in range(30):
        wakes_after_the_revoke(story, workers, rng)
