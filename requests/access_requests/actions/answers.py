"""Answers of approvers."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from access_requests.actions.asking import APPROVED_FOR
from access_requests.actions.rules import NotPossible, NotYours
from access_requests.choices import ApprovalStatus, EndReason, RequestState
from access_requests.events import moved, ring_dispatch
from access_requests.lifecycle import move, subject_of
from access_requests.models import AccessRequest, Approval
from accounts.models import User
from audit.actions import record
from audit.actor import Actor
from flows.choices import ApprovalMode

REASON_MAX = 500


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
        if _enough(row):
            _approve_now(row, actor, reason, moment)
        moved(row.pk)
    return row


def _approve_now(row: AccessRequest, actor: Actor, reason: str, at: datetime) -> None:
    move(
        row,
        RequestState.APPROVED,
        actor=actor,
        reason=reason.strip(),
        at=at,
        decided_at=at,
        lapses_at=at + APPROVED_FOR,
    )
    ring_dispatch()


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
    row = AccessRequest.objects.select_for_update(of=("self",)).select_related("flow_version").get(pk=request.pk)
    asked = Approval.objects.filter(request=row, approver=approver)
    if not approver.is_active or not asked.exists():
        raise NotYours("You were not asked to approve this request.")
    if row.state != RequestState.PENDING:
        raise NotPossible(f"This request waits for no answer any more: it is {row.word.lower()}.")
    if row.flow_version.document["settings"]["approver_reason_required"] and not reason.strip():
        raise NotPossible("This access flow wants a reason with every answer.")
    if len(reason) > REASON_MAX:
        raise NotPossible(f"A reason has at most {REASON_MAX} characters.")
    answered = asked.filter(status=ApprovalStatus.PENDING).update(status=status, reason=reason.strip(), decided_at=at)
    if not answered:
        raise NotPossible("You have answered already.")
    return row


def _enough(row: AccessRequest) -> bool:
    """Whether the answers so far make a yes: one from any group, or one from each."""
    rows = Approval.objects.filter(request=row)
    yes = set(rows.filter(status=ApprovalStatus.APPROVED).values_list("group_index", flat=True))
    approval = row.flow_version.document["approval"]
    if approval["mode"] == ApprovalMode.ALL_OF:
        return yes == set(range(len([group for group in approval["groups"] if group["tier"] == 0])))
    return bool(yes)
