"""Proposals to declare access ended: how one is settled and recorded, and how a proof makes it fall away."""

from __future__ import annotations

from datetime import datetime

from access_requests.choices import DeclarationState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessRequest, Declaration
from accounts.models import User
from audit.actions import record
from audit.actor import Actor


def fall_away(request: AccessRequest, *, actor: Actor, at: datetime) -> None:
    """Close the proposal that waits, for the end was proven. The caller holds the lock on the person."""
    for made in Declaration.objects.filter(request=request, state=DeclarationState.WAITING).select_related("request"):
        settle_declaration(made, DeclarationState.PROVEN, None, "", at)
        record_declaration(made, "declaration.proven", actor, at)


def settle_declaration(made: Declaration, state: DeclarationState, by: User | None, note: str, at: datetime) -> None:
    """Write what became of a proposal, by whom and why."""
    made.state, made.decided_by, made.decided_at, made.decision_note = state, by, at, note
    made.save(update_fields=["state", "decided_by", "decided_at", "decision_note", "unproven"])


def record_declaration(made: Declaration, action: str, actor: Actor, at: datetime) -> None:
    """Write the audit entry of a step, and tell who watches the request."""
    details = {
        "declaration": str(made.pk),
        "proposed_by": made.proposed_by.email,
        "reason": made.reason,
        **({"decided_by": made.decided_by.email} if made.decided_by else {}),
        **({"note": made.decision_note} if made.decision_note else {}),
        **({"unproven": made.unproven} if made.unproven else {}),
    }
    record(action, actor=actor, subject=subject_of(made.request), details=details, at=at)
    moved(made.request_id)
