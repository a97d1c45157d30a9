"""Watches the timetable: notes when each job last ran to its end, and says which is late.

A job that is late means that access may not end in time, so readiness and the portal's banner ask here.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from celery.signals import task_success
from django.utils import timezone

from config import timetable
from config.models import Heartbeat

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


def late(at: datetime | None = None) -> list[str]:
    """Return one sentence for each job that never ran or is more than a minute behind its period."""
    now = at or timezone.now()
    last = dict(Heartbeat.objects.values_list("name", "at"))
    sentences = []
    for line in timetable.TIMETABLE:
        seen = last.get(line.task)
        if seen is None:
            sentences.append(f"{line.task} has not run yet.")
        elif now - seen > GRACE + timedelta(seconds=line.every):
            sentences.append(f"{line.task} last ran {int((now - seen).total_seconds())} s ago.")
    return sentences
