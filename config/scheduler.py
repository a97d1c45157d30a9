"""Beat reads the timetable from the database; this brings the database in line with the file when beat starts."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from config import timetable
from config.checks import refuse_bad_settings
from config.timetable import Line


def reconcile() -> list[str]:
    """Create and correct a row per line, disable rows of lines that are gone, delete nothing.

    Returns what was changed, one sentence each; nothing is written when all is as it should be.
    """
    lines = timetable.TIMETABLE
    with transaction.atomic():
        changed = [sentence for line in lines for sentence in _reconcile(line)]
        gone = PeriodicTask.objects.filter(enabled=True).exclude(name__in=[line.task for line in lines])
        for row in gone:
            row.enabled = False
            row.save()
            changed.append(f"Disabled {row.name}: it is not in the timetable.")
    return changed


def _reconcile(line: Line) -> list[str]:
    """Bring the row of one line in order."""
    interval, _ = IntervalSchedule.objects.get_or_create(every=line.every, period=IntervalSchedule.SECONDS)
    wanted = {
        "task": line.task,
        "interval_id": interval.pk,
        "crontab_id": None,
        "solar_id": None,
        "clocked_id": None,
        "enabled": True,
        "one_off": False,
        "args": "[]",
        "kwargs": "{}",
        "description": line.why,
    }
    row = PeriodicTask.objects.filter(name=line.task).first()
    if row is None:
        # Beat counts the first period from here; a job that is new is due now, and readiness waits for it.
        before = timezone.now() - timedelta(seconds=line.every)
        PeriodicTask.objects.create(name=line.task, last_run_at=before, **wanted)
        return [f"Added {line.task}."]
    wrong = [field for field, value in wanted.items() if getattr(row, field) != value]
    if not wrong:
        return []
    for field in wrong:
        setattr(row, field, wanted[field])
    row.save()
    return [f"Corrected {line.task}: {', '.join(wrong)}."]


class TimetableScheduler(DatabaseScheduler):  # type: ignore[misc]  # django-celery-beat ships no types
    """django-celery-beat's scheduler with the timetable, and nothing else, in its tables."""

    def setup_schedule(self) -> None:
        """Reconcile at start. Celery's own default entries are left out: results are not kept, so none expire."""
        refuse_bad_settings()
        reconcile()
