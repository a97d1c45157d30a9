"""The whole main job, for every provider on its real target: from the form's configuration to the proof of the end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from access_requests import actions
from access_requests.models import AccessRequest
from connectors.runners import local
from connectors.vet.live import Live, load
from connectors.vet.stories import Crashed, CrashingClock
from integrations import actions as integration_actions
from integrations.models import Order
from tests.cast import Cast
from tests.journeys.main_job import MainJob
from tests.live import FILES, providers

SAMPLE = 4


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


def work_here(at: datetime) -> None:
    """Do what is due in this process, as the timetable would."""
    for _ in range(40):
        done = actions.sweep(at=at) + integration_actions.run_until_idle(seconds=30, at=lambda: at)
        if not done:
            return
    raise AssertionError("it does not come to rest")


@pytest.fixture
def job(fresh_database: str, cast: Cast, target: tuple[str, Live]) -> MainJob:
    """The main job with the embedded connector."""
    return MainJob(target[0], target[1], cast, work_here)


def test_access_is_asked_for_used_ended_and_proven_twice(job: MainJob) -> None:
    before = job.live.snapshot()
    job.connect()
    for end in (job.hand_back, job.expire):
        request = job.ask()
        assert request.state == "active", request.note
        assert not request.warning, request.note
        shown = job.shown(request)
        assert job.reaches(shown) == set(job.live.units)
        request = end(request)
        assert job.proven(request), request.state
        assert job.reaches(shown) == set()
        job.clean_up()
    assert job.live.snapshot() == before


@contextmanager
def crashing(at: int) -> Iterator[list[int]]:
    """Let the process die at the n-th look at the clock of the first order about a person; return the looks taken."""
    run, looks = local.run, []

    def dying(order: Any, **more: Any) -> Any:
        if order.desired is None or looks:
            return run(order, **more)
        clock = CrashingClock(at)
        try:
            return run(order, **more, monotonic=clock)
        finally:
            looks.append(clock.looks)

    local.run = dying
    try:
        yield looks
    finally:
        local.run = run


def survive(job: MainJob, act: Any, *given: Any, at: int) -> AccessRequest:
    """Do something with a crash on the way; what was leased then comes back when its lease is over."""
    try:
        with crashing(at):
            act(*given)
    except Crashed:
        assert Order.objects.filter(state="leased").exists()
        job.told += timedelta(minutes=2)
        integration_actions.expire_leases(at=job.now)
        job.work(job.now)
    return AccessRequest.objects.latest("pk")


def test_the_main_job_survives_a_crash_on_the_way_in_and_on_the_way_out(job: MainJob, rng: random.Random) -> None:
    before = job.live.snapshot()
    job.connect()
    request = survive(job, job.ask, at=rng.randint(2, 12))
    assert request.state == "active", request.note
    shown = job.shown(request)
    assert job.reaches(shown) == set(job.live.units)
    request = survive(job, job.hand_back, request, at=rng.randint(2, 12))
    assert job.proven(request), request.state
    assert job.reaches(shown) == set()
    job.clean_up()
    assert job.live.snapshot() == before


@pytest.mark.full
@pytest.mark.parametrize("point", range(2, 40))
def test_the_main_job_survives_a_crash_at_every_step(job: MainJob, point: int) -> None:
    before = job.live.snapshot()
    job.connect()
    request = survive(job, job.ask, at=point)
    assert request.state == "active", request.note
    request = survive(job, job.hand_back, request, at=point)
    assert job.proven(request), request.state
    job.clean_up()
    assert job.live.snapshot() == before
