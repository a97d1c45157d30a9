"""My tasks: what waits for my answer, and what I answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from access_requests import queries
from access_requests.forms import MINUTE
from access_requests.models import AccessRequest, Approval, Extension, ExtensionApproval
from access_requests.templatetags.portal import roughly
from access_requests.views.choosing import Time, times_at_most
from access_requests.views.common import me, page, page_number
from access_requests.views.hints import Hint, History, hints_of, hints_of_extension, risk_of, units_of
from access_requests.views.typed import Typed, typed_in

ANSWERED_AT_ONCE = 10
# Of more units than that, the request's own page lets the approver choose.
UNITS_TO_CHOOSE = 30


@dataclass(frozen=True, slots=True)
class Task:
    """A request, or an extension of one, with the reader's part in it and what there is to know before an answer.

    `problem` and `typed` belong to an answer that was not taken.
    """

    access: AccessRequest
    mine: Sequence[Approval | ExtensionApproval]
    reason_required: bool
    hints: Sequence[Hint] = ()
    risk: int = 0
    times: Sequence[Time] = ()
    may_narrow: bool = False
    extension: Extension | None = None
    # How long nobody had answered, if the reader was asked by escalation.
    escalated: str = ""
    problem: str = ""
    typed: Typed = Typed()  # noqa: RUF009 - immutable


@dataclass(frozen=True, slots=True)
class Owed:
    """A review that is owed, why of this reader, and what was typed into a form that was not taken."""

    access: AccessRequest
    due_at: datetime
    late: bool
    why: str
    problem: str = ""
    typed: Typed = Typed()  # noqa: RUF009 - immutable


@page("GET", "HEAD")
def my_tasks(http: HttpRequest) -> HttpResponse:
    """Show what waits for my answer, or with ?answered=1 what I said."""
    return render_tasks(http)


def render_tasks(http: HttpRequest, *, pk: int = 0, problem: str = "", status: int = 200) -> HttpResponse:
    """Return the page; `problem` says why the answer to request `pk` was not taken."""
    answered = http.method != "POST" and "answered" in http.GET
    found, tasks, more = _answered(http) if answered else _waiting(http, pk, problem)
    reviews = [] if answered else _reviews(http, pk, problem)
    shown = any(task.problem for task in [*tasks, *more]) or any(one.problem for one in reviews)
    context = {
        "now": timezone.now(),
        "reviews": reviews,
        "page": found,
        "tasks": tasks,
        "extensions": more,
        "answered": answered,
        # The request may have moved on meanwhile; then its answer has no place in the list.
        "problem": "" if shown else problem,
    }
    return render(http, "portal/tasks.html", context, status=status)


def _answered(http: HttpRequest) -> tuple[queries.Page[AccessRequest], list[Task], list[Task]]:
    found = queries.page_of(queries.answered_by(me(http)), page_number(http), ANSWERED_AT_ONCE)
    return found, [Task(access, access.mine, False) for access in found.rows], []  # type: ignore[attr-defined]


def _waiting(http: HttpRequest, pk: int, problem: str) -> tuple[queries.Page[AccessRequest], list[Task], list[Task]]:
    """Return one page of requests and one of extensions; there is another page when there is more of either."""
    user, number = me(http), page_number(http)
    extensions = queries.page_of(queries.extension_tasks_of(user), number)
    found = queries.page_of(queries.tasks_of(user), number)
    history = queries.asked_before(found.rows, timezone.now()) if found.rows else {}
    about = http.resolver_match.kwargs.get("extension") if http.resolver_match else None
    typed = typed_in(http)
    tasks = [task_of(one, history, *((problem, typed) if one.pk == pk and about is None else ())) for one in found.rows]
    more = [extension_task_of(one, *((problem, typed) if one.pk == about else ())) for one in extensions.rows]
    return queries.Page(found.rows, number, found.more or extensions.more), tasks, more


def _reviews(http: HttpRequest, pk: int, problem: str) -> list[Owed]:
    """Return the reviews that are owed, what is due first comes first; few, for the glass is seldom broken."""
    user, now, typed = me(http), timezone.now(), typed_in(http)
    owed = []
    for one in queries.review_tasks_of(user)[: queries.PAGE]:
        mine = next((named.why for named in one.reviewers.all() if named.person_id == user.pk), "")
        told = (problem, typed) if one.request_id == pk and "note" in http.POST else ()
        why = mine or "You may revoke anybody’s access"
        owed.append(Owed(one.request, one.due_at, one.due_at <= now, why, *told))
    return owed


def escalated_after(asked: Sequence[Approval | ExtensionApproval], since: datetime) -> str:
    """Say how long nobody had answered when a later tier was asked; nothing of who was asked at once."""
    later = [one.asked_at for one in asked if one.tier and one.asked_at]
    waited = (min(later) - since).total_seconds() if later else 0
    return roughly(waited) if waited >= MINUTE else ""


def task_of(
    access: AccessRequest,
    history: History,
    problem: str = "",
    typed: Typed | None = None,
) -> Task:
    """Return a request as a task; it was read with queries.tasks_of."""
    units = units_of(access)
    return Task(
        access=access,
        mine=access.mine,  # type: ignore[attr-defined]  # prefetched by queries.tasks_of
        reason_required=access.flow_version.document["settings"]["approver_reason_required"],
        hints=hints_of(access, history),
        risk=risk_of(units),
        times=times_at_most(access.duration_seconds, typed.seconds if typed and typed.narrow else None),
        may_narrow=len(units) <= UNITS_TO_CHOOSE,
        escalated=escalated_after(access.mine, access.requested_at),  # type: ignore[attr-defined]
        problem=problem,
        typed=typed or Typed(),
    )


def extension_task_of(extension: Extension, problem: str = "", typed: Typed | None = None) -> Task:
    """Return an extension as a task; it was read with queries.extension_tasks_of."""
    return Task(
        access=extension.request,
        mine=extension.mine,  # type: ignore[attr-defined]  # prefetched by queries.extension_tasks_of
        reason_required=extension.flow_version.document["settings"]["approver_reason_required"],
        hints=hints_of_extension(extension),
        risk=risk_of(units_of(extension.request)),
        extension=extension,
        escalated=escalated_after(extension.mine, extension.requested_at),  # type: ignore[attr-defined]
        problem=problem,
        typed=typed or Typed(),
    )
