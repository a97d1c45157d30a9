"""What people do to a request: forms that post, and land on a page that says what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from access_requests import actions
from access_requests.choices import RequestState
from access_requests.forms import ApprovalForm, ReasonForm
from access_requests.models import AccessRequest
from access_requests.views.common import actor_of, find, me, page
from access_requests.views.home import render_home
from access_requests.views.landing import render_ending
from access_requests.views.request import render_request
from access_requests.views.tasks import render_tasks

# The pages a form may name as its own, and their addresses; anything else goes to the request's page.
HOME, TASKS, ENDING = "home", "tasks", "ending"


@page("POST")
def withdraw(http: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a request before access: requestor or grantee."""
    access = find(http, pk)
    cancel = actions.cancel
    return act(http, access, lambda: cancel(access, user=me(http), actor=actor_of(http)), f"{access} was withdrawn.")


@page("POST")
def hand_back(http: HttpRequest, pk: int) -> HttpResponse:
    """Give access back early: the grantee."""
    access = find(http, pk)
    give, said = actions.hand_back, f"{access} was handed back."
    return act(http, access, lambda: give(access, user=me(http), actor=actor_of(http)), said)


@page("POST")
def grant_again(http: HttpRequest, pk: int) -> HttpResponse:
    """Order again what vanished: the grantee, or an admin."""
    access = find(http, pk)
    order, said = actions.grant_again, f"What was missing of {access} is being granted again."
    return act(http, access, lambda: order(access, user=me(http), actor=actor_of(http)), said)


@page("POST")
def revoke(http: HttpRequest, pk: int) -> HttpResponse:
    """Take access away, with a reason: an admin, or an approver who approved it."""
    access = find(http, pk)
    take, said = actions.revoke, f"{access} was revoked."
    return act_with_reason(
        http, access, lambda why: take(access, user=me(http), actor=actor_of(http), reason=why), said
    )


@page("POST")
def approve(http: HttpRequest, pk: int) -> HttpResponse:
    """Approve: who was asked to. With `narrow`, only the units ticked, for the time chosen."""
    access, form = find(http, pk), ApprovalForm(http.POST)
    if not form.is_valid():
        return refused(http, pk, " ".join(str(error) for errors in form.errors.values() for error in errors), 422)
    given = form.cleaned_data
    common: dict[str, Any] = {"approver": me(http), "actor": actor_of(http), "reason": given["reason"]}
    if not given["narrow"]:
        return act(http, access, lambda: actions.approve(access, **common), f"{access} was approved.")
    if not given["keep"]:
        said = f"{access} was {RequestState.REJECTED.label.lower()}: nothing of it was left to approve."
        return act(http, access, lambda: actions.reject(access, **common), said)
    less = actions.approve_less
    return act(
        http,
        access,
        lambda: less(access, keep=given["keep"], duration_seconds=given["seconds"], **common),
        f"{access} was approved.",
    )


@page("POST")
def reject(http: HttpRequest, pk: int) -> HttpResponse:
    """Reject: who was asked to approve."""
    access = find(http, pk)
    say_no, said = actions.reject, f"{access} was rejected."
    return act_with_reason(
        http, access, lambda why: say_no(access, approver=me(http), actor=actor_of(http), reason=why), said
    )


def act_with_reason(http: HttpRequest, access: AccessRequest, do: Callable[[str], Any], said: str) -> HttpResponse:
    """Do what takes a reason, as `act` does."""
    form = ReasonForm(http.POST)
    if not form.is_valid():
        return refused(http, access.pk, " ".join(map(str, form.errors["reason"])), 422)
    return act(http, access, lambda: do(form.cleaned_data["reason"]), said)


def act(http: HttpRequest, access: AccessRequest, do: Callable[[], Any], said: str) -> HttpResponse:
    """Do it and go back to the page it came from. Who has no part in it gets the 404 of what is not there."""
    try:
        do()
    except actions.NotYours:
        raise Http404 from None
    except actions.NotPossible as problem:
        return refused(http, access.pk, str(problem), 409)
    if said:
        messages.success(http, said)
    back = http.POST.get("back")
    if back == HOME:
        return redirect("my_access")
    return redirect("my_tasks") if back == TASKS else redirect("request_page", pk=access.pk)


def refused(http: HttpRequest, pk: int, problem: str, status: int) -> HttpResponse:
    """Show the page it came from again, with the problem and what was typed."""
    back = http.POST.get("back")
    if back == HOME:
        return render_home(http, problem=problem, status=status)
    if back == TASKS:
        return render_tasks(http, pk=pk, problem=problem, status=status)
    if back == ENDING:
        return render_ending(http, pk, problem=problem, status=status)
    return render_request(http, pk, problem=problem, status=status)
