"""Reports by the clock: what is due becomes an export, once, however long nobody looked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions import exports
from access_requests.actions.reports import subject_of
from access_requests.actions.rules import each
from access_requests.choices import UNFINISHED
from access_requests.models import Report
from access_requests.reports import schedule, who
from access_requests.reports.schedule import BadSchedule
from audit.actions import record
from audit.actor import system


def sweep_reports(*, at: datetime | None = None, limit: int = 200) -> int:
    """Start the reports that are due, each once: times that were missed meanwhile are over. Return how many."""
    moment = at or timezone.now()
    due = Report.objects.filter(next_run_at__lte=moment).order_by("next_run_at", "pk").select_related("owner")
    return each(due[:limit], lambda report: _start(report, moment), sweep="reports")


def _start(report: Report, at: datetime) -> bool:
    """Make the export of a report's run, and settle when the next is. False when somebody else did."""
    with transaction.atomic():
        if not report.owner.is_active or not who.may_report(report.owner, report.kind):
            return _pause(report, f"Paused: {report.owner.name} may no longer see what it tells.", at)
        try:
            upcoming = schedule.read(report.cron, report.time_zone, at).next(at)
        except BadSchedule as problem:
            return _pause(report, f"Paused: {problem}", at)
        if not _claim(report, next_run_at=upcoming, last_run_at=at, last_note=""):
            return False
        if report.runs.filter(state__in=UNFINISHED).exists():
            Report.objects.filter(pk=report.pk).update(last_note="Left out: the run before is still being written.")
            return False
        export = exports.start(
            *(report.kind, report.name, report.filters, report.columns),
            user=report.owner,
            at=at,
            report=report,
            due_at=report.next_run_at,
        )
        export.recipients.set(report.recipients.all())
    return True


def _claim(report: Report, **fields: Any) -> bool:
    """Compare-and-swap on the time it was due: of two sweeps one starts it."""
    return bool(Report.objects.filter(pk=report.pk, next_run_at=report.next_run_at).update(**fields))


def _pause(report: Report, why: str, at: datetime) -> bool:
    """Stop sending what cannot be sent, and say so where its owner looks."""
    if _claim(report, next_run_at=None, paused_at=at, last_note=why):
        record("report.paused", actor=system(), subject=subject_of(report), details={"reason": why}, at=at)
    return False
