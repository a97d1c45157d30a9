"""What people do to a request: forms that post, and land on a page that says what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from access_requests import actions
from access_requests.forms import ReasonForm
from access_requests.models import AccessRequest
from access_requests.views.common import actor_of, find, me, page
from access_requests.views.home import render_home
from access_requests.views.request import render_request
from access_requests.views.tasks import render_tasks

# The pages a form may name as its own, and their addresses; anything else goes to the request's page.
HOME, TASKS = "home", "tasks"


@page("POST")
def withdraw(http: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a request before access: requestor or grantee."""
    return _act(http, pk, lambda access: actions.cancel(access, user=me(http), actor=actor_of(http)), "withdrawn")


@page("POST")
def hand_back(http: HttpRequest, pk: int) -> HttpResponse:
    """Give access back early: the grantee."""
    return _act(http, pk, lambda access: actions.hand_back(access, user=me(http), actor=actor_of(http)), "handed back")


@page("POST")
def revoke(http: HttpRequest, pk: int) -> HttpResponse:
    """Take access away, with a reason: an admin, or an approver who approved it."""
    return _act_with_reason(
        http, pk, lambda access, why: actions.revoke(access, user=me(http), actor=actor_of(http), reason=why), "revoked"
    )


@page("POST")
def approve(http: HttpRequest, pk: int) -> HttpResponse:
    """Approve: who was asked to."""
    return _act_with_reason(
        http,
        pk,
        lambda access, why: actions.approve(access, approver=me(http), actor=actor_of(http), reason=why),
        "approved",
    )


@page("POST")
def reject(http: HttpRequest, pk: int) -> HttpResponse:
    """Reject: who was asked to approve."""
    return _act_with_reason(
        http,
        pk,
        lambda access, why: actions.reject(access, approver=me(http), actor=actor_of(http), reason=why),
        "rejected",
    )


def _act_with_reason(http: HttpRequest, pk: int, do: Callable[[AccessRequest, str], Any], said: str) -> HttpResponse:
    form = ReasonForm(http.POST)
    if not form.is_valid():
        find(http, pk)
        return _refused(http, pk, " ".join(map(str, form.errors["reason"])), 422)
    return _act(http, pk, lambda access: do(access, form.cleaned_data["reason"]), said)


def _act(http: HttpRequest, pk: int, do: Callable[[AccessRequest], Any], said: str) -> HttpResponse:
    """Do it and go back to the page it came from. Who has no part in it gets the 404 of what is not there."""
    access = find(http, pk)
    try:
        do(access)
    except actions.NotYours:
        raise Http404 from None
    except actions.NotPossible as problem:
        return _refused(http, pk, str(problem), 409)
    messages.success(http, f"{access} was {said}.")
    back = http.POST.get("back")
    if back == HOME:
        return redirect("my_access")
    return redirect("my_tasks") if back == TASKS else redirect("request_page", pk=pk)


def _refused(http: HttpRequest, pk: int, problem: str, status: int) -> HttpResponse:
    """Show the page it came from again, with the problem and what was typed."""
    typed, back = http.POST.get("reason", ""), http.POST.get("back")
    if back == HOME:
        return render_home(http, problem=problem, status=status)
    if back == TASKS:
        return render_tasks(http, pk=pk, problem=problem, typed=typed, status=status)
    return render_request(http, pk, problem=problem, typed=typed, status=status)
