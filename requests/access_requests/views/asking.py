"""A new request: search, pick, see what would happen, send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from access_requests import actions, queries
from access_requests.actions.asking import PartPlan
from access_requests.forms import AskForm, SearchForm
from access_requests.models import AccessRequest
from access_requests.views.common import actor_of, me, page
from access_requests.views.words import approvals_needed, why_asked
from flows.decision import Problem

NAMES_MAX = 5


@dataclass(frozen=True, slots=True)
class Some:
    """The first few of many names."""

    names: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one access flow would make of its part of the ask. `approvers`: why each group is asked, and who it is."""

    flow: str
    what: Some
    needs_approval: bool
    needed: str
    approvers: tuple[tuple[str, Some], ...]
    longest: int | None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is in the way, and of which entitlements."""

    message: str
    what: Some


@page("GET", "HEAD", "POST")
def new_request(http: HttpRequest) -> HttpResponse:
    """Show the form; by POST search in it, check it, or send it. Nothing that was typed or picked is lost."""
    if http.method != "POST":
        return _show(http, AskForm(), SearchForm(http.GET))
    form, search, do = AskForm(http.POST), SearchForm(http.POST), http.POST.get("do")
    if do == "send":
        return _send(http, form, search)
    return _show(http, form, search, run=_run(http, form) if do == "check" else None)


@page("POST")
def check_request(http: HttpRequest) -> HttpResponse:
    """Return what would happen to the form as it stands: the part of the page that says so."""
    form = AskForm(http.POST)
    return render(http, "portal/_dry_run.html", {**_said(_run(http, form)), "errors": _shape_errors(form)})


def _shape_errors(form: AskForm) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]


def _picked(form: AskForm) -> list[tuple[int, int]]:
    """Return what is picked, whatever else is wrong with the form."""
    if not form.is_bound:
        return []
    form.is_valid()
    picked: list[tuple[int, int]] = form.cleaned_data.get("pick", [])
    return picked


def _run(http: HttpRequest, form: AskForm) -> actions.DryRun | None:
    """Return what would happen; None when nothing is picked or the form makes no sense."""
    if not _picked(form) or not form.is_valid():
        return None
    return actions.dry_run(
        me(http),
        form.cleaned_data["pick"],
        duration_seconds=form.cleaned_data["duration"],
        justification=form.cleaned_data["justification"],
    )


def _send(http: HttpRequest, form: AskForm, search: SearchForm) -> HttpResponse:
    """Submit. What is in the way is shown at its fields, with the answer 422."""
    if not form.is_valid():
        return _show(http, form, search, status=422)
    try:
        made = actions.ask(
            me(http),
            form.cleaned_data["pick"],
            actor=actor_of(http),
            duration_seconds=form.cleaned_data["duration"],
            justification=form.cleaned_data["justification"],
        )
    except actions.BadAsk as bad:
        return _show(http, form, search, run=_run(http, form), problems=bad.problems, status=422)
    return _sent(http, made)


def _sent(http: HttpRequest, made: list[AccessRequest]) -> HttpResponse:
    messages.success(http, f"Asked: {', '.join(str(one) for one in made)}.")
    return redirect("request_page", pk=made[0].pk) if len(made) == 1 else redirect("my_access")


def _show(
    http: HttpRequest,
    form: AskForm,
    search: SearchForm,
    *,
    run: actions.DryRun | None = None,
    problems: Iterable[Problem] = (),
    status: int = 200,
) -> HttpResponse:
    text, number = _place(http, search)
    picked = _picked(form)
    offered = queries.offering(me(http), text, number, picked)
    context = {
        "form": form,
        "q": text,
        "page": offered.page,
        "elsewhere": offered.elsewhere,
        "picked": {queries.value_of(*pair) for pair in picked},
        "at_fields": _at_fields(problems),
        "errors": _shape_errors(form),
        **_said(run),
    }
    return render(http, "portal/new_request.html", context, status=status)


def _place(http: HttpRequest, search: SearchForm) -> tuple[str, int]:
    """Return what is searched for, and which page of it: the one asked for, else where the form was.

    A new search begins at the first page.
    """
    if not search.is_valid():
        return "", 1
    found = search.cleaned_data
    same = None if http.POST.get("do") == "search" else found["at"]
    return found["q"], found["page"] or same or 1


def _at_fields(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """Return messages by the field they are about; the others are told by the dry run."""
    told: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        if problem.field and problem.message not in told[problem.field]:
            told[problem.field].append(problem.message)
    return dict(told)


def _said(run: actions.DryRun | None) -> dict[str, Any]:
    if run is None:
        return {"checked": False}
    verdicts = [_verdict(plan) for plan in run.plans]
    return {"checked": True, "allowed": run.allowed, "verdicts": verdicts, "obstacles": _obstacles(run.problems)}


def _some(names: Iterable[str]) -> Some:
    every = list(dict.fromkeys(names))
    return Some(tuple(every[:NAMES_MAX]), max(0, len(every) - NAMES_MAX))


def _verdict(plan: PartPlan) -> Verdict:
    document = plan.part.flow.document
    return Verdict(
        flow=document["name"],
        what=_some(f"{one.permission_name} on {one.resource_path} in {one.integration_name}" for one in plan.part.asks),
        needs_approval=plan.part.needs_approval,
        needed=approvals_needed(document),
        approvers=tuple(
            (why_asked(document, index), _some(person.name for person, _ in group))
            for index, group in enumerate(plan.approvers)
        ),
        longest=plan.part.max_duration_seconds,
    )


def _obstacles(problems: Iterable[Problem]) -> list[Obstacle]:
    """Return each message once, with everything it is about."""
    about: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        about[problem.message].extend([problem.path] if problem.path else [])
    return [Obstacle(message, _some(paths)) for message, paths in about.items()]
