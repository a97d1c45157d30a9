"""Saved reports: kept, changed, sent by the clock, written now."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from access_requests import actions
from access_requests.choices import ReportKind
from access_requests.models import Report
from access_requests.queries import page_of
from access_requests.reports import schedule, who
from access_requests.reports.filters import FilterForm, said_of
from access_requests.reports.form import ReportForm
from access_requests.views.activity import answer_with
from access_requests.views.common import actor_of, me, page, page_number
from audit import export as trail

EXPORTS_SHOWN = 10
SUGGESTED = "0 8 * * 1"
_ADDRESSES = re.compile(r"[\s,;]+")
_NO_FILTERS = {"kind", "report", "schedule"}


@dataclass(frozen=True, slots=True)
class Line:
    """A report as the list tells it."""

    report: Report
    said: str
    plan: str
    address: str
    may_change: bool


@page("GET", "HEAD")
def report_list(http: HttpRequest) -> HttpResponse:
    """Show the reader's reports, those of others to who may see them, and the reader's exports."""
    return _render_list(http)


def _render_list(http: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    user = me(http)
    found = page_of(who.reports_for(user).prefetch_related("recipients"), page_number(http))
    context = {
        "now": timezone.now(),
        "tab": "reports",
        "problem": problem,
        "page": found,
        "lines": [
            Line(one, said_of(one.kind, one.filters), _plan(one), address_of(one), who.may_change(user, one))
            for one in found.rows
        ],
        "exports": [one for one in who.exports_of(user)[:EXPORTS_SHOWN] if who.may_read(user, one)],
    }
    return render(http, "portal/reports.html", context, status=status)


def address_of(report: Report) -> str:
    """Return the page that shows what a report selects."""
    name = "admin:audit_auditentry_changelist" if report.kind == ReportKind.AUDIT else "activity"
    return f"{reverse(name)}?{urlencode(report.filters)}"


def _changing(report: Report) -> str:
    """Return the page where the filters of a report are changed."""
    more = urlencode({"report": report.pk})
    return f"{address_of(report)}{'&' if report.filters else ''}{more}" if report.kind == ReportKind.ACTIVITY else ""


def _plan(report: Report) -> str:
    """Read the schedule out; empty without one."""
    return schedule.Schedule(report.cron, schedule.zone_of(report.time_zone)).words() if report.cron else ""


@page("GET", "HEAD", "POST")
def report_new(http: HttpRequest) -> HttpResponse:
    """Keep what the address selects as a report."""
    kind = http.GET.get("kind", ReportKind.ACTIVITY)
    if kind not in ReportKind.values or not who.may_report(me(http), kind):
        raise Http404
    return _form_page(http, kind, _words(http, kind), None)


@page("GET", "HEAD", "POST")
def report_page(http: HttpRequest, pk: int) -> HttpResponse:
    """Change a report. With filters in the address those are to replace the ones it has."""
    report = _find(http, pk)
    words = _words(http, report.kind) if set(http.GET) - _NO_FILTERS else report.filters
    return _form_page(http, report.kind, words, report)


def _find(http: HttpRequest, pk: int) -> Report:
    report = who.reports_for(me(http)).filter(pk=pk).prefetch_related("recipients").first()
    if report is None:
        raise Http404
    return report


def _words(http: HttpRequest, kind: str) -> dict[str, str]:
    """Return the filters of the address, as short as they get; whether they make sense is asked on saving."""
    given = {name: value for name, value in http.GET.dict().items() if value and name not in _NO_FILTERS}
    if kind == ReportKind.AUDIT:
        return {name: value for name, value in given.items() if name in trail.FILTERS}
    form = FilterForm(given)
    return form.words() if form.is_valid() else given


def _form_page(http: HttpRequest, kind: str, words: Mapping[str, str], report: Report | None) -> HttpResponse:
    user, may_change = me(http), report is None or who.may_change(me(http), report)
    form = ReportForm(http.POST if http.method == "POST" else None, initial=_initial(http, report))
    problem, status = "", 200
    if http.method == "POST" and "preview" not in http.POST:
        problem, status = "Look at the fields below: something is missing.", 422
        if form.is_valid():
            try:
                saved = _save(http, form, kind, dict(words), report)
            except actions.NotYours:
                raise Http404 from None
            except actions.NotPossible as refused:
                problem = str(refused)
            else:
                messages.success(http, f"{saved.name} is saved.")
                return redirect("report_list")
    context = {
        "now": timezone.now(),
        "tab": "reports",
        "kind": kind,
        "trail": kind == ReportKind.AUDIT,
        "form": form,
        "report": report,
        "may_change": may_change,
        "said": said_of(kind, words),
        "problem": problem,
        "reading": reading(form["cron"].value() or "", form["time_zone"].value() or user.time_zone),
        "recipients_max": actions.RECIPIENTS_MAX,
        # What only its owner may see goes to nobody else but to those who see everything.
        "alone": not who.sees_all(report.owner if report else user, kind),
        "address": _changing(report) if report else "",
    }
    return render(http, "portal/report.html", context, status=status)


def _initial(http: HttpRequest, report: Report | None) -> dict[str, Any]:
    """Return what the form begins with: the report's own, or a suggestion when a schedule was asked for."""
    user = me(http)
    zone = user.time_zone or "UTC"
    if report is None:
        wanted = "schedule" in http.GET
        return {"cron": SUGGESTED if wanted else "", "time_zone": zone, "recipients": user.email}
    return {
        "name": report.name,
        "columns": report.columns,
        "cron": report.cron,
        "time_zone": report.time_zone or zone,
        "recipients": "\n".join(one.email for one in report.recipients.all()) or report.owner.email,
    }


def _save(http: HttpRequest, form: ReportForm, kind: str, words: dict[str, str], report: Report | None) -> Report:
    typed = form.cleaned_data
    wish = actions.Wish(
        kind=kind,
        name=typed["name"],
        filters=words,
        columns=typed["columns"],
        cron=typed["cron"],
        time_zone=typed["time_zone"],
        recipients=[one for one in _ADDRESSES.split(typed["recipients"]) if one],
    )
    if report is None:
        return actions.save_report(wish, user=me(http), actor=actor_of(http))
    return actions.change_report(report, wish, user=me(http), actor=actor_of(http))


def reading(cron: str, zone: str) -> dict[str, Any]:
    """Return a schedule read out with its next runs, or what is wrong with it."""
    if not cron.strip():
        return {}
    try:
        plan = schedule.read(cron, zone, timezone.now())
        return {"words": plan.words(), "runs": [one.astimezone(plan.zone) for one in plan.upcoming(timezone.now())]}
    except schedule.BadSchedule as problem:
        return {"problem": str(problem)}


@page("GET", "HEAD")
def schedule_reading(http: HttpRequest) -> HttpResponse:
    """Read a schedule out, for the form to show while it is typed."""
    found = reading(http.GET.get("cron", "")[:200], http.GET.get("time_zone", "")[:60])
    return render(http, "portal/_schedule.html", {"reading": found})


@page("POST")
def report_csv(http: HttpRequest, pk: int) -> HttpResponse:
    """Write a report now, as the reader may see it."""
    report = _find(http, pk)
    if not who.may_report(me(http), report.kind):
        raise Http404
    if report.kind == ReportKind.AUDIT:
        return redirect(f"{reverse('audit_export')}?{urlencode(report.filters)}")
    try:
        made = actions.export_now(report.filters, report.columns, name=report.name, user=me(http), actor=actor_of(http))
    except actions.NotPossible as problem:
        return _render_list(http, problem=str(problem), status=409)
    return answer_with(made, "report")


@page("POST")
def report_delete(http: HttpRequest, pk: int) -> HttpResponse:
    """Delete a report."""
    return _act(http, pk, actions.delete_report, "is deleted")


@page("POST")
def report_pause(http: HttpRequest, pk: int) -> HttpResponse:
    """Stop sending a report."""
    return _act(http, pk, actions.pause_report, "is paused")


@page("POST")
def report_resume(http: HttpRequest, pk: int) -> HttpResponse:
    """Send a report again."""
    return _act(http, pk, actions.resume_report, "is sent again")


def _act(http: HttpRequest, pk: int, do: Callable[..., None], word: str) -> HttpResponse:
    report = _find(http, pk)
    try:
        do(report, user=me(http), actor=actor_of(http))
    except actions.NotYours:
        raise Http404 from None
    except actions.NotPossible as problem:
        return _render_list(http, problem=str(problem), status=409)
    messages.success(http, f"{report.name} {word}.")
    return redirect("report_list")
