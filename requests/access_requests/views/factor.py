"""The requestor’s second factor: asked for by a page of its own, before approvers hear of the request."""

from __future__ import annotations

from collections.abc import Callable

from allauth.decorators import rate_limit
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from access_requests import actions
from access_requests.choices import RequestState
from access_requests.models import AccessRequest
from access_requests.views.common import View, actor_of, find, me, page
from accounts.proving import asking, proven, try_factor

_limited: Callable[[View], View] = rate_limit(action="second_factor")


@sensitive_post_parameters()
@page("GET", "HEAD", "POST")
def request_factor(http: HttpRequest, pk: int) -> HttpResponse:
    """Ask the requestor for a second factor; what was proven in this session within the hour takes one press."""
    access = find(http, pk)
    if access.requestor_id != me(http).pk:
        raise Http404
    if access.state != RequestState.PENDING_MFA:
        return redirect("request_page", pk=pk)
    if http.method != "POST":
        return _show(http, access)
    already = proven(http, timezone.now())
    return _go_on(http, access) if already is not None else _try(http, access)


@_limited
def _try(http: HttpRequest, access: AccessRequest) -> HttpResponse:
    problem = try_factor(http)
    return _show(http, access, problem) if problem else _go_on(http, access)


def _go_on(http: HttpRequest, access: AccessRequest) -> HttpResponse:
    """Let the request go on. Whoever was quicker, in another tab, has done the same."""
    now = timezone.now()
    try:
        actions.prove_factor(access, user=me(http), actor=actor_of(http), proven_at=proven(http, now), at=now)
    except actions.NotPossible as problem:
        messages.error(http, str(problem))
    else:
        messages.success(http, f"{access} goes on.")
    return redirect("request_page", pk=access.pk)


def _show(http: HttpRequest, access: AccessRequest, problem: str = "") -> HttpResponse:
    now = timezone.now()
    context = {"access": access, "now": now, "problem": problem, "proven_at": proven(http, now), **asking(http)}
    return render(http, "portal/second_factor.html", context, status=422 if problem else 200)
