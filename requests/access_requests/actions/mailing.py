"""What happens when an export is written: it is there to be fetched, and who it was made for gets a letter."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from access_requests.choices import ExportState, ReportKind
from access_requests.models import Export, ExportPart, Report
from access_requests.reports import who
from access_requests.reports.filters import said_of
from accounts.actions import write_letter
from accounts.choices import LetterKind
from accounts.letters import Attachment, address_of
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import system

# Up to here the letter brings the CSV as it is, then compressed, then a link to a page that wants a signed-in reader.
PLAIN_MAX, PACKED_MAX = 2 * 2**20, 5 * 2**20


def finish(export: Export, *, at: datetime, kept: timedelta) -> bool:
    """Declare an export written and write the letters, in one transaction: both once, or neither.

    False when somebody else has taken it over.
    """
    with transaction.atomic():
        mine = Export.objects.filter(pk=export.pk, epoch=export.epoch, state=ExportState.RUNNING)
        # The rows there were when it was written, which is what was counted unless the data moved meanwhile.
        done = Export.objects.get(pk=export.pk).rows_done
        told = {"state": ExportState.DONE, "leased_until": None, "finished_at": at, "expires_at": at + kept}
        if not mine.update(rows_total=done, **told):
            return False
        row = Export.objects.select_related("asked_by", "report").get(pk=export.pk)
        if row.due_at is None:
            _write([row.asked_by], row, None, at)
        else:
            _send_report(row, at)
    return True


def tell_failed(export: Export, why: str, at: datetime) -> None:
    """Note in its report that a run came to nothing. In the caller's transaction."""
    if export.report_id:
        Report.objects.filter(pk=export.report_id).update(last_note=f"The last run failed. {why}")


def _send_report(export: Export, at: datetime) -> None:
    """Write to the recipients who may see what it tells now; the others are left out, and the report says so."""
    people = list(export.recipients.order_by("email").prefetch_related("roles"))
    allowed = [
        one for one in people if who.may_receive(one, export.asked_by, export.kind) and who.may_read(one, export)
    ]
    refused = [one for one in people if one not in allowed]
    _write(allowed, export, _attachment(export), at)
    note = f"Not sent to {', '.join(one.email for one in refused)}: may no longer see what it tells." if refused else ""
    if export.report_id is None:
        return
    Report.objects.filter(pk=export.report_id).update(last_note=note)
    details = {
        "export": str(export.pk),
        "rows": export.rows_done,
        "recipients": [one.email for one in allowed],
        **({"left_out": [one.email for one in refused]} if refused else {}),
    }
    subject = Subject("report", str(export.report_id), export.name)
    record("report.sent", actor=system(), subject=subject, details=details, at=at)


def _attachment(export: Export) -> Attachment | None:
    """Return the CSV as it goes with a letter, or None when it is too large for one."""
    if export.size <= PLAIN_MAX or export.packed_size <= PACKED_MAX:
        packed = b"".join(
            bytes(data) for data in ExportPart.objects.filter(export=export).values_list("data", flat=True)
        )
        if export.size <= PLAIN_MAX:
            return Attachment(file_name(export), "text/csv", gzip.decompress(packed))
        return Attachment(f"{file_name(export)}.gz", "application/gzip", packed)
    return None


def file_name(export: Export) -> str:
    """Return what the file is called: no more than letters, digits and dashes of the name, and the moment."""
    plain = "".join(one if one.isascii() and one.isalnum() else "-" for one in export.name.lower())
    short = "-".join(filter(None, plain.split("-")))[:60] or export.kind
    return f"{short}-{export.asked_at:%Y%m%dT%H%MZ}.csv"


def _write(people: Iterable[User], export: Export, attachment: Attachment | None, at: datetime) -> None:
    for one in people:
        write_letter(
            to=one,
            kind=LetterKind.REPORT,
            subject=f"{export.name}: {export.rows_done:,} {'row' if export.rows_done == 1 else 'rows'}",
            template="report",
            context=_context(export, attachment),
            attachment=attachment,
            key=f"export:{export.pk}:{one.pk}",
            expires_at=export.expires_at,
            at=at,
        )


def _context(export: Export, attachment: Attachment | None) -> dict[str, Any]:
    return {
        "name": export.name,
        "kind": ReportKind(export.kind).label,
        "said": said_of(export.kind, export.filters),
        "rows": export.rows_done,
        "asked_at": export.asked_at,
        "expires_at": export.expires_at,
        "scheduled": export.due_at is not None,
        "owner": export.asked_by.name,
        "attached": attachment.name if attachment else "",
        "export_url": address_of("export_page", export.pk),
    }
