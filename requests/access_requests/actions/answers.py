"""Answers of approvers."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from access_requests.actions.beginning import approve_now
from access_requests.actions.routing import route_locked
from access_requests.actions.rules import NotPossible, NotYours, answer_rows, enough
from access_requests.actions.standing_in import current
from access_requests.choices import ApprovalStatus, EndReason, RequestState
from access_requests.events import moved
from access_requests.lifecycle import move, subject_of
from access_requests.models import AccessRequest, AccessUnit, Approval, Narrowing
from accounts.models import User
from audit.actions import record
from audit.actor import Actor


def approve(
    request: AccessRequest, *, approver: User, actor: Actor, reason: str = "", at: datetime | None = None
) -> AccessRequest:
    """Say yes. When that was the last yes needed, the request is approved and its dispatch is hurried.

    Raises NotYours for who was not asked, NotPossible when it waits no longer, was answered by them before, or the
    flow wants a reason.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        row = _answer(request, approver, ApprovalStatus.APPROVED, reason, moment)
        details = {"reason": reason.strip()}
        record("request.approval_given", actor=actor, subject=subject_of(row), details=details, at=moment)
        if enough(row.approvals.all(), row.flow_version.document, row.webhook_calls.all()):
            approve_now(row, actor=actor, reason=reason.strip(), at=moment)
        moved(row.pk)
    return row


def approve_less(
    request: AccessRequest,
    *,
    approver: User,
    actor: Actor,
    keep: Iterable[uuid.UUID],
    duration_seconds: int | None,
    reason: str = "",
    at: datetime | None = None,
) -> AccessRequest:
    """Say yes to the units in `keep` for `duration_seconds` (None: without an end, if that was asked for).

    Whoever answers afterwards sees the smaller request. All of it is a plain yes; none of it is a no. Raises as
    `approve` does, and NotPossible for more than there is: an approver gives less, never more.
    """
    moment, kept = at or timezone.now(), set(keep)
    if not kept:
        return reject(request, approver=approver, actor=actor, reason=reason, at=moment)
    with transaction.atomic():
        row = AccessRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
        if row.state == RequestState.PENDING and row.approvals.filter(approver=approver).exists():
            units = list(AccessUnit.objects.filter(group__request=row).select_related("group__integration"))
            _check_less(row, {unit.pk for unit in units}, kept, duration_seconds)
            dropped = [unit for unit in units if unit.pk not in kept]
            if dropped or duration_seconds != row.duration_seconds:
                _narrow(row, dropped, duration_seconds, approver=approver, actor=actor, at=moment)
        return approve(row, approver=approver, actor=actor, reason=reason, at=moment)


def _check_less(row: AccessRequest, there: set[uuid.UUID], kept: set[uuid.UUID], seconds: int | None) -> None:
    if not kept <= there:
        raise NotPossible("Another approver has made this request smaller meanwhile. Look again before you answer.")
    longest = row.duration_seconds
    if seconds is None and longest is not None:
        raise NotPossible("An approver gives less time, never more.")
    if seconds is not None and (seconds < 1 or (longest is not None and seconds > longest)):
        raise NotPossible("An approver gives less time, never more.")


def reject(
    request: AccessRequest, *, approver: User, actor: Actor, reason: str = "", at: datetime | None = None
) -> AccessRequest:
    """Say no; one no ends the request. Raises as `approve` does."""
    moment = at or timezone.now()
    with transaction.atomic():
        row = _answer(request, approver, ApprovalStatus.REJECTED, reason, moment)
        move(
            row,
            RequestState.REJECTED,
            actor=actor,
            reason=reason.strip(),
            at=moment,
            decided_at=moment,
            ended_at=moment,
            end_reason=EndReason.REJECTED,
            note=reason.strip(),
        )
    return row


def _answer(request: AccessRequest, approver: User, status: ApprovalStatus, reason: str, at: datetime) -> AccessRequest:
    """Write the approver's answer into all their rows of the request, under its lock."""
    # No key: rows that merely point at the request may be written meanwhile.
    locked = AccessRequest.objects.select_for_update(of=("self",), no_key=True)
    row = locked.select_related("flow_version").get(pk=request.pk)
    if row.state == RequestState.PENDING:
        # Who does not match any more cannot answer, whatever the sweep has come to.
        route_locked(row, at)
    # Whose absence is over is not stood in for any more, likewise.
    asked = current(Approval.objects.filter(request=row, approver=approver), at)
    if not approver.is_active or not asked.exists():
        raise NotYours("You were not asked to approve this request.")
    if row.state != RequestState.PENDING:
        raise NotPossible(f"This request waits for no answer any more: it is {row.word.lower()}.")
    answer_rows(asked, row.flow_version.document, status, reason, at)
    return row


def _narrow(
    row: AccessRequest,
    dropped: Sequence[AccessUnit],
    seconds: int | None,
    *,
    approver: User,
    actor: Actor,
    at: datetime,
) -> None:
    """Make a waiting request smaller, and keep what it was."""
    said = [
        {
            "permission": unit.permission_name,
            "resource": unit.resource_path,
            "resource_type": unit.resource_type,
            "integration": unit.group.integration.name,
        }
        for unit in dropped
    ]
    old = row.duration_seconds
    Narrowing.objects.create(request=row, approver=approver, at=at, old_seconds=old, new_seconds=seconds, dropped=said)
    AccessUnit.objects.filter(pk__in=[unit.pk for unit in dropped]).delete()
    row.access_groups.filter(units__isnull=True).delete()
    row.duration_seconds = seconds
    row.save(update_fields=["duration_seconds"])
    gone = [f"{one['permission']} on {one['resource']}" for one in said]
    details = {"duration_seconds": [old, seconds], "dropped": gone}
    record("request.narrowed", actor=actor, subject=subject_of(row), details=details, at=at)
