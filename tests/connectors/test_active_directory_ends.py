"""Memberships that end by themselves, as in forests with Privileged Access Management.

Samba has no links with a time to live: what comes through with one is taken out by `tests.simulated_time_to_live`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.contract.orders import Verb
from connectors.vet.stories import STORIES, Stage
from tests import targets_samba
from tests.connectors.test_active_directory import on
from tests.directories import World
from tests.live.active_directory import ActiveDirectoryLive
from tests.simulated_time_to_live import TimeToLive, turn_on


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    if reason := targets_samba.missing():
        pytest.skip(reason)
    with targets_samba.running() as server:
        made = World(server)
        made.prepare()
        turn_on(server)
        yield made


@pytest.fixture
def way(world: World) -> Iterator[TimeToLive]:
    made = TimeToLive(world.server).start()
    yield made
    made.stop()


@pytest.fixture
def stage(world: World, way: TimeToLive) -> Stage:
    made = on(world, port=way.port, encryption="none")
    live = ActiveDirectoryLive(world)
    live.config = made.live.config
    return replace(made, live=live)


def test_a_membership_ends_without_us(world: World, way: TimeToLive, stage: Stage) -> None:
    grant = stage.grant(seconds=3)
    stage.apply(grant)
    assert 1 <= way.written[0][0] <= 3
    assert stage.live.reaches(grant.units[0], {}, {})
    time.sleep(4)
    assert not stage.live.reaches(grant.units[0], {}, {})
    stage.leave(grant)
    assert world.records() == []


def test_an_extension_moves_the_end_and_an_order_that_changes_nothing_does_not(way: TimeToLive, stage: Stage) -> None:
    grant = stage.grant(seconds=300)
    stage.apply(grant)
    stage.apply(grant)
    assert len(way.written) == 1
    stage.apply(replace(grant, ends_at=grant.ends_at + 600))
    assert 890 <= way.written[1][0] <= 900
    stage.leave(grant)


def test_the_longest_of_two_grants_counts_and_then_the_other(way: TimeToLive, stage: Stage) -> None:
    short, long = stage.grant(seconds=300), stage.grant(seconds=900)
    stage.apply(short)
    stage.apply(short, long)
    stage.apply(short, gone=(long,))
    assert [round(seconds, -2) for seconds, _ in way.written] == [300, 900, 300]
    stage.leave(short)


def test_a_grant_without_an_end_has_none_there(world: World, way: TimeToLive, stage: Stage) -> None:
    grant = stage.grant(seconds=300)
    stage.apply(grant)
    lasting = replace(grant, ends_at=math.inf)
    stage.apply(lasting)
    stage.apply(lasting)
    assert len(way.written) == 1
    assert world.members(grant.units[0]) != []
    stage.leave(lasting)


def test_giving_does_not_fail_where_somebody_was_quicker(way: TimeToLive, stage: Stage) -> None:
    grant = stage.grant()
    stage.apply(grant)
    assert way.controls == ["1.2.840.113556.1.4.1413"]
    stage.leave(grant)


def test_check_says_that_memberships_end_by_themselves(stage: Stage) -> None:
    report = stage.run(stage.order(Verb.CHECK))
    said = [one.message for one in report.findings]
    assert any("end by themselves: Privileged" in words for words in said)
    assert any("not encrypted" in words for words in said)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_common_stories_hold_there_too(stage: Stage, story: object) -> None:
    assert callable(story)
    story(stage)
