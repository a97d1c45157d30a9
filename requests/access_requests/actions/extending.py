"""More time for access that is active. Policy is asked again; what was agreed moves the end without a gap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.grants import reorder
from access_requests.actions.rules import NotPossible, NotYours, answer_rows, enough, lock_person
from access_requests.actions.standing_in import current
from access_requests.actions.tiers import asked_first, could_settle, escalates_at, make_approvals, owner_of
from access_requests.choices import (
    EXTENSION_SETTLED,
    EXTENSION_TOLD,
    ApprovalStatus,
    CallState,
    ExtensionState,
    RequestState,
    ReviewState,
)
from access_requests.events import moved, tell
from access_requests.lifecycle import REVIEW_WITHIN, subject_of
from access_requests.models import AccessRequest, AccessUnit, Extension, ExtensionApproval, Review
from access_requests.queries.emergencies import frozen, words_of
from access_requests.reminding import next_reminder
from accounts.models import User
from accounts.queries import PersonFacts, facts_of
from audit.actions import record
from audit.actor import Actor, system
from flows.choices import ApprovalMode
from flows.decision import Document, Facts, FlowFacts, decide, words_for
from flows.models import AccessFlow, FlowVersion
from integrations.queries import entitlements

JUSTIFICATION_MAX = 2000


@dataclass(frozen=True, slots=True)
class Room:
    """How much more time a flow gives to one request: by how much each time, and how many times are left."""

    seconds: int
    left: int
    needs_approval: bool
    wants_justification: bool


def room_of(document: Document, used: int) -> Room:
    """Return the room that a flow's document leaves after `used` extensions; a flow that says nothing gives none."""
    settings = document["settings"]
    longest = int(settings.get("extension_seconds", 0))
    return Room(
        seconds=longest,
        left=max(0, int(settings.get("max_extensions", 0)) - used) if longest else 0,
        needs_approval=document["approval"]["mode"] != ApprovalMode.NONE,
        wants_justification=bool(settings["justification_required"]),
    )


def extend(
    request: AccessRequest,
    *,
    user: User,
    actor: Actor,
    seconds: int,
    justification: str = "",
    at: datetime | None = None,
) -> Extension:
    """Ask for more time. A flow that asks nobody gives it at once; otherwise the approvers are asked again.

    Raises NotYours for others than requestor and grantee, NotPossible when the flow, as it is now, does not give it.
    """
    if user.pk not in {request.requestor_id, request.grantee_id} or not user.is_active:
        raise NotYours("This access is not yours.")
    moment = at or timezone.now()
    with transaction.atomic():
        lock_person(request.grantee_id)
        row = _active(request.pk, moment)
        if row.extensions.filter(state=ExtensionState.PENDING).exists():
            raise NotPossible("An extension waits for an answer already.")
        version = _current(row)
        extension = Extension(
            request=row,
            number=row.extensions.count() + 1,
            requested_by=user,
            flow_version=version,
            seconds=seconds,
            justification=justification.strip(),
            requested_at=moment,
        )
        facts = _check(row, extension, version.document)
        extension.save()
        details = {"seconds": seconds, "justification": extension.justification, "flow_version": version.pk}
        _record("requested", extension, actor, moment, details)
        _begin(row, extension, facts, moment)
        moved(row.pk)
    return extension


def _active(pk: int, at: datetime) -> AccessRequest:
    """Lock and return an active request. Raises NotPossible when its access is over, or never ends."""
    row = AccessRequest.objects.select_for_update(of=("self",)).select_related("flow_version").get(pk=pk)
    if row.state != RequestState.ACTIVE:
        raise NotPossible(f"This access cannot be extended: it is {row.word.lower()}.")
    if row.in_envelope:
        raise NotPossible(
            "An envelope is not extended: prepare its successor, which takes its place when it is printed."
        )
    if row.ends_at is None:
        raise NotPossible("This access has no end that could be moved.")
    if row.ends_at <= at:
        raise NotPossible("This access has ended. Request it again.")
    return row


def _current(row: AccessRequest) -> FlowVersion:
    """Return the flow's version of now. Raises NotPossible when the flow gives nothing any more."""
    flow = AccessFlow.objects.select_related("current").get(pk=row.flow_version.flow_id)
    if flow.current is None:
        raise NotPossible(f"The access flow {flow.name} gives nothing any more.")
    return flow.current


def _check(row: AccessRequest, extension: Extension, document: Document) -> tuple[PersonFacts, PersonFacts]:
    """Ask the policy of now whether it gives this extension; return the facts of requestor and grantee.

    Raises NotPossible with what is in the way.
    """
    used = row.extensions.filter(state=ExtensionState.APPROVED).count()
    room = room_of(document, used)
    if not room.seconds:
        raise NotPossible(f"The access flow {document['name']} gives no extensions.")
    if not room.left:
        raise NotPossible(f"The access flow {document['name']} gives no more extensions: {used} were given.")
    if not 0 < extension.seconds <= room.seconds:
        raise NotPossible(f"At most {words_for(room.seconds)} more with the access flow {document['name']}.")
    ice = frozen(row.access_groups.values_list("integration_id", flat=True))
    if ice is not None:
        raise NotPossible(f"{words_of(ice)}. Access is not extended meanwhile.")
    if len(extension.justification) > JUSTIFICATION_MAX:
        raise NotPossible(f"A justification has at most {JUSTIFICATION_MAX} characters.")
    facts = facts_of([row.requestor_id, row.grantee_id])
    pairs = AccessUnit.objects.filter(group__request=row).values_list("resource_id", "permission_id")
    requestor, grantee = facts[row.requestor_id], facts[row.grantee_id]
    if not grantee.active:
        raise NotPossible("The account is disabled.")
    asks = tuple(entitlements(pairs))
    flows = (FlowFacts(extension.flow_version_id, document),)
    decision = decide(
        Facts(
            requestor,
            grantee,
            asks,
            flows,
            justification=extension.justification,
            at=extension.requested_at,
            ticket=row.ticket,
            answers=tuple(row.fields.items()),
        )
    )
    if not decision.allowed or len(asks) < len(pairs):
        raise NotPossible(" ".join(dict.fromkeys(one.message for one in decision.problems)) or "Some of it is gone.")
    return requestor, grantee


def _begin(row: AccessRequest, extension: Extension, facts: tuple[PersonFacts, PersonFacts], at: datetime) -> None:
    """Ask the approvers, or give it at once when the flow asks nobody."""
    document = extension.flow_version.document
    if document["approval"]["mode"] == ApprovalMode.NONE:
        _give(row, extension, system(), at)
        return
    tier, groups = asked_first(document, *facts, owner=owner_of(row, document))
    if not any(groups.values()) or not could_settle(document, groups, _systems_yes(row)):
        raise NotPossible(f"Nobody but you could approve this in the access flow {document['name']}. Ask an admin.")
    extension.asked_tier, extension.escalates_at = tier, escalates_at(document, tier, at)
    extension.save(update_fields=["asked_tier", "escalates_at"])
    make_approvals(extension, document, groups, at=at)


def _systems_yes(row: AccessRequest) -> set[str]:
    """Return the webhooks that approved the request: that stands for its extensions, for which people are asked."""
    said = row.webhook_calls.filter(state=CallState.YES, group_index__isnull=False)
    return {str(pk) for pk in said.values_list("webhook", flat=True)}


def approve_extension(
    extension: Extension, *, approver: User, actor: Actor, reason: str = "", at: datetime | None = None
) -> Extension:
    """Say yes to more time. When that was the last yes needed, the end moves.

    The policy of now is asked again: what it does not give any more is refused. Raises NotYours, NotPossible.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        row, stored = _answer(extension, approver, ApprovalStatus.APPROVED, reason, moment)
        _check(row, stored, _current(row).document)
        _record("approval_given", stored, actor, moment, {"reason": reason.strip()})
        # What other systems said of the request stands for its extensions; people are asked again.
        if enough(stored.approvals.all(), stored.flow_version.document, row.webhook_calls.all()):
            _give(row, stored, actor, moment)
        moved(row.pk)
    return stored


def reject_extension(
    extension: Extension, *, approver: User, actor: Actor, reason: str = "", at: datetime | None = None
) -> Extension:
    """Say no to more time; one no settles it, and access ends when it was to end. Raises as `approve_extension`."""
    moment = at or timezone.now()
    with transaction.atomic():
        row, stored = _answer(extension, approver, ApprovalStatus.REJECTED, reason, moment)
        _settle(stored, ExtensionState.REJECTED, actor, moment, note=reason.strip())
        moved(row.pk)
    return stored


def cancel_extension(extension: Extension, *, user: User, actor: Actor, at: datetime | None = None) -> None:
    """Withdraw an ask for more time. Raises NotYours for others than the two, NotPossible when it is settled."""
    request, moment = extension.request, at or timezone.now()
    if user.pk not in {request.requestor_id, request.grantee_id} or not user.is_active:
        raise NotYours("This extension is not yours.")
    with transaction.atomic():
        lock_person(request.grantee_id)
        _settle(_waiting(extension.pk), ExtensionState.CANCELLED, actor, moment)
        moved(request.pk)


def lapse_extensions(request: AccessRequest, *, at: datetime) -> None:
    """Let what still waits lapse, for access ends. The caller holds the lock on the grantee."""
    for waiting in request.extensions.filter(state=ExtensionState.PENDING):
        note = "Access ended before anybody answered."
        _settle(waiting, ExtensionState.LAPSED, system(), at, note=note)


def _waiting(pk: int) -> Extension:
    """Lock and return an extension that waits. Raises NotPossible when it is settled."""
    rows = Extension.objects.select_for_update(of=("self",)).select_related("flow_version")
    stored = rows.get(pk=pk)
    if stored.state != ExtensionState.PENDING:
        raise NotPossible(f"This extension waits for no answer any more: it is {stored.get_state_display().lower()}.")
    return stored


def _answer(
    extension: Extension, approver: User, status: ApprovalStatus, reason: str, at: datetime
) -> tuple[AccessRequest, Extension]:
    """Write the approver's answer into all their rows; return request and extension, both locked."""
    # As for requests: whose absence is over is not stood in for any more.
    asked = current(ExtensionApproval.objects.filter(extension=extension, approver=approver), at)
    if not approver.is_active or not asked.exists():
        raise NotYours("You were not asked to approve this extension.")
    # The same order of locks as everywhere: the person, the request, what hangs on it.
    lock_person(extension.request.grantee_id)
    stored = _waiting(extension.pk)
    row = _active(extension.request_id, at)
    answer_rows(asked, stored.flow_version.document, status, reason, at)
    return row, stored


def _give(row: AccessRequest, extension: Extension, actor: Actor, at: datetime) -> None:
    """Move the end, by compare-and-swap, and order every target's own end anew."""
    old_end = row.ends_at
    if old_end is None:
        raise NotPossible("This access has no end that could be moved.")
    new_end = old_end + timedelta(seconds=extension.seconds)
    still = AccessRequest.objects.filter(pk=row.pk, state=RequestState.ACTIVE, ends_at=old_end)
    if not still.update(ends_at=new_end, remind_at=next_reminder(row.activated_at or at, new_end, at)):
        raise NotPossible("This access has ended. Request it again.")
    row.ends_at = new_end
    if row.break_glass:
        owed = Review.objects.filter(request=row, state=ReviewState.DUE)
        owed.update(due_at=new_end + REVIEW_WITHIN)
    _settle(extension, ExtensionState.APPROVED, actor, at, old_end=old_end, new_end=new_end)
    person = lock_person(row.grantee_id)
    groups = row.access_groups.filter(dispatched_at__isnull=False, ended_at__isnull=True)
    for group in groups.select_related("integration"):
        reorder(person, group.integration, at=at)


def _settle(extension: Extension, state: ExtensionState, actor: Actor, at: datetime, **fields: Any) -> None:
    """Settle an extension that waits, with its audit entry."""
    waiting = Extension.objects.filter(pk=extension.pk, state=ExtensionState.PENDING)
    if not waiting.update(state=state, decided_at=at, **fields):
        raise NotPossible("This extension waits for no answer any more.")
    extension.state, extension.decided_at = state, at
    for name, value in fields.items():
        setattr(extension, name, value)
    said = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()}
    _record(state.value, extension, actor, at, {"seconds": extension.seconds, **said})
    if state in EXTENSION_TOLD:
        tell(EXTENSION_SETTLED, extension.pk, state.value)


def _record(what: str, extension: Extension, actor: Actor, at: datetime, details: dict[str, Any]) -> None:
    subject = subject_of(extension.request)
    kept = {"extension": extension.number, **details}
    record(f"extension.{what}", actor=actor, subject=subject, details=kept, at=at)
