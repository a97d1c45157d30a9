"""The trail as CSV, page by page, so that memory does not grow with the trail."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet

from audit import actions, queries
from audit.actor import Actor
from audit.chain import FIELDS
from audit.forms import NAMES as FILTERS
from audit.forms import BadFilter, read_filters
from audit.models import AuditEntry
from audit.queries import Filters

# What other apps need to export the trail on somebody's behalf; this module is a door (see tests/architecture).
__all__ = [
    "FILTERS",
    "HEADER",
    "BadFilter",
    "Page",
    "cell",
    "newest",
    "page",
    "pages",
    "read_filters",
    "start",
    "stream",
    "written",
]

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


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries as CSV: how many, and the number of the last."""

    text: str
    rows: int
    last: int


def newest(entries: QuerySet[AuditEntry]) -> int:
    """Return the number of the newest of these entries, or 0."""
    return entries.order_by("-id").values_list("id", flat=True).first() or 0


def page(entries: QuerySet[AuditEntry], after: int, upto: int) -> Page:
    """Return some hundred entries behind number `after`, oldest first, up to number `upto`."""
    rows = entries.order_by("id").values_list(*FIELDS, "seal__sequence", "seal__digest")
    found = list(rows.filter(id__gt=after, id__lte=upto)[:_PAGE])
    return Page(written(found), len(found), found[-1][0] if found else after)


def pages(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """Yield the header, then the entries oldest first, as CSV, some hundred at a time, up to those there are now."""
    yield written([HEADER])
    upto = newest(entries)
    found = page(entries, 0, upto)
    while found.rows:
        yield found.text
        found = page(entries, found.last, upto)


async def stream(entries: QuerySet[AuditEntry]) -> AsyncIterator[str]:
    """Yield what `pages` yields, without holding up the event loop."""
    waiting = pages(entries)
    while text := await sync_to_async(_next)(waiting):
        yield text


def _next(waiting: Iterator[str]) -> str:
    """Return the next page, or an empty text after the last: StopIteration cannot pass through a coroutine."""
    return next(waiting, "")


def cell(value: Any) -> str:
    """Return one value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def written(rows: Sequence[Any]) -> str:
    """Return the rows as CSV."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()
