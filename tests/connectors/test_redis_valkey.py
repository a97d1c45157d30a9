"""The stories, told on two Valkeys: tests/live/redis.py has one of them at most as its second node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from connectors.vet.live import load
from connectors.vet.stories import STORIES, Stage, a_crash_is_made_good, crash_points, in_this_process
from tests.connectors.redis_world import VALKEY, running
from tests.connectors.test_live import FILES


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Two nodes."""
    if not VALKEY.is_file():
        pytest.skip("There is no Valkey (script/optional-servers valkey).")
    file: Any = load(FILES["redis"])
    with ExitStack() as stack:
        first, second = (stack.enter_context(running(str(VALKEY))) for _ in range(2))
        yield Stage("redis", file.RedisLive(first, second), in_this_process())


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_story_holds_on_valkey(stage: Stage, story: Callable[[Stage], None]) -> None:
    story(stage)


def test_a_crash_on_valkey_is_made_good(stage: Stage) -> None:
    points = range(1, crash_points(stage) + 1)
    assert len(points) > 20
    for at in points:
        a_crash_is_made_good(stage, at)
