"""Watches the timetable: notes when each job last ran to its end, and says which is late.

A job that is late means that access may not end in time, so readiness and the portal's banner ask here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery.signals import task_success
from django.utils import timezone

from config import timetable
from config.models import Heartbeat
from config.timetable import Line

# How far behind its own period a job may be.
GRACE = timedelta(seconds=60)
# A job that runs every two seconds need not write every two seconds.
WRITE_EVERY_SECONDS = 5.0
_written: dict[str, float] = {}


def connect() -> None:
    """Begin to note jobs that end well, in whichever process they run."""
    task_success.connect(_note, dispatch_uid="config.watchdog")


def _note(sender: Any = None, **_: Any) -> None:
    """Note a job of the timetable that ended well, at most every few seconds."""
    name = getattr(sender, "name", "")
    if not any(line.task == name for line in timetable.TIMETABLE):
        return
    now = time.monotonic()
    if now - _written.get(name, float("-inf")) >= WRITE_EVERY_SECONDS:
        note(name)
        _written[name] = now


def note(name: str, at: datetime | None = None) -> None:
    """Write down that the job ran to its end."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=at or timezone.now())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the timetable with its last run."""

    line: Line
    seen: datetime | None
    late: bool


def jobs(at: datetime) -> list[Job]:
    """Return every job of the timetable with its last run. One query."""
    last = dict(Heartbeat.objects.values_list("name", "at"))
    return [_job(line, last.get(line.task), at) for line in timetable.TIMETABLE]


def _job(line: Line, seen: datetime | None, at: datetime) -> Job:
    return Job(line, seen, seen is None or at - seen > GRACE + timedelta(seconds=line.every))


def late(at: datetime | None = None) -> list[str]:
    """Return one sentence for each job that never ran or is more than a minute behind its period."""
    now = at or timezone.now()
    sentences = []
    for job in jobs(now):
        if job.seen is None:
            sentences.append(f"{job.line.task} has not run yet.")
        elif job.late:
            sentences.append(f"{job.line.task} last ran {int((now - job.seen).total_seconds())} s ago.")
    return sentences
