"""The main job through a real remote worker, for every provider on its real target; also with the worker killed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from access_requests.models import AccessGroup, AccessRequest
from connectors.vet.live import Live, load
from integrations.models import Connector, Integration, Order
from tests.journeys.main_job import MainJob
from tests.journeys.stack import wait_for
from tests.live import FILES, providers
from tests.remote.world import World

SAMPLE = 2
UNDER_WAY = ("approved", "granting", "revoking")
PATIENCE = 90.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take every provider in the full lane, in the fast one a few, by the seed: each of them starts a server."""
    if "target" in metafunc.fixturenames:
        chosen = providers(whole=metafunc.config.getoption("--full"), sample=SAMPLE)
        metafunc.parametrize("target", chosen, indirect=True, scope="module")


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest) -> Iterator[tuple[str, Live]]:
    """A provider with a real target of its own."""
    file = load(FILES[request.param])
    if reason := file.missing():
        pytest.skip(reason)
    with file.live() as live:
        yield request.param, live


def wait_at_rest(connector: Connector) -> None:
    """Let the server and its workers do what is due there; the time is the real one."""
    there = Order.objects.filter(integration__connector=connector)
    orders = there.filter(state__in=("queued", "leased"))
    reports = there.filter(state="done", person__isnull=False, absorbed_at=None)
    requests = AccessRequest.objects.filter(state__in=UNDER_WAY, access_groups__integration__connector=connector)
    unread = Integration.objects.filter(connector=connector, synced_at=None)
    wait_for("rest", lambda: not any(rows.exists() for rows in (requests, orders, reports, unread)), PATIENCE)


@pytest.fixture
def job(world: World, target: tuple[str, Live]) -> MainJob:
    """The main job through a connector of its own, with one worker."""
    connector, token = world.connector()
    world.worker(token)
    provider, live = target
    return MainJob(
        provider,
        live,
        world.cast,
        work=lambda at: wait_at_rest(connector),
        connector=connector,
        again=lambda: world.worker(token),
        real_time=True,
    )


def test_access_is_given_used_ended_and_proven_through_a_worker_twice(job: MainJob) -> None:
    before = job.live.snapshot()
    job.connect()
    for _ in range(2):
        request = job.ask()
        assert request.state == "active", request.note
        assert not request.warning, request.note
        shown = job.shown(request)
        assert job.reaches(shown) == set(job.live.units)
        request = job.hand_back(request)
        assert job.proven(request), request.state
        assert job.reaches(shown) == set()
        job.clean_up()
    assert job.live.snapshot() == before


def killed_meanwhile(job: MainJob, world: World, act: Callable[..., Any], *given: Any, after: float) -> AccessRequest:
    """Do something while the worker is killed, `after` so many seconds; another takes over."""
    (worker,) = world.workers
    timer = threading.Timer(after, worker.kill)
    timer.start()
    try:
        replacement = threading.Timer(after + 0.5, job.again)
        replacement.start()
        act(*given)
    finally:
        timer.join()
        replacement.join()
        world.workers.remove(worker)
    return AccessRequest.objects.latest("pk")


def test_a_worker_that_is_killed_on_the_way_is_replaced(job: MainJob, world: World, rng: random.Random) -> None:
    before = job.live.snapshot()
    job.connect()
    request = killed_meanwhile(job, world, job.ask, after=rng.uniform(0.05, 0.6))
    assert request.state == "active", request.note
    shown = job.shown(request)
    assert job.reaches(shown) == set(job.live.units)
    request = killed_meanwhile(job, world, job.hand_back, request, after=rng.uniform(0.05, 0.6))
    assert job.proven(request), request.state
    assert job.reaches(shown) == set()
    job.clean_up()
    assert AccessGroup.objects.filter(request=request, cleaned_at=None).exclude(login="").count() == 0
    assert job.live.snapshot() == before
