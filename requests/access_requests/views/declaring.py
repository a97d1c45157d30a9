"""Ends that are overdue, on one page; and the word of two admins where nothing can be proven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from access_requests import actions
from access_requests.actions.declaring import MAY_DECLARE
from access_requests.choices import DeclarationState
from access_requests.models import Declaration
from access_requests.queries import page_of
from access_requests.queries.figures import late_before, late_ends_of, overdue_rows
from access_requests.views.answers import act, act_with_reason
from access_requests.views.common import actor_of, find, me, page, page_number


@page("GET", "HEAD")
def overdue(http: HttpRequest) -> HttpResponse:
    """Show every end that is overdue: who, what, where, since when, why not yet, and what is done about it."""
    user = me(http)
    if not user.has_perm("requests.view_accessrequest"):
        raise Http404
    rows = page_of(overdue_rows(), page_number(http))
    told = {
        "now": timezone.now(),
        "pages": rows,
        "total": overdue_rows().count(),
        "late_ends": late_ends_of(rows.rows),
        "past": late_before(),
        "may_hurry": user.has_perm("integrations.retry_order"),
        "may_declare": user.has_perm(MAY_DECLARE),
        "declarations": Declaration.objects.filter(state=DeclarationState.WAITING)
        .select_related("request__grantee", "proposed_by")
        .order_by("proposed_at"),
    }
    return render(http, "portal/overdue.html", told)


@page("POST")
def declare(http: HttpRequest, pk: int) -> HttpResponse:
    """Declare that access is over: an admin, with how they know."""
    access = find(http, pk)
    say, said = actions.propose_end, f"{access} is declared over. It counts once another admin confirms it."
    return act_with_reason(http, access, lambda why: say(access, user=me(http), actor=actor_of(http), reason=why), said)


@page("POST")
def confirm_declaration(http: HttpRequest, pk: int, declaration: int) -> HttpResponse:
    """Say it too: another admin."""
    return _decide(http, pk, declaration, actions.confirm_end, "is over, declared by two.")


@page("POST")
def refuse_declaration(http: HttpRequest, pk: int, declaration: int) -> HttpResponse:
    """Say no: another admin."""
    return _decide(http, pk, declaration, actions.refuse_end, "goes on being revoked.", note=http.POST.get("note", ""))


@page("POST")
def withdraw_declaration(http: HttpRequest, pk: int, declaration: int) -> HttpResponse:
    """Take one's own word back."""
    return _decide(http, pk, declaration, actions.withdraw_end, "goes on being revoked.")


def _decide(
    http: HttpRequest, pk: int, declaration: int, do: Callable[..., Any], said: str, **more: Any
) -> HttpResponse:
    access = find(http, pk)
    found = Declaration.objects.select_related("request").filter(pk=declaration, request=access).first()
    if found is None:
        raise Http404
    return act(http, access, lambda: do(found, user=me(http), actor=actor_of(http), **more), f"{access} {said}")
