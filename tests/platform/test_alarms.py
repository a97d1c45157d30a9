"""Admins hear by letter of jobs that are late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Letter
from config import alarms, timetable, watchdog
from tests.cast import Cast

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SWEEP = "access_requests.tasks.sweep"


@pytest.fixture
def running(cast: Cast) -> None:
    """Every job has just run."""
    for line in timetable.TIMETABLE:
        watchdog.note(line.task, NOON)


def later(minutes: float, *, but: tuple[str, ...] = (), watch: bool = True) -> datetime:
    """Let time pass in which every job runs but some."""
    at = NOON + timedelta(minutes=minutes)
    for line in timetable.TIMETABLE:
        if line.task not in but and (watch or line.task != alarms.WATCH):
            watchdog.note(line.task, at)
    return at


def test_nobody_hears_of_jobs_that_run(running: None) -> None:
    assert alarms.warn(at=later(60)) == 0
    assert not Letter.objects.exists()


def test_admins_hear_of_a_late_job_once_a_day(running: None, cast: Cast) -> None:
    assert alarms.warn(at=later(9, but=(SWEEP,))) == 0
    for minutes in (11, 12, 600):
        assert alarms.warn(at=later(minutes, but=(SWEEP,))) == 1
    (letter,) = Letter.objects.all()
    assert (letter.to, letter.subject) == (cast.admin, "1 job of the timetable is late")
    for part in (letter.text, letter.html):
        assert SWEEP in part
        assert "2 Mar, 12:00:00" in part
    alarms.warn(at=later(24 * 60, but=(SWEEP,)))
    assert Letter.objects.count() == 2
    alarms.warn(at=later(24 * 60, but=(SWEEP, "audit.tasks.seal")))
    assert Letter.objects.filter(subject="1 job of the timetable is late").count() == 2


def test_another_job_that_is_late_is_told_the_same_day(running: None) -> None:
    alarms.warn(at=later(11, but=(SWEEP,)))
    assert alarms.warn(at=later(30, but=(SWEEP, "audit.tasks.seal"))) == 2
    assert sorted(Letter.objects.values_list("subject", flat=True)) == [
        "1 job of the timetable is late",
        "2 jobs of the timetable are late",
    ]


def test_after_a_standstill_of_everything_nobody_is_alarmed_by_what_is_just_beginning(running: None) -> None:
    assert alarms.warn(at=NOON + timedelta(hours=3)) == 0
    assert alarms.warn(at=later(3 * 60, but=(SWEEP,))) == 1


def test_a_job_that_is_new_and_has_not_run_yet_is_the_overviews_to_tell(running: None) -> None:
    from config.models import Heartbeat

    Heartbeat.objects.filter(name=SWEEP).delete()
    assert alarms.warn(at=later(60, but=(SWEEP,))) == 0
