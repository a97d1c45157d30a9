"""The page that the letter before an end leads to: one more time, or done. Opening it changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from allauth.decorators import rate_limit
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from access_requests.models import AccessRequest
from access_requests.views.common import View, find_in_full, me, page
from access_requests.views.rules import may_of
from access_requests.views.typed import typed_in
from accounts.proving import asking, proven, try_factor

_limited: Callable[[View], View] = rate_limit(action="second_factor")


@sensitive_post_parameters()
@page("GET", "HEAD", "POST")
def access_ending(http: HttpRequest, pk: int) -> HttpResponse:
    """Show requestor or grantee what ends and the two buttons; a POST proves the second factor that more time takes."""
    if http.method != "POST":
        return render_ending(http, pk)
    _find(http, pk)
    return _try(http, pk)


@_limited
def _try(http: HttpRequest, pk: int) -> HttpResponse:
    problem = try_factor(http)
    return render_ending(http, pk, problem=problem, status=422) if problem else redirect("access_ending", pk=pk)


def render_ending(http: HttpRequest, pk: int, *, problem: str = "", status: int = 200) -> HttpResponse:
    """Return the page. `problem` says why something was not done; what was typed with it is shown again."""
    access, now = _find(http, pk), timezone.now()
    may = may_of(me(http), access, ())
    owes = bool(may.extend and may.extend.wants_factor and proven(http, now) is None)
    told = {"now": now, "access": access, "may": may, "owes_factor": owes, "problem": problem, "typed": typed_in(http)}
    return render(http, "portal/ending.html", told | (asking(http) if owes else {}), status=status)


def _find(http: HttpRequest, pk: int) -> AccessRequest:
    """Return the request. Raises Http404 for others than the two it is about."""
    access = find_in_full(http, pk)
    if me(http).pk not in {access.requestor_id, access.grantee_id}:
        raise Http404
    return access
