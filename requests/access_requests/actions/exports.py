"""CSV: at once where it is short, in the background where it is long, and by a report's schedule.

A worker claims an export by compare-and-swap: a new epoch and a lease. Each part is committed together with the place
it has come to, under that epoch; so a worker that lost its lease cannot write, and whoever claims it next goes on
behind the last part. No row is in it twice, however often it is begun.
"""

from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from access_requests.actions import mailing
from access_requests.actions.rules import NotPossible, NotYours
from access_requests.choices import UNFINISHED, ExportState, ReportKind
from access_requests.events import ring_exports
from access_requests.models import Export, ExportPart
from access_requests.reports import who
from access_requests.reports.filters import BadFilter
from access_requests.reports.sheets import Sheet
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import Actor

log = logging.getLogger(__name__)
# Rows that are written while the person waits; more are written in the background.
AT_ONCE = 5000
LEASE = timedelta(seconds=60)
KEPT = timedelta(days=7)
# Of one person at a time, besides what their reports' schedules start.
UNFINISHED_MAX = 3
ATTEMPTS_MAX = 5
FAILED = "The server could not write it. Ask again; if it fails again, tell your administrator."


def subject_of(export: Export) -> Subject:
    """Return the snapshot of an export that an audit entry keeps."""
    return Subject("export", str(export.pk), export.name)


def export_now(
    words: dict[str, str], columns: list[str], *, name: str, user: User, actor: Actor, at: datetime | None = None
) -> Sheet | Export:
    """Return the activity that the words select: to be written at once, or, when it is long, as an export to wait for.

    Raises NotPossible when the words make no sense, or when too many of the person's exports are under way.
    """
    moment = at or timezone.now()
    try:
        sheet = who.sheet(user, ReportKind.ACTIVITY, words, columns, moment)
    except BadFilter as problem:
        raise NotPossible(str(problem)) from None
    total = sheet.count()
    with transaction.atomic():
        told = {"filters": words, "rows": total, "format": "csv"}
        record("activity.exported", actor=actor, subject=Subject("activity", "", "activity"), details=told, at=moment)
        if total <= AT_ONCE:
            return sheet
        if who.unfinished_of(user) >= UNFINISHED_MAX:
            raise NotPossible(f"{UNFINISHED_MAX} of your exports are being written. Wait for one of them first.")
        return start(ReportKind.ACTIVITY, name, words, columns, user=user, at=moment, rows_total=total)


def start(
    kind: str, name: str, words: dict[str, str], columns: list[str], *, user: User, at: datetime, **more: Any
) -> Export:
    """Make an export that a worker will write, as the user may see it. The caller has recorded why."""
    export = Export.objects.create(
        kind=kind,
        name=name,
        asked_by=user,
        asked_at=at,
        filters=words,
        columns=columns,
        sees_all=who.sees_all(user, kind),
        leased_until=at,
        **more,
    )
    ring_exports()
    return export


def run_exports(*, seconds: float = 20.0, at: datetime | None = None) -> int:
    """Write exports that wait, for so many seconds; what is not finished then goes on next time. Return the parts."""
    until, parts = time.monotonic() + seconds, 0
    while (export := _claim(at)) is not None:
        parts += _work(export, until, at)
        if time.monotonic() >= until:
            break
    return parts


def _claim(at: datetime | None) -> Export | None:
    """Take the export that has waited longest, if there is one."""
    moment = at or timezone.now()
    free = Export.objects.filter(state__in=UNFINISHED, leased_until__lte=moment).order_by("leased_until", "pk")
    for export in free.select_related("asked_by", "report")[:5]:
        epoch = export.epoch + 1
        taken = Export.objects.filter(pk=export.pk, epoch=export.epoch, leased_until=export.leased_until).update(
            epoch=epoch, leased_until=moment + LEASE, state=ExportState.RUNNING, attempts=F("attempts") + 1
        )
        if taken:
            export.epoch, export.attempts = epoch, export.attempts + 1
            return export
    return None


def _work(export: Export, until: float, at: datetime | None) -> int:
    """Write parts until the export or the time is over. What goes wrong is tried again later, a few times."""
    moment = at or timezone.now()
    if export.attempts > ATTEMPTS_MAX:
        _fail(export, FAILED, moment)
        return 0
    try:
        return _write(export, who.sheet_for(export), until, at)
    except BadFilter as problem:
        _fail(export, str(problem), moment)
    except Exception:  # another export must not wait for this one
        log.exception("export %s: attempt %s", export.pk, export.attempts)
        Export.objects.filter(pk=export.pk, epoch=export.epoch, state__in=UNFINISHED).update(
            leased_until=moment + timedelta(seconds=2**export.attempts)
        )
    return 0


def _write(export: Export, sheet: Sheet, until: float, at: datetime | None) -> int:
    if export.rows_total is None:
        export.rows_total = sheet.count()
        _mine(export).update(rows_total=export.rows_total)
    parts = 0
    while True:
        piece = sheet.piece(export.cursor)
        text = piece.text if export.parts_done else sheet.header() + piece.text
        if not piece.rows and not text:
            mailing.finish(export, at=at or timezone.now(), kept=KEPT)
            return parts
        if not _commit(export, text, piece.rows, piece.cursor, at or timezone.now()):
            return parts
        parts += 1
        if time.monotonic() >= until:
            # Given back, so that the next run goes on at once.
            _mine(export).update(leased_until=at or timezone.now(), attempts=0)
            return parts


def _mine(export: Export) -> Any:
    """Select the export as long as this worker holds it."""
    return Export.objects.filter(pk=export.pk, epoch=export.epoch, state=ExportState.RUNNING)


def _commit(export: Export, text: str, rows: int, cursor: str, at: datetime) -> bool:
    """Keep a part and the place behind it, together. False when somebody else has taken over."""
    plain = text.encode()
    packed = gzip.compress(plain, compresslevel=6, mtime=0)
    with transaction.atomic():
        held = _mine(export).update(
            cursor=cursor,
            parts_done=export.parts_done + 1,
            rows_done=F("rows_done") + rows,
            size=F("size") + len(plain),
            packed_size=F("packed_size") + len(packed),
            leased_until=at + LEASE,
            attempts=0,
        )
        if not held:
            return False
        ExportPart.objects.create(export=export, number=export.parts_done + 1, data=packed)
    export.cursor, export.parts_done = cursor, export.parts_done + 1
    return True


def _fail(export: Export, why: str, at: datetime) -> None:
    """Give it up, and say why where the person looks."""
    told = {"state": ExportState.FAILED, "leased_until": None, "finished_at": at, "error": why}
    with transaction.atomic():
        if _mine(export).update(**told):
            ExportPart.objects.filter(export=export).delete()
            mailing.tell_failed(export, why, at)


def fetch(
    export: Export, *, user: User, actor: Actor, packed: bool = False, at: datetime | None = None
) -> Iterator[bytes]:
    """Return the parts of an export as bytes of CSV, or as one gzip file. Whoever fetches it may read it now.

    Raises NotYours, also when the right was lost since, and NotPossible when it is not there (any more).
    """
    moment = at or timezone.now()
    if not who.exports_of(user).filter(pk=export.pk).exists() or not who.may_read(user, export):
        raise NotYours("This export is not yours.")
    if export.state != ExportState.DONE or (export.expires_at and export.expires_at <= moment):
        raise NotPossible("This export is not there any more. Ask for it again.")
    with transaction.atomic():
        record("export.fetched", actor=actor, subject=subject_of(export), at=moment)
    return parts_of(export, packed=packed)


def parts_of(export: Export, *, packed: bool) -> Iterator[bytes]:
    """Yield the parts one after the other, one in memory at a time."""
    for number in range(1, export.parts_done + 1):
        data = bytes(ExportPart.objects.values_list("data", flat=True).get(export=export, number=number))
        yield data if packed else gzip.decompress(data)


def sweep_expired(*, at: datetime | None = None, limit: int = 200) -> int:
    """Remove the content of exports that were kept long enough; that they were made stays known a while longer."""
    moment = at or timezone.now()
    due = Export.objects.filter(state=ExportState.DONE, expires_at__lte=moment).order_by("expires_at")
    gone = list(due.values_list("pk", flat=True)[:limit])
    with transaction.atomic():
        ExportPart.objects.filter(export__in=gone).delete()
        count = Export.objects.filter(pk__in=gone).update(state=ExportState.EXPIRED)
    forgotten = Q(finished_at__lte=moment - 5 * KEPT)
    old = Export.objects.filter(forgotten, state__in=[ExportState.EXPIRED, ExportState.FAILED])
    Export.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()
    return count
