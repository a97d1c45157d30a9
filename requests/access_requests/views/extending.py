"""More time: asking for it, answering, withdrawing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from access_requests import actions
from access_requests.choices import ExtensionState
from access_requests.forms import ExtendForm
from access_requests.models import Extension
from access_requests.views.answers import act, act_with_reason, refused
from access_requests.views.common import actor_of, find, me, page
from accounts.proving import proven
from flows.decision import words_for


@page("POST")
def extend(http: HttpRequest, pk: int) -> HttpResponse:
    """Ask for more time: requestor or grantee."""
    access, form = find(http, pk), ExtendForm(http.POST)
    if not form.is_valid():
        problem = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return refused(http, pk, problem, 422)
    made: list[Extension] = []
    given = form.cleaned_data | {"mfa_at": proven(http, timezone.now())}
    answer = act(
        http,
        access,
        lambda: made.append(actions.extend(access, user=me(http), actor=actor_of(http), **given)),
        "",
    )
    if made:
        messages.success(http, _said(made[0]))
    return answer


def _said(extension: Extension) -> str:
    more = words_for(extension.seconds)
    if extension.state == ExtensionState.APPROVED:
        return f"Extended by {more}."
    return f"Asked for {more} more. Access stays active until its end while the approvers are asked."


@page("POST")
def approve_extension(http: HttpRequest, pk: int, extension: int) -> HttpResponse:
    """Approve more time: who was asked to."""
    return _answer(http, pk, extension, actions.approve_extension, "approved")


@page("POST")
def reject_extension(http: HttpRequest, pk: int, extension: int) -> HttpResponse:
    """Reject more time: who was asked to approve it."""
    return _answer(http, pk, extension, actions.reject_extension, "rejected")


def _answer(http: HttpRequest, pk: int, extension: int, do: Callable[..., Any], said: str) -> HttpResponse:
    access = find(http, pk)
    row = get_object_or_404(Extension, pk=extension, request=access)
    return act_with_reason(
        http, access, lambda why: do(row, approver=me(http), actor=actor_of(http), reason=why), f"{row} was {said}."
    )


@page("POST")
def withdraw_extension(http: HttpRequest, pk: int, extension: int) -> HttpResponse:
    """Withdraw an ask for more time: requestor or grantee."""
    access = find(http, pk)
    row = get_object_or_404(Extension, pk=extension, request=access)
    withdraw = actions.cancel_extension
    return act(http, access, lambda: withdraw(row, user=me(http), actor=actor_of(http)), f"{row} was withdrawn.")
