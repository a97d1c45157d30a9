"""Ends are announced as soon and as often as fits how long access lasts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from access_requests import actions
from access_requests.actions import letters as letters_actions
from access_requests.models import AccessRequest
from access_requests.reminding import SCALE, next_reminder, reminders
from accounts.models import Letter
from flows.models import AccessFlow
from tests.story import NOON, Story, allow_extensions, amend

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("length", "before"),
    [
        (19 * MINUTE, ()),
        (20 * MINUTE, (5 * MINUTE,)),
        (HOUR - MINUTE, (5 * MINUTE,)),
        (HOUR, (10 * MINUTE,)),
        (8 * HOUR, (15 * MINUTE,)),
        (DAY, (HOUR,)),
        (7 * DAY, (DAY, HOUR)),
        (90 * DAY, (7 * DAY, DAY, HOUR)),
    ],
)
def test_the_scale(length: timedelta, before: tuple[timedelta, ...]) -> None:
    assert reminders(length) == before


def test_no_letter_comes_in_the_first_half_of_any_length() -> None:
    for least, before in SCALE:
        assert max(before) * 2 <= least


def test_the_next_is_later_than_what_was_told() -> None:
    ends = NOON + 7 * DAY
    first = next_reminder(NOON, ends, NOON)
    assert first == ends - DAY
    assert next_reminder(NOON, ends, first) == ends - HOUR
    assert next_reminder(NOON, ends, ends - HOUR) is None
    assert next_reminder(NOON, None, NOON) is None


def told(story: Story) -> list[str]:
    letters_actions.sweep(at=story.now)
    return list(Letter.objects.filter(kind="ending").order_by("pk").values_list("text", flat=True))


def test_a_week_is_announced_a_day_and_an_hour_before(story: Story) -> None:
    amend(AccessFlow.objects.get(), duration_seconds=7 * 86400)
    story.granted("orders_prod")
    story.now = NOON + 6 * DAY - MINUTE
    assert told(story) == []
    story.now += MINUTE
    (day_before,) = told(story)
    assert "ends in 1 d" in day_before
    assert len(told(story)) == 1, "told once"
    story.now = NOON + 7 * DAY - HOUR
    assert "ends in 1 h" in told(story)[1]
    story.now = NOON + 7 * DAY + HOUR
    assert len(told(story)) == 2


def test_after_a_standstill_one_letter_tells_it(story: Story) -> None:
    amend(AccessFlow.objects.get(), duration_seconds=7 * 86400)
    story.granted("orders_prod")
    story.now = NOON + 7 * DAY - MINUTE
    assert len(told(story)) == 1
    assert AccessRequest.objects.get().remind_at is None


def test_more_time_moves_it(story: Story) -> None:
    allow_extensions(AccessFlow.objects.get(), 3, 3600)
    amend(AccessFlow.objects.get(), approval={"mode": "none", "groups": [], "escalation_seconds": None})
    request = story.granted("orders_prod")
    assert story.fresh(request).remind_at == NOON + HOUR - 10 * MINUTE
    rita = request.grantee
    actions.extend(request, user=rita, actor=story.by(rita), seconds=3600, justification="more", at=story.now)
    assert story.fresh(request).remind_at == NOON + 2 * HOUR - 10 * MINUTE
    story.now = NOON + HOUR
    assert told(story) == []


def test_half_an_hour_is_announced_five_minutes_before_and_a_quarter_not_at_all(story: Story) -> None:
    half, quarter = (
        story.granted(name, duration_seconds=s) for name, s in (("orders_prod", 1800), ("orders_dev", 900))
    )
    assert story.fresh(half).remind_at == NOON + 25 * MINUTE
    assert story.fresh(quarter).remind_at is None
