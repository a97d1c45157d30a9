"""Working windows: nothing opens outside of them, and what waits for one holds up no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from access_requests import actions
from access_requests.models import AccessRequest
from flows.models import AccessFlow
from tests.story import Story, amend

# The stories begin on a Monday at noon, UTC: 13:00 in Berlin.
MORNINGS = {"start": "08:00", "end": "14:00", "days": ["MONDAY", "TUESDAY"], "time_zone": "Europe/Berlin"}


@pytest.fixture
def waiting(story: Story) -> AccessRequest:
    """Asked while the window is open, approved when it is shut."""
    amend(AccessFlow.objects.get(), timeframe=MORNINGS)
    request = story.ask("orders_prod")
    story.now += timedelta(hours=2)
    story.approve(request)
    story.work()
    return story.fresh(request)


def test_it_waits_for_the_next_opening_and_opens_then(story: Story, waiting: AccessRequest) -> None:
    assert waiting.state == "approved"
    assert f"{waiting.opens_at:%Y-%m-%d %H:%M}" == "2026-03-03 07:00"
    assert waiting.lapses_at == waiting.opens_at + timedelta(hours=24)
    story.later(hours=16)
    assert story.fresh(waiting).state == "approved"
    story.later(hours=1)
    assert story.fresh(waiting).state == "active"


def test_what_waits_is_not_looked_at_before(story: Story, waiting: AccessRequest) -> None:
    assert actions.sweep(at=story.now) == 0
    amend(AccessFlow.objects.get(), timeframe=None)
    # A changed flow is looked at anew.
    actions.recheck_flow(AccessFlow.objects.get().pk, at=story.now)
    story.work()
    assert story.fresh(waiting).state == "active"


def test_it_lapses_when_the_window_is_moved_beyond_its_life(story: Story, waiting: AccessRequest) -> None:
    amend(AccessFlow.objects.get(), timeframe=MORNINGS | {"days": ["SUNDAY"]})
    actions.recheck_flow(AccessFlow.objects.get().pk, at=story.now)
    story.later(hours=45)
    waiting = story.fresh(waiting)
    assert (waiting.state, waiting.note) == ("lapsed", "It was approved, but never opened.")
    assert story.held() == set()


def test_access_that_is_open_stays_when_the_window_shuts(story: Story) -> None:
    amend(AccessFlow.objects.get(), timeframe=MORNINGS)
    request = story.granted("orders_prod")
    assert request.state == "active"
    actions.recheck_flow(AccessFlow.objects.get().pk, at=story.now + timedelta(hours=2))
    assert story.fresh(request).state == "active"
