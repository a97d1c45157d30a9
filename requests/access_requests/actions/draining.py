"""What becomes of access that drains: it is looked at, its time runs out, or it is cut short.

The sweep is the truth: `drain_look_at` says when there is something to do; it moves on in the transaction that does it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from access_requests.actions.grants import reorder
from access_requests.actions.rules import each, lock_person
from access_requests.choices import EndReason
from access_requests.draining import DRAINING, may_drain, next_look
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessRequest
from accounts.models import User
from audit.actions import record
from audit.actor import Actor, system
from integrations.queries import open_order

BATCH = 2000


def sweep_draining(*, at: datetime) -> int:
    """End what has drained for as long as it may, and look whether sessions are left. Return how much was done."""
    due = AccessRequest.objects.filter(DRAINING, drain_look_at__lte=at).order_by("drain_look_at", "pk")
    return each(due[:BATCH], lambda row: _go_on(row, at), sweep="draining")


def _go_on(row: AccessRequest, at: datetime) -> bool:
    with transaction.atomic():
        person = lock_person(row.grantee_id)
        row = AccessRequest.objects.select_for_update().get(pk=row.pk)
        if not may_drain(row) or row.drain_look_at is None or row.drain_look_at > at:
            return False
        if row.drains_until is not None and row.drains_until > at:
            AccessRequest.objects.filter(pk=row.pk).update(drain_look_at=next_look(row, at))
            return _look(row, person, at)
        AccessRequest.objects.filter(pk=row.pk).update(drain_look_at=None)
        details = {"until": row.drains_until.isoformat() if row.drains_until else ""}
        record("request.drain_over", actor=system(), subject=subject_of(row), details=details, at=at)
        _order(row, person, at)
    return True


def _look(row: AccessRequest, person: User, at: datetime) -> bool:
    """Order the same again where nothing is under way: if no session is left the rest is ended with it."""
    left = row.access_groups.filter(draining_at__isnull=False, ended_at__isnull=True).select_related("integration")
    idle = [group for group in left if open_order(group.integration_id, person.pk) is None]
    for group in idle:
        reorder(person, group.integration, at=at)
    return bool(idle)


def cut_short(
    row: AccessRequest, person: User, reason: EndReason, *, actor: Actor, note: str, since: datetime, at: datetime
) -> bool:
    """End at once what drains, for a better reason than time. False when it does not drain (any more).

    The caller has locked the person and the row.
    """
    if not may_drain(row) or row.drains_until is None or row.due_at is None or reason == EndReason.TIME:
        return False
    cut = min(row.drains_until, since)
    told: dict[str, Any] = {"drains_until": cut, "drain_look_at": None, "due_at": min(row.due_at, cut)}
    AccessRequest.objects.filter(pk=row.pk).update(**told, end_reason=reason, note=note)
    why = note or str(EndReason(reason).label)
    details = {"was_until": row.drains_until.isoformat(), "reason": why}
    record("request.drain_cut", actor=actor, subject=subject_of(row), details=details, at=at)
    _order(row, person, at)
    return True


def _order(row: AccessRequest, person: User, at: datetime) -> None:
    """Order the whole end of what is left."""
    left = row.access_groups.filter(dispatched_at__isnull=False, ended_at__isnull=True).select_related("integration")
    for group in left:
        reorder(person, group.integration, at=at)
    moved(row.pk)
