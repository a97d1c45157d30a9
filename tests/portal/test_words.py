"""Times, durations and risks in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from access_requests.templatetags import portal
from access_requests.views.words import why_asked
from accounts.models import User

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def reader(zone: str = "") -> dict[str, object]:
    return {"user": User(name="Rita", time_zone=zone), "now": NOW}


@pytest.mark.parametrize(
    ("zone", "at", "words", "exact"),
    [
        ("", datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC), "04:05", "2026-11-22 04:05:06 UTC"),
        ("Europe/Berlin", datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC), "05:05", "2026-11-22 05:05:06 Europe/Berlin"),
        ("", datetime(2026, 11, 21, 4, 5, 6, tzinfo=UTC), "21 Nov, 04:05", "2026-11-21 04:05:06 UTC"),
        ("", datetime(2025, 1, 2, 4, 5, 6, tzinfo=UTC), "2 Jan 2025, 04:05", "2025-01-02 04:05:06 UTC"),
        # In Los Angeles it is still the day before.
        ("America/Los_Angeles", NOW, "18:30", "2026-11-21 18:30:00 America/Los_Angeles"),
        ("No/Such", NOW, "02:30", "2026-11-22 02:30:00 UTC"),
        ("../../etc/passwd", NOW, "02:30", "2026-11-22 02:30:00 UTC"),
    ],
)
def test_a_moment_is_written_in_the_readers_zone(zone: str, at: datetime, words: str, exact: str) -> None:
    written = portal.moment(reader(zone), at)
    assert f">{words}</time>" in written
    assert f'title="{exact}"' in written


def test_seconds_are_shown_where_they_matter() -> None:
    assert ">02:30:00</time>" in portal.moment(reader(), NOW, "seconds")
    assert portal.moment(reader(), None) == "–"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "less than a minute"), (60, "1 min"), (3599, "59 min"), (4680, "1 h 18 min"), (90_000, "1 d 1 h")],
)
def test_the_time_left_is_told_roughly(seconds: float, words: str) -> None:
    assert portal.roughly(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(0.04, "0.0 s"), (1.44, "1.4 s"), (12.6, "13 s"), (61, "1 min 1 s")])
def test_a_lag_is_told_exactly(seconds: float, words: str) -> None:
    assert portal.lag(seconds) == words


RISKS = [(1, "Low"), (3, "Low"), (4, "Medium"), (6, "Medium"), (7, "High"), (9, "High")]


@pytest.mark.parametrize(("level", "word"), RISKS)
def test_a_risk_has_a_word(level: int, word: str) -> None:
    assert portal.risk(level)["word"] == word


def condition(kind: str, *values: str, operator: str = "is") -> dict[str, object]:
    return {"type": kind, "operator": operator, "source": "", "values": list(values)}


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([condition("group", "leads")], "In the group leads"),
        ([condition("user", "abel@example.com")], "Named by the access flow"),
        ([condition("manager")], "The requestor’s manager"),
        ([condition("city", "Berlin", "Paris")], "City is Berlin, Paris"),
        ([condition("group", "interns", operator="is_not")], "Group is not interns"),
        ([condition("group", "leads"), condition("manager")], "In the group leads or the requestor’s manager"),
    ],
)
def test_why_somebody_is_asked_is_told_to_any_reader(conditions: list[dict[str, object]], words: str) -> None:
    document = {"approval": {"groups": [{"tier": 0, "operator": "or", "conditions": conditions}]}}
    assert why_asked(document, 0) == words
    assert why_asked(document, 1) == ""
