"""Who may see reports and exports, and who may be sent one."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Q, QuerySet, Value, When

from access_requests.choices import ExportState, ReportKind
from access_requests.models import Export, Report
from access_requests.reports import filters, rows
from access_requests.reports.periods import zone_of
from access_requests.reports.sheets import ActivitySheet, Sheet, TrailSheet
from accounts.models import User
from audit import export as trail
from audit.queries import entries as trail_for

# What it takes to see all of the data, whoever it is about.
PERMISSIONS = {ReportKind.ACTIVITY: "requests.view_accessrequest", ReportKind.AUDIT: "audit.export_auditentry"}


def sees_all(user: User, kind: str) -> bool:
    """Whether the person may see everything a report of this kind can tell."""
    return user.has_perm(PERMISSIONS[ReportKind(kind)])


def may_report(user: User, kind: str) -> bool:
    """Whether the person may have a report of this kind: of activity everybody, for they see their own part of it."""
    return user.is_active and (kind == ReportKind.ACTIVITY or sees_all(user, kind))


def may_receive(user: User, owner: User, kind: str) -> bool:
    """Whether the person may be sent what the owner's report tells: the owner, or who may see everything anyway."""
    return may_report(user, kind) and (user.pk == owner.pk or sees_all(user, kind))


def may_change(user: User, report: Report) -> bool:
    """Whether the person may change, pause or delete a report: its owner, or anybody's with the permission."""
    return user.is_active and (user.pk == report.owner_id or user.has_perm("requests.change_report"))


def reports_for(user: User) -> QuerySet[Report]:
    """Return the reports the person may see, their own first; for everybody else they do not exist."""
    if not user.is_active:
        return Report.objects.none()
    others_last = Case(When(owner=user, then=Value(0)), default=Value(1))
    found = Report.objects.all() if user.has_perm("requests.view_report") else Report.objects.filter(owner=user)
    return found.select_related("owner").order_by(others_last, "name", "pk")


def exports_of(user: User) -> QuerySet[Export]:
    """Return what the person asked for, or is a recipient of; whether they may still read it is `may_read`."""
    if not user.is_active:
        return Export.objects.none()
    received = Export.recipients.through.objects.filter(user=user).values("export")
    return Export.objects.filter(Q(asked_by=user) | Q(pk__in=received)).order_by("-asked_at", "pk")


def may_read(user: User, export: Export) -> bool:
    """Whether the person may fetch an export now: a permission that was lost since closes it."""
    mine = export.asked_by_id == user.pk and not export.sees_all
    return may_report(user, export.kind) and (mine or sees_all(user, export.kind))


def sheet_for(export: Export) -> Sheet:
    """Return what an export is to contain, as who asked for it may see it now.

    Raises BadFilter when what was kept does not make sense any more.
    """
    return sheet(export.asked_by, export.kind, export.filters, export.columns, export.asked_at)


def sheet(user: User, kind: str, words: dict[str, str], columns: list[str], at: datetime) -> Sheet:
    """Return a report as this person may see it, asked at that moment. Raises BadFilter."""
    if not may_report(user, kind):
        raise filters.BadFilter("This takes the permission to export the audit trail.")
    if kind == ReportKind.AUDIT:
        try:
            return TrailSheet(trail_for(user, filters=trail.read_filters(words)))
        except trail.BadFilter as problem:
            raise filters.BadFilter(str(problem)) from None
    selected = rows.matching(user, filters.read(words, at=at, zone=zone_of(user)))
    return ActivitySheet(selected, columns)


def unfinished_of(user: User) -> int:
    """Return how many exports the person waits for."""
    waiting = (ExportState.QUEUED, ExportState.RUNNING)
    return Export.objects.filter(asked_by=user, state__in=waiting, report__isnull=True).count()
