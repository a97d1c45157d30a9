"""The one page of overdue access, and what admins do about it: try now, or declare it ended, which takes two."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from access_requests import actions, queries
from access_requests.models import AccessRequest, Declaration
from access_requests.queries import overdue as reads
from access_requests.views.answers import act
from access_requests.views.common import actor_of, find, me, page, page_number
from integrations.actions import hurry_order

MAY_SEE = "requests.view_accessrequest"


@page("GET", "HEAD")
def overdue(http: HttpRequest) -> HttpResponse:
    """Show every end that is overdue, the longest due first, and those that were."""
    user = me(http)
    if not user.has_perm(MAY_SEE):
        raise PermissionDenied
    found = queries.page_of(reads.overdue_now(), page_number(http))
    context = {
        "now": timezone.now(),
        "page": found,
        "late": reads.with_orders(found.rows),
        "past": reads.overdue_before()[: queries.PAGE],
        "may_hurry": user.has_perm("integrations.retry_order"),
        "may_declare": actions.may_declare(user),
    }
    return render(http, "portal/overdue.html", context)


@page("POST")
def try_end_now(http: HttpRequest, pk: int) -> HttpResponse:
    """Make the orders of an overdue end due now."""
    access = find(http, pk)
    if not me(http).has_perm("integrations.retry_order"):
        raise Http404
    for one in reads.with_orders([access]):
        if one.order is not None:
            hurry_order(one.order, actor=actor_of(http))
    return redirect("overdue")


@page("POST")
def declare(http: HttpRequest, pk: int) -> HttpResponse:
    """Propose to declare an overdue end."""
    access, reason = find(http, pk), http.POST.get("reason", "")
    said = f"Proposed. {access} is declared ended once another admin says yes; the revoke goes on meanwhile."
    return act(
        http,
        access,
        lambda: actions.propose_end(access, user=me(http), actor=actor_of(http), reason=reason),
        said,
    )


@page("POST")
def answer_declaration(http: HttpRequest, pk: int, declaration: uuid.UUID, answer: str) -> HttpResponse:
    """Say yes or no to a proposal, or take one's own back."""
    access = find(http, pk)
    made = _proposal(access, declaration)
    told: dict[str, Any] = {"user": me(http), "actor": actor_of(http)}
    note = http.POST.get("note", "")
    if answer == "yes":
        return act(http, access, lambda: actions.second_end(made, note=note, **told), f"{access} is declared ended.")
    if answer == "no":
        return act(http, access, lambda: actions.refuse_end(made, note=note, **told), "Refused; the revoke goes on.")
    if answer == "back":
        return act(http, access, lambda: actions.take_back_end(made, **told), "Taken back; the revoke goes on.")
    raise Http404


def _proposal(access: AccessRequest, pk: uuid.UUID) -> Declaration:
    made = access.declarations.select_related("request", "proposed_by").filter(pk=pk).first()
    if made is None:
        raise Http404
    return made
