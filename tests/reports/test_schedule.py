"""Schedules: five fields in a time zone, read out plainly, refused clearly, right when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access_requests.reports import schedule

SPRING = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)


def runs(cron: str, at: datetime, count: int = 3, zone: str = "Europe/Berlin") -> list[str]:
    plan = schedule.read(cron, zone, at)
    return [f"{one.astimezone(ZoneInfo(zone)):%d %H:%M%z}" for one in plan.upcoming(at, count)]


@pytest.mark.parametrize(
    ("cron", "at", "expected"),
    [
        # Eight o'clock stays eight o'clock.
        ("0 8 * * *", SPRING, ["29 08:00+0200", "30 08:00+0200", "31 08:00+0200"]),
        ("0 8 * * *", AUTUMN, ["25 08:00+0100", "26 08:00+0100", "27 08:00+0100"]),
        # A time that does not exist comes an hour later, once.
        ("30 2 * * *", SPRING, ["29 03:30+0200", "30 02:30+0200", "31 02:30+0200"]),
        # A time that comes twice counts once, the first of both.
        ("30 2 * * *", AUTUMN, ["25 02:30+0200", "26 02:30+0100", "27 02:30+0100"]),
        ("0 * * * *", datetime(2026, 3, 28, 23, 30, tzinfo=UTC), ["29 01:00+0100", "29 03:00+0200", "29 04:00+0200"]),
        ("0 * * * *", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), ["25 02:00+0200", "25 03:00+0100", "25 04:00+0100"]),
    ],
)
def test_the_clock_of_the_zone_counts(cron: str, at: datetime, expected: list[str]) -> None:
    assert runs(cron, at) == expected


@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_the_next_time_is_later_whenever_it_is_asked_in_the_night_of_a_change(minute: int) -> None:
    for day in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        for hour in range(4):
            at = day.replace(hour=hour, minute=minute)
            found = schedule.read("30 2 * * *", "Europe/Berlin", at).upcoming(at, 4)
            assert found[0] > at
            assert found == sorted(set(found))
            assert (found[3] - found[0]).total_seconds() in {3 * 86400, 3 * 86400 + 3600, 3 * 86400 - 3600}


def test_it_is_read_out_in_plain_words() -> None:
    assert schedule.read("0 8 * * 1", "Europe/Berlin", SPRING).words() == "At 08:00, only on Monday (Europe/Berlin)"
    assert schedule.read("15  17 L * *", "", SPRING).words() == "At 17:15, on the last day of the month (UTC)"


@pytest.mark.parametrize(
    ("cron", "word"),
    [
        ("", "five fields"),
        ("0 8 * *", "five fields"),
        ("0 8 * * 1 2026", "five fields"),
        ("@daily", "five fields"),
        ("* * * * *", "once an hour at most"),
        ("*/30 * * * *", "once an hour at most"),
        ("0,30 8 * * *", "once an hour at most"),
        ("61 8 * * *", "out of range"),
        ("0 25 * * *", "out of range"),
        ("0 8 32 * *", "out of range"),
        ("0 8 * * 9", "out of range"),
        ("0 0 30 2 *", "never comes"),
        ("a b c d e", "cannot be read"),
        ("0 8 * * ;", "day of the week cannot be read"),
        ("H 8 * * *", "cannot be read"),
        ("R 8 * * *", "cannot be read"),
        ("-1 8 * * *", "cannot be read"),
        ("0 8 * * " + "1," * 60, "five fields"),
        ("٠ 8 * * *", "minute cannot be read"),
    ],
)
def test_junk_is_refused_with_a_clear_message(cron: str, word: str) -> None:
    with pytest.raises(schedule.BadSchedule, match=word):
        schedule.read(cron, "UTC", SPRING)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "europe/berlin ", "\0"])
def test_a_zone_there_is_not_is_refused(zone: str) -> None:
    with pytest.raises(schedule.BadSchedule, match="no time zone"):
        schedule.read("0 8 * * *", zone, SPRING)


FIELD = st.text("0123456789*/,-?#LlWwRrHhxMONtue@", min_size=1, max_size=5)


@settings(max_examples=400, deadline=None)
@given(st.lists(FIELD, min_size=5, max_size=5))
def test_whatever_is_typed_is_a_schedule_or_refused(fields: list[str]) -> None:
    try:
        plan = schedule.read(" ".join(fields), "America/New_York", SPRING)
    except schedule.BadSchedule as problem:
        assert str(problem).endswith((".", "”."))
        return
    assert plan.words().endswith("(America/New_York)")
    first, second = plan.upcoming(SPRING, 2)
    assert SPRING < first < second
    assert (second - first).total_seconds() >= 3600
