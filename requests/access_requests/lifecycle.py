"""The machine: one table of moves, and the one way to make one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.choices import FINAL, REQUEST_MOVED, TOLD, RequestState, ReviewState
from access_requests.events import moved, tell
from access_requests.models import AccessRequest, Review, Transition
from audit.actions import Subject, record
from audit.actor import Actor

_S = RequestState
# What broke the glass is to be reviewed this long after access has ended, or came to nothing.
REVIEW_WITHIN = timedelta(hours=24)

# product.md section 2. A test walks State × State against this table.
MOVES: dict[RequestState, frozenset[RequestState]] = {
    _S.INITIALIZING: frozenset({_S.PENDING_MFA, _S.PENDING, _S.APPROVED, _S.REJECTED, _S.CANCELLED, _S.LAPSED}),
    _S.PENDING_MFA: frozenset({_S.PENDING, _S.APPROVED, _S.CANCELLED, _S.LAPSED}),
    _S.PENDING: frozenset({_S.APPROVED, _S.REJECTED, _S.CANCELLED, _S.LAPSED}),
    _S.APPROVED: frozenset({_S.GRANTING, _S.CANCELLED, _S.LAPSED}),
    _S.GRANTING: frozenset({_S.ACTIVE, _S.FAILED, _S.REVOKING}),
    _S.ACTIVE: frozenset({_S.REVOKING}),
    _S.REVOKING: frozenset({_S.REVOKED}),
    _S.REVOKED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.LAPSED: frozenset(),
}


class IllegalMove(ValueError):
    """A move that is not in the table: a defect in the caller, never a lost race."""


def subject_of(request: AccessRequest) -> Subject:
    """Return the snapshot of a request that an audit entry keeps."""
    return Subject("request", str(request.pk), str(request))


def move(
    request: AccessRequest,
    to: RequestState,
    *,
    actor: Actor,
    reason: str = "",
    at: datetime | None = None,
    details: dict[str, Any] | None = None,
    **fields: Any,
) -> bool:
    """Move `request` to state `to`, setting `fields`: compare-and-swap, transition row and audit entry in one.

    False when somebody else moved it first, which is normal. Raises IllegalMove for a move that is not in the table.
    """
    moment, origin = at or timezone.now(), RequestState(request.state)
    if to not in MOVES[origin]:
        raise IllegalMove(f"{origin} never becomes {to}")
    with transaction.atomic():
        if not AccessRequest.objects.filter(pk=request.pk, state=origin).update(state=to, **fields):
            return False
        Transition.objects.create(
            request=request,
            from_state=origin,
            to_state=to,
            at=moment,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            reason=reason,
            operation=actor.operation,
        )
        kept = {"from": origin.value, "to": to.value, **({"reason": reason} if reason else {}), **(details or {})}
        record(f"request.{to.value}", actor=actor, subject=subject_of(request), details=kept, at=moment)
        if request.break_glass:
            _due_review(request, to, fields.get("ends_at"), moment)
        if to in TOLD:
            tell(REQUEST_MOVED, request.pk, to.value)
        moved(request.pk)
    request.state = to
    for name, value in fields.items():
        setattr(request, name, value)
    return True


def _due_review(request: AccessRequest, to: RequestState, ends_at: datetime | None, at: datetime) -> None:
    """Say when the review is due that a request with broken glass owes: some time after access ends."""
    if to == RequestState.ACTIVE or to in FINAL:
        due_at = (ends_at or at) + REVIEW_WITHIN
        Review.objects.filter(request=request, state=ReviewState.DUE).update(due_at=due_at)
