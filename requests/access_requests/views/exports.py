"""Exports in the background: how far one has come, and the download."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from access_requests import actions
from access_requests.choices import ExportState
from access_requests.models import Export
from access_requests.reports import sheets, who
from access_requests.reports.filters import said_of
from access_requests.views.activity import csv_response
from access_requests.views.common import actor_of, me, page


@page("GET", "HEAD")
def export_page(http: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how far an export has come, and lead to the download."""
    return render(http, "portal/export.html", _context(http, pk))


@page("GET", "HEAD")
def export_part(http: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the part of the page that changes, for the script that keeps it up to date."""
    return render(http, "portal/_export.html", _context(http, pk))


@page("GET")
def export_fetch(http: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Download an export: as CSV, or with ?packed=1 as it is kept, compressed."""
    export, packed = _find(http, pk), "packed" in http.GET
    try:
        content = actions.fetch(export, user=me(http), actor=actor_of(http), packed=packed)
    except actions.NotYours:
        raise Http404 from None
    except actions.NotPossible as problem:
        return render(http, "portal/export.html", _context(http, pk) | {"problem": str(problem)}, status=410)
    name = actions.file_name(export) + (".gz" if packed else "")
    kind = "application/gzip" if packed else "text/csv; charset=utf-8"
    return csv_response(sheets.stream(content), name, kind)


def _find(http: HttpRequest, pk: uuid.UUID) -> Export:
    export = who.exports_of(me(http)).select_related("asked_by", "report").filter(pk=pk).first()
    if export is None or not who.may_read(me(http), export):
        raise Http404
    return export


def _context(http: HttpRequest, pk: uuid.UUID) -> dict[str, Any]:
    export = _find(http, pk)
    return {
        "now": timezone.now(),
        "tab": "reports",
        "export": export,
        "said": said_of(export.kind, export.filters),
        "done": export.state == ExportState.DONE,
        # Nobody sees a bar that stands at the end while there is something left to do.
        "share": min(99, 100 * export.rows_done // export.rows_total) if export.rows_total else None,
    }
