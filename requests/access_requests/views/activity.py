"""Activity: every request the reader may see, filtered by the address; what it comes to; and all of it as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from access_requests import actions
from access_requests.choices import ApprovalStatus, ReportKind
from access_requests.models import AccessRequest, Export, Report
from access_requests.reports import fields, figures, rows, sheets, who
from access_requests.reports.filters import MORE, FilterForm
from access_requests.reports.periods import zone_of
from access_requests.views.chart import chart_of
from access_requests.views.common import actor_of, me, page

# Of a request with many resources, so many are named.
_NAMED = 2
SAVED_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Row:
    """A request as the list tells it."""

    access: AccessRequest
    what: str
    where: str
    approvers: str


@page("GET", "HEAD")
def activity(http: HttpRequest) -> HttpResponse:
    """Show the requests that the address selects, newest first, and what they come to."""
    return render_activity(http, http.GET.dict())


@page("POST")
def activity_csv(http: HttpRequest) -> HttpResponse:
    """Write what the form selects as CSV: at once, or in the background when it is long."""
    form = FilterForm(http.POST.dict())
    if not form.is_valid():
        return render_activity(http, http.POST.dict())
    words = form.words()
    try:
        made = actions.export_now(words, list(fields.NAMES), name="Activity", user=me(http), actor=actor_of(http))
    except actions.NotPossible as problem:
        return render_activity(http, words, problem=str(problem), status=409)
    return answer_with(made, "activity")


def answer_with(made: sheets.Sheet | Export, name: str) -> HttpResponse:
    """Return a CSV that is short, or lead to the page of the export that is being written."""
    if isinstance(made, Export):
        return redirect("export_page", made.pk)
    return csv_response(sheets.stream(sheets.pieces(made)), f"{name}-{timezone.now():%Y%m%dT%H%M%SZ}.csv")


def csv_response(content: Any, name: str, kind: str = "text/csv; charset=utf-8") -> HttpResponse:
    """Return a download that is written while it is read."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    answer = StreamingHttpResponse(content, content_type=kind, headers=headers)
    return cast(HttpResponse, answer)  # a stream is an answer like any other to what surrounds a view


def render_activity(
    http: HttpRequest, given: Mapping[str, str], *, problem: str = "", status: int = 200
) -> HttpResponse:
    """Return the page."""
    user, at = me(http), timezone.now()
    form = FilterForm(given)
    context: dict[str, Any] = {"now": at, "form": form, "problem": problem, "tab": "activity"}
    context["more"] = any(given.get(name) for name in MORE)
    context["saved"] = _saved(who.reports_for(user).filter(owner=user, kind=ReportKind.ACTIVITY)[:SAVED_SHOWN])
    context["changing"] = _changing(http, given)
    if not form.is_valid():
        return render(http, "portal/activity.html", context, status=422)
    filters, words, zone = form.filters(at, zone_of(user)), form.words(), zone_of(user)
    selected = rows.matching(user, filters)
    found = figures.figures(selected, filters, zone)
    behind, before = rows.Place.read(given.get("behind", "")), rows.Place.read(given.get("before", ""))
    shown = rows.window(selected, behind=behind, before=before)
    context |= {
        "words": words,
        "query": urlencode(words),
        "said": form.said(),
        "filters": filters,
        "figures": found,
        "chart": chart_of(found),
        "rows": [_row(access) for access in shown.rows],
        "window": shown,
        "at_once": actions.AT_ONCE,
    }
    return render(http, "portal/activity.html", context, status=status)


def _changing(http: HttpRequest, given: Mapping[str, str]) -> Report | None:
    """Return the report whose filters are being changed, if the address names one of the reader's to change."""
    number = given.get("report", "")
    if not (number.isdecimal() and len(number) < 19):
        return None
    report = who.reports_for(me(http)).filter(pk=int(number), kind=ReportKind.ACTIVITY).first()
    return report if report is not None and who.may_change(me(http), report) else None


def _saved(reports: Any) -> list[tuple[Report, str]]:
    return [(report, urlencode(report.filters)) for report in reports]


def _row(access: AccessRequest) -> Row:
    groups = list(access.access_groups.all())
    units = [unit for group in groups for unit in group.units.all()]
    paths = list(dict.fromkeys(unit.resource_path for unit in units))
    permissions = list(dict.fromkeys(unit.permission_name for unit in units))
    where = [_some([group.integration.name for group in groups]), _some(permissions)]
    return Row(access, _some(paths) or "Nothing", " · ".join(filter(None, where)), _approvers(access))


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f", {more} more" if more > 0 else "")


def _approvers(access: AccessRequest) -> str:
    """Say who answered, or that somebody is waited for, or that the policy asks nobody."""
    asked = list(access.approvals.all())
    if access.automatic:
        return "Nobody: automatic"
    if not asked:
        return "Nobody: by policy"
    said = [one for one in asked if one.status != ApprovalStatus.PENDING]
    if said:
        return _some(list(dict.fromkeys(one.approver.name for one in said)))
    people = len({one.approver_id for one in asked})
    asks = "person" if people == 1 else "people"
    return f"{people} {asks} asked" if access.decided_at is None and access.ended_at is None else "Nobody answered"
