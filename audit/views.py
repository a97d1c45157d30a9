"""The trail as a download."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit import export as csv_export
from audit.actor import person
from audit.choices import Source
from audit.forms import BadFilter, read_filters
from audit.models import AuditEntry
from audit.queries import Filters


@require_GET
@login_required
async def export(request: HttpRequest) -> HttpResponseBase:
    """Stream the entries that the query string selects as CSV; see audit.forms for the filters."""
    try:
        filters = read_filters(request.GET.dict())
    except BadFilter as error:
        return HttpResponse(f"{error}\n", status=400, content_type="text/plain; charset=utf-8")
    entries = await sync_to_async(_start)(request, filters)
    name = f"audit-{timezone.now():%Y%m%dT%H%M%SZ}.csv"
    return StreamingHttpResponse(
        csv_export.stream(entries),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _start(request: HttpRequest, filters: Filters) -> QuerySet[AuditEntry]:
    """Begin the export as the person of the request. Raises PermissionDenied."""
    return csv_export.start(filters, actor=person(request.user, Source.PORTAL), user=request.user)
