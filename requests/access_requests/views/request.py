"""The page of one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from access_requests import queries
from access_requests.actions import drifting
from access_requests.choices import HOLDS_ACCESS, EndedHow, RequestState
from access_requests.models import AccessRequest, Approval, ExtensionApproval
from access_requests.queries.drift import drift_of
from access_requests.views.choosing import times_at_most, times_to_add
from access_requests.views.common import find_in_full, me, page
from access_requests.views.connecting import Grant, connect_of
from access_requests.views.hints import hints_of, risk_of, units_of
from access_requests.views.rules import May, may_of
from access_requests.views.timeline import events_of
from access_requests.views.typed import Typed, typed_in
from access_requests.views.words import approvals_needed, why_asked, why_held
from accounts.models import User


@dataclass(frozen=True, slots=True)
class Asked:
    """An approver, why they are asked, and what they said."""

    approval: Approval | ExtensionApproval
    why: str


@page("GET", "HEAD")
def request_page(http: HttpRequest, pk: int) -> HttpResponse:
    """Show one request to whoever may see it."""
    return render_request(http, pk)


@page("GET", "HEAD")
def request_part(http: HttpRequest, pk: int) -> HttpResponse:
    """Return the part of the page that changes, as the page includes it."""
    return render(http, "portal/_request.html", _context(http, find_in_full(http, pk)))


@sensitive_variables("secret", "context")
def render_request(
    http: HttpRequest, pk: int, *, problem: str = "", secret: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    """Return the page. `problem` says why something was not done; what was typed with it is shown again.

    `secret` is shown in this answer and kept nowhere.
    """
    context = _context(http, find_in_full(http, pk), typed_in(http))
    context |= {"problem": problem, "secret": secret or {}}
    return render(http, "portal/request.html", context, status=status)


def _context(http: HttpRequest, access: AccessRequest, typed: Typed | None = None) -> dict[str, Any]:
    user, document, approvals = me(http), access.flow_version.document, list(access.approvals.all())
    errors = queries.last_errors(access) if access.state in HOLDS_ACCESS else {}
    live = access.grantee_id == user.pk and access.state == RequestState.ACTIVE
    groups = list(access.access_groups.all())
    may = may_of(user, access, approvals)
    drift = drift_of(access) if not approvals or any(group.dispatched_at for group in groups) else []
    return {
        "now": timezone.now(),
        "access": access,
        "may": may,
        "typed": typed or Typed(),
        "is_grantee": access.grantee_id == user.pk,
        "is_favourite": may.keep and queries.is_favourite(user, access),
        "grants": [Grant(one, errors.get(one.integration_id, {}), connect_of(one) if live else None) for one in groups],
        "dispatched": any(group.dispatched_at for group in groups),
        "asked": [Asked(one, _why(document, one)) for one in approvals],
        "systems": [one for one in access.webhook_calls.all() if one.group_index is not None],
        "asking": [one for one in access.webhook_calls.all() if one.is_asked_in(access.state)],
        "approvals_needed": approvals_needed(document),
        "why_held": why_held(access, user),
        "risk": risk_of(units_of(access)),
        "unit_count": len(units_of(access)),
        "events": events_of(access),
        "reopened": [one for one in drift if one.is_reopened],
        "vanished": [one for one in drift if not (one.is_foreign or one.is_reopened)]
        if access.state == RequestState.ACTIVE
        else [],
        "may_grant_again": access.grantee_id == user.pk or user.has_perm(drifting.MAY),
        "adopted": next((one for one in drift if one.is_foreign), None),
        "together": queries.asked_together(user, access),
        "declaration": queries.declaration_of(access) if may.declare else None,
        "declared": queries.declared_by(access) if access.ended_how == EndedHow.DECLARED else "",
        **_extending(user, access, may),
        **(_answering(access, typed) if may.answer else {}),
    }


def _why(document: dict[str, Any], one: Approval | ExtensionApproval) -> str:
    """Return why somebody is asked, for any reader."""
    if one.stands_in_for is not None:
        return f"Stands in for {one.stands_in_for.name}, who is away"
    return why_asked(document, one.group_index)


def _extending(user: User, access: AccessRequest, may: May) -> dict[str, Any]:
    """Return what the page says of more time: what may be asked for, and what waits, with the approvers asked."""
    waits = next((one for one in access.extensions.all() if one.waits), None)
    asked = list(waits.approvals.all()) if waits else []
    document = waits.flow_version.document if waits else {}
    return {
        "times": times_to_add(may.extend.seconds) if may.extend else [],
        "extension": waits,
        "extension_asked": [Asked(one, _why(document, one)) for one in asked],
        "may_answer_extension": any(one.approver_id == user.pk and one.decided_at is None for one in asked),
    }


def _answering(access: AccessRequest, typed: Typed | None) -> dict[str, Any]:
    """Return what an approver sees beside the request: what to know, and how much less there is to give."""
    return {
        "reason_required": access.flow_version.document["settings"]["approver_reason_required"],
        "hints": hints_of(access, queries.asked_before([access], timezone.now())),
        "answer_times": times_at_most(access.duration_seconds, typed.seconds if typed and typed.narrow else None),
    }
