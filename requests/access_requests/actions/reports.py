"""Saved reports: kept, changed, paused, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.rules import NotPossible, NotYours, lock_person
from access_requests.choices import ReportFormat, ReportKind
from access_requests.models import Report
from access_requests.reports import fields, filters, schedule, who
from access_requests.reports.periods import zone_of
from accounts.models import User
from audit import export as trail
from audit.actions import Subject, record
from audit.actor import Actor

REPORTS_MAX = 100
RECIPIENTS_MAX = 20
NAME_MAX = 120


@dataclass(frozen=True, slots=True)
class Wish:
    """A report as somebody wants it. An empty `cron` is no schedule; recipients are addresses."""

    kind: str
    name: str
    filters: dict[str, str]
    columns: Sequence[str] = fields.NAMES
    cron: str = ""
    time_zone: str = ""
    recipients: Sequence[str] = ()


def subject_of(report: Report) -> Subject:
    """Return the snapshot of a report that an audit entry keeps."""
    return Subject("report", str(report.pk), report.name)


def save_report(wish: Wish, *, user: User, actor: Actor, at: datetime | None = None) -> Report:
    """Keep a new report of the user's own. Raises NotPossible with what is wrong with it."""
    moment = at or timezone.now()
    with transaction.atomic():
        # The person's row orders two writers, so that limit and name hold.
        owner = lock_person(user.pk)
        if Report.objects.filter(owner=owner).count() >= REPORTS_MAX:
            raise NotPossible(f"You keep {REPORTS_MAX} reports already. Delete one first.")
        report = Report(owner=owner, kind=wish.kind, format=ReportFormat.CSV, created_at=moment)
        _write(report, wish, moment)
        record("report.saved", actor=actor, subject=subject_of(report), details=_told(report, wish), at=moment)
    return report


def change_report(report: Report, wish: Wish, *, user: User, actor: Actor, at: datetime | None = None) -> Report:
    """Change a report: its owner, or who may change everybody's. Raises NotYours, NotPossible.

    What it tells stays what its owner may see. A paused one with a new schedule stays paused.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        row = _locked(report, user)
        _write(row, wish, moment)
        record("report.changed", actor=actor, subject=subject_of(row), details=_told(row, wish), at=moment)
    return row


def delete_report(report: Report, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Delete a report; what was sent stays sent. Raises NotYours."""
    with transaction.atomic():
        row = _locked(report, user)
        record("report.deleted", actor=actor, subject=subject_of(row), at=at)
        row.delete()


def pause_report(report: Report, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Stop sending a report until it is resumed. Raises NotYours, NotPossible without a schedule."""
    moment = at or timezone.now()
    with transaction.atomic():
        row = _locked(report, user)
        if not row.cron or row.paused_at:
            raise NotPossible("This report is not being sent.")
        row.paused_at, row.next_run_at = moment, None
        row.save(update_fields=["paused_at", "next_run_at"])
        record("report.paused", actor=actor, subject=subject_of(row), at=moment)


def resume_report(report: Report, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Send a paused report again, from its next time on. Raises NotYours, NotPossible when it is not paused."""
    moment = at or timezone.now()
    with transaction.atomic():
        row = _locked(report, user)
        if not row.paused_at:
            raise NotPossible("This report is not paused.")
        row.paused_at, row.next_run_at = None, _read(row.cron, row.time_zone, moment).next(moment)
        row.last_note = ""
        row.save(update_fields=["paused_at", "next_run_at", "last_note"])
        record("report.resumed", actor=actor, subject=subject_of(row), at=moment)


def _locked(report: Report, user: User) -> Report:
    row = Report.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=report.pk).first()
    if row is None or not who.may_change(user, row):
        raise NotYours("This report is not yours.")
    return row


def _write(report: Report, wish: Wish, at: datetime) -> None:
    """Check everything, then write. Raises NotPossible."""
    report.name = _name(report, wish.name)
    if not who.may_report(report.owner, report.kind):
        raise NotPossible("This takes the permission to export the audit trail.")
    report.filters, report.columns = _filters(report, wish.filters, at), _columns(report.kind, wish.columns)
    people = _people(report, wish.recipients) if wish.cron.strip() else []
    if wish.cron.strip():
        plan = _read(wish.cron, wish.time_zone, at)
        if not people:
            raise NotPossible("Name at least one person to send it to.")
        report.cron, report.time_zone = plan.cron, plan.zone.key
        report.next_run_at = None if report.paused_at else plan.next(at)
    else:
        report.cron, report.time_zone, report.next_run_at, report.paused_at = "", "", None, None
    report.save()
    report.recipients.set(people)


def _read(cron: str, zone: str, at: datetime) -> schedule.Schedule:
    try:
        return schedule.read(cron, zone, at)
    except schedule.BadSchedule as problem:
        raise NotPossible(str(problem)) from None


def _name(report: Report, name: str) -> str:
    wanted = " ".join(name.split())
    if not wanted or len(wanted) > NAME_MAX:
        raise NotPossible(f"Give the report a name of at most {NAME_MAX} characters.")
    namesakes = Report.objects.filter(owner=report.owner, name__iexact=wanted).exclude(pk=report.pk)
    if namesakes.exists():
        raise NotPossible(f"There is a report called {wanted} already. Choose another name, or change that one.")
    return wanted


def _filters(report: Report, words: dict[str, str], at: datetime) -> dict[str, str]:
    """Return the filters as they are kept. Raises NotPossible."""
    try:
        if report.kind == ReportKind.AUDIT:
            trail.read_filters(words)
            return dict(words)
        form = filters.FilterForm(words)
        filters.read(words, at=at, zone=zone_of(report.owner))
        return form.words() if form.is_valid() else {}
    except (filters.BadFilter, trail.BadFilter) as problem:
        raise NotPossible(str(problem)) from None


def _columns(kind: str, names: Iterable[str]) -> list[str]:
    """Return the columns in the order of the report's fields. The trail goes out whole, or nobody could verify it."""
    if kind == ReportKind.AUDIT:
        return []
    wanted = set(names)
    if not wanted or not wanted <= set(fields.NAMES):
        raise NotPossible("Choose at least one column, of those there are.")
    return [name for name in fields.NAMES if name in wanted]


def _people(report: Report, addresses: Iterable[str]) -> list[User]:
    """Return the recipients. Raises NotPossible naming who may not see the data; whether they exist is not told."""
    wanted = list(dict.fromkeys(address.strip().lower() for address in addresses if address.strip()))
    if len(wanted) > RECIPIENTS_MAX:
        raise NotPossible(f"A report goes to {RECIPIENTS_MAX} people at most.")
    found = {one.email: one for one in User.objects.filter(email__in=wanted).prefetch_related("roles")}
    refused = [one for one in wanted if one not in found or not who.may_receive(found[one], report.owner, report.kind)]
    if refused:
        raise NotPossible(f"{', '.join(refused)}: not in the directory, or may not see what this report tells.")
    return [found[one] for one in wanted]


def _told(report: Report, wish: Wish) -> dict[str, Any]:
    """Return what the audit entry says of a report."""
    told: dict[str, Any] = {"kind": report.kind, "filters": report.filters}
    if report.cron:
        told |= {"schedule": report.cron, "time_zone": report.time_zone, "recipients": sorted(set(wish.recipients))}
    return told
