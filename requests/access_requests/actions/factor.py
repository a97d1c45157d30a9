"""The requestor proves a second factor for a request that waits for it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from access_requests.actions.beginning import advance
from access_requests.actions.rules import NotPossible, NotYours
from access_requests.choices import RequestState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessRequest
from accounts.models import User
from accounts.queries import factor_counts
from audit.actions import record
from audit.actor import Actor


def prove_factor(
    request: AccessRequest, *, user: User, actor: Actor, proven_at: datetime | None = None, at: datetime | None = None
) -> AccessRequest:
    """Note that the requestor has proven a second factor, at `proven_at` (default now), and let the request go on.

    That it was proven, and how long that counts, is seen to by accounts; the page calls this with what it knows.
    Raises NotYours for everybody else, NotPossible for a request that waits for no second factor and
    for a proof that is too old.
    """
    moment = at or timezone.now()
    if user.pk != request.requestor_id or not user.is_active:
        raise NotYours("This request is not yours.")
    if proven_at is not None and not factor_counts(proven_at, moment):
        raise NotPossible("That was proven too long ago. Prove a second factor again.")
    with transaction.atomic():
        rows = AccessRequest.objects.select_for_update(of=("self",), no_key=True).filter(pk=request.pk)
        row = rows.get()
        if row.state != RequestState.PENDING_MFA or row.mfa_at is not None:
            raise NotPossible(f"This request waits for no second factor: it is {row.word.lower()}.")
        row.mfa_at = proven_at or moment
        row.save(update_fields=["mfa_at"])
        details = {"proven_at": row.mfa_at.isoformat()}
        record("request.factor_proven", actor=actor, subject=subject_of(row), details=details, at=moment)
        advance(row, at=moment)
        moved(row.pk)
    row.refresh_from_db()
    return row
