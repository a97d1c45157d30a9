"""Shifts from PagerDuty, against an account whose answers are held against PagerDuty's own description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from accounts.queries import facts_of
from flows.decision.conditions import fulfils
from integrations import actions
from integrations.models import Shift
from tests.cast import Cast
from tests.http_server import Answer
from tests.people.pagerduty_site import KEY, PagerDutySite, pagerduty_site
from tests.people.world import Connected, attributes_of, connected

PRIMARY, SECONDARY = ("pagerduty_on_call", "Payments primary"), ("pagerduty_on_call", "Payments secondary")


@pytest.fixture
def site() -> Iterator[PagerDutySite]:
    with pagerduty_site() as site:
        yield site


@pytest.fixture
def duty(fresh_database: None, cast: Cast, site: PagerDutySite) -> Connected:
    return connected(cast, "pagerduty-shifts", {"address": site.address}, {"key": KEY}, "PagerDuty")


def test_who_is_on_shift_now_has_the_attribute_and_nobody_is_made(duty: Connected) -> None:
    people = User.objects.count()
    run = duty.sync()
    assert run.state == "succeeded"
    assert attributes_of("rita") == {PRIMARY}
    assert attributes_of("abel") == {SECONDARY}
    assert User.objects.count() == people
    assert run.warnings == ["nobody@example.com is on a shift and nobody here."]


def test_shifts_begin_and_end_in_time_without_pagerduty(duty: Connected) -> None:
    duty.sync()
    duty.later(hours=8)
    assert actions.sweep_shifts(at=duty.now) == 2
    assert attributes_of("rita") == set() and attributes_of("abel") == {PRIMARY}
    assert actions.sweep_shifts(at=duty.now) == 0
    duty.later(hours=12)
    actions.sweep_shifts(at=duty.now)
    assert attributes_of("abel") == set()


def test_a_condition_on_a_shift_is_one_on_an_attribute(duty: Connected, cast: Cast) -> None:
    duty.sync()
    condition: dict[str, Any] = {"type": "pagerduty_on_call", "operator": "is", "values": ["Payments primary"]}
    facts = facts_of([cast.requester, cast.approver])
    assert fulfils(condition, facts[cast.requester.pk])
    assert not fulfils(condition, facts[cast.approver.pk])


def test_a_shift_that_was_swapped_is_as_the_next_sync_says(duty: Connected, site: PagerDutySite) -> None:
    duty.sync()
    site.oncalls.pop(0)
    site.on_call("Abel", "Payments primary", -4, 8)
    duty.later(minutes=15)
    duty.sync()
    assert attributes_of("rita") == set() and attributes_of("abel") == {PRIMARY, SECONDARY}
    assert Shift.objects.filter(user__email="rita@example.com").count() == 0


def test_many_shifts_come_page_by_page_and_a_limit_is_waited_for(duty: Connected, site: PagerDutySite) -> None:
    for number in range(250):
        site.on_call("Rita", f"Schedule {number}", 2, 3)
    # One by the check; the time, the first page: then PagerDuty asks to wait, in a header of its own.
    site.trouble[4] = Answer(status=429, data={"error": {}}, headers={"ratelimit-reset": "40"})
    assert duty.read().state == "running"
    assert 40 <= (duty.order().next_try_at - duty.now).total_seconds() <= 43
    assert attributes_of("rita") == set()
    duty.later(seconds=45)
    site.asked.clear()
    assert duty.sync().state == "succeeded"
    assert [one.query["offset"] for one in site.asked if one.path == "/oncalls"] == [["100"], ["200"]]
    assert Shift.objects.filter(user__email="rita@example.com").count() == 251


def test_a_schedule_that_goes_takes_its_attributes_along(duty: Connected) -> None:
    duty.sync()
    assert actions.delete(duty.integration, actor=duty.admin, at=duty.now)
    assert attributes_of("rita") == set()
