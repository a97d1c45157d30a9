"""Every provider that has a live file, told the same stories on its real target."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from connectors.registry import BUILT_IN
from connectors.vet.live import Live, load
from connectors.vet.stories import STORIES, Stage, a_crash_is_made_good, crash_points, in_this_process
from tests.live import FILES

# Places at which the process dies, in the fast lane: few, at random.
SAMPLE = 3


@pytest.fixture(scope="module", params=sorted(FILES))
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A provider with a real target of its own."""
    file = load(FILES[request.param])
    if reason := file.missing():
        pytest.skip(reason)
    with file.live() as target:
        yield Stage(request.param, _typed(target), in_this_process())


def _typed(target: Live) -> Live:
    return target


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_story_holds(stage: Stage, story: Callable[[Stage], None]) -> None:
    story(stage)


def test_a_crash_between_any_two_steps_is_made_good(
    stage: Stage, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    points = range(1, crash_points(stage) + 1)
    assert len(points) > 3
    whole = request.config.getoption("--full")
    for at in points if whole else sorted(rng.sample(points, SAMPLE)):
        a_crash_is_made_good(stage, at)


def test_every_provider_that_claims_a_real_instance_has_a_live_file() -> None:
    # What only tells of people gives nothing that could be tried: tests/people has a mock of each.
    systems = {id_ for id_, one in BUILT_IN.manifests().items() if one.kind == "system"}
    assert set(FILES) == systems
