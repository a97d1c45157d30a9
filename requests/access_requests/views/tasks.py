"""My tasks: requests that wait for my answer, and what I answered."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from access_requests import queries
from access_requests.models import AccessRequest, Approval
from access_requests.views.common import me, page, page_number

ANSWERED_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Task:
    """A request with the reader's own part in it. `problem` and `typed` belong to an answer that was not taken."""

    access: AccessRequest
    mine: list[Approval]
    reason_required: bool
    problem: str = ""
    typed: str = ""


@page("GET", "HEAD")
def my_tasks(http: HttpRequest) -> HttpResponse:
    """Show what waits for my answer, or with ?answered=1 what I said."""
    return render_tasks(http)


def render_tasks(
    http: HttpRequest, *, pk: int = 0, problem: str = "", typed: str = "", status: int = 200
) -> HttpResponse:
    """Return the page; `problem` says why the answer to request `pk` was not taken, `typed` is its reason."""
    user, answered = me(http), http.method != "POST" and "answered" in http.GET
    rows = queries.answered_by(user) if answered else queries.tasks_of(user)
    found = queries.page_of(rows, page_number(http), ANSWERED_AT_ONCE if answered else queries.PAGE)
    tasks = [_task(access, *((problem, typed) if access.pk == pk else ())) for access in found.rows]
    context = {
        "now": timezone.now(),
        "page": found,
        "tasks": tasks,
        "answered": answered,
        # The request may have moved on meanwhile; then its answer has no place in the list.
        "problem": "" if any(task.problem for task in tasks) else problem,
    }
    return render(http, "portal/tasks.html", context, status=status)


def _task(access: AccessRequest, problem: str = "", typed: str = "") -> Task:
    mine: list[Approval] = access.mine  # type: ignore[attr-defined]  # prefetched by queries.tasks_of
    required = access.flow_version.document["settings"]["approver_reason_required"]
    return Task(access, mine, required, problem, typed)
