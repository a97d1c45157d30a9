"""How a request begins: checks, then the second factor, then approvers. One function looks at what is still owed.

Whatever is settled (another system answers, a second factor is proven) calls `advance` in the transaction that wrote
it; the sweep calls it for what a crash left behind. So the order of the steps stands here and nowhere else.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.tiers import escalates_at
from access_requests.choices import CallState, EndReason, RequestState
from access_requests.events import ring_dispatch
from access_requests.lifecycle import move
from access_requests.models import AccessRequest
from audit.actor import Actor, system
from flows.choices import ApprovalMode
from flows.decision.windows import opens_at

# How long an approved request may wait for its dispatch before it lapses; from when its flow's window opens.
APPROVED_FOR = timedelta(hours=24)
_BEGINNING = (RequestState.INITIALIZING, RequestState.PENDING_MFA)


def advance(request: AccessRequest, *, at: datetime | None = None) -> bool:
    """Move a request that begins as far as it may go now. False when something is still owed, or it has begun."""
    moment = at or timezone.now()
    with transaction.atomic():
        locked = AccessRequest.objects.select_for_update(of=("self",), no_key=True).select_related("flow_version")
        row = locked.get(pk=request.pk)
        if row.state not in _BEGINNING:
            return False
        moved = _step(row, moment)
    request.state = row.state
    return moved


def _step(row: AccessRequest, at: datetime) -> bool:
    """Take the one step that what is owed allows."""
    if row.state == RequestState.INITIALIZING:
        checks = row.webhook_calls.filter(group_index__isnull=True)
        refused = checks.filter(state__in=[CallState.NO, CallState.FAILED]).first()
        if refused is not None:
            return reject_by_check(row, refused.message, at)
        if checks.filter(state=CallState.WAITING).exists():
            return False
        if owes_factor(row):
            return move(row, RequestState.PENDING_MFA, actor=system(), at=at)
    elif owes_factor(row):
        return False
    return _to_approvers(row, at)


def owes_factor(row: AccessRequest) -> bool:
    """Whether the requestor has still to prove a second factor."""
    wanted = bool(row.flow_version.document["settings"].get("mfa_required")) or row.requestor.is_outside
    return wanted and row.mfa_at is None and not row.automatic


def reject_by_check(row: AccessRequest, message: str, at: datetime) -> bool:
    """End a request to which another system said no."""
    ended: dict[str, Any] = {"decided_at": at, "ended_at": at, "end_reason": EndReason.REJECTED, "note": message}
    return move(row, RequestState.REJECTED, actor=system(), reason=message, at=at, **ended)


def _to_approvers(row: AccessRequest, at: datetime) -> bool:
    """Leave it to the approvers, or approve it where nobody has to."""
    document = row.flow_version.document
    if row.break_glass:
        return approve_now(row, actor=system(), reason="The glass was broken: it opens at once and is reviewed.", at=at)
    if row.automatic or document["approval"]["mode"] == ApprovalMode.NONE:
        reason = f"The access flow {document['name']} asks for nobody’s approval."
        return approve_now(row, actor=system(), reason=reason, at=at)
    later = escalates_at(document, row.asked_tier, at)
    return move(row, RequestState.PENDING, actor=system(), at=at, escalates_at=later)


def approve_now(row: AccessRequest, *, actor: Actor, reason: str, at: datetime) -> bool:
    """Make a request approved, and hurry its dispatch. Outside the flow's window it may wait for the next opening."""
    opening = opens_at(row.flow_version.document.get("timeframe"), at)
    told: dict[str, Any] = {"decided_at": at, "lapses_at": (opening or at) + APPROVED_FOR}
    done = move(row, RequestState.APPROVED, actor=actor, reason=reason, at=at, **told)
    ring_dispatch()
    return done
