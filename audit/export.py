"""The trail as CSV, page by page, so that memory does not grow with the trail."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet

from audit import actions, queries
from audit.actor import Actor
from audit.chain import FIELDS
from audit.models import AuditEntry
from audit.queries import Filters

HEADER = (*FIELDS, "sequence", "digest")
_PAGE = 500
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def start(filters: Filters, *, actor: Actor, user: Any = None) -> QuerySet[AuditEntry]:
    """Record the export and return what it is to contain; without a user, for the command line.

    Raises PermissionDenied unless the user has audit.export_auditentry.
    """
    if user is not None and not user.has_perm("audit.export_auditentry"):
        raise PermissionDenied("Exporting the audit trail needs the permission audit.export_auditentry.")
    asked = {name: str(value) for name, value in asdict(filters).items() if value}
    with transaction.atomic():
        about = actions.Subject("audit", "", "audit trail")
        actions.record("audit.exported", actor=actor, subject=about, details={"filters": asked, "format": "csv"})
    return queries.matching(filters)


def pages(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """Yield the header, then the entries oldest first, as CSV, some hundred at a time, up to those there are now."""
    yield _csv([HEADER])
    newest, last = entries.order_by("-id").values_list("id", flat=True).first() or 0, 0
    rows = entries.order_by("id").values_list(*FIELDS, "seal__sequence", "seal__digest")
    while page := list(rows.filter(id__gt=last, id__lte=newest)[:_PAGE]):
        last = page[-1][0]
        yield _csv(page)


async def stream(entries: QuerySet[AuditEntry]) -> AsyncIterator[str]:
    """Yield what `pages` yields, without holding up the event loop."""
    waiting = pages(entries)
    while page := await sync_to_async(_next)(waiting):
        yield page


def _next(waiting: Iterator[str]) -> str:
    """Return the next page, or an empty text after the last: StopIteration cannot pass through a coroutine."""
    return next(waiting, "")


def cell(value: Any) -> str:
    """Return one value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(rows: list[Any]) -> str:
    """Return the rows as CSV."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()
