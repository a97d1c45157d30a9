"""Letters to the admins on what only the top floor sees: jobs of the timetable that are late."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.actions import write_letter
from accounts.choices import LetterKind
from accounts.letters import address_of
from accounts.queries import admins
from config import watchdog

# A job this late is told; the page's banner and readiness say it sooner.
LATE = timedelta(minutes=10)
WATCH = "config.tasks.sweep_late_jobs"


def warn(*, at: datetime | None = None) -> int:
    """Write to the admins of jobs that are late, once a day for the same jobs; return how many jobs.

    Not while this watch itself was asleep until now: after a standstill every job is late, and on its way.
    """
    now = at or timezone.now()
    jobs = {job.line.task: job for job in watchdog.jobs(now)}
    watch = jobs.pop(WATCH).seen
    late = [job for job in jobs.values() if job.seen and now - job.seen > LATE + timedelta(seconds=job.line.every)]
    if not late or watch is None or now - watch > LATE:
        return 0
    told = [{"name": job.line.task, "why": job.line.why, "seen": job.seen} for job in late]
    subject = "1 job of the timetable is late" if len(late) == 1 else f"{len(late)} jobs of the timetable are late"
    names = hashlib.sha256(" ".join(sorted(job.line.task for job in late)).encode()).hexdigest()[:16]
    with transaction.atomic():
        for admin in admins():
            write_letter(
                to=admin,
                kind=LetterKind.JOBS,
                subject=subject,
                template="jobs",
                context={"jobs": told, "overview_url": address_of("admin:index")},
                key=f"jobs:{now:%Y%m%d}:{names}:{admin.pk}",
                at=now,
            )
    return len(late)
