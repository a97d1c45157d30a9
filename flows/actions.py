"""The only writers of policy."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone

from accounts.actions import require
from accounts.events import publish
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import Actor
from flows import document as documents
from flows import queries
from flows.choices import ApprovalMode, ConditionType, TargetKind, Trigger
from flows.decision import Document
from flows.models import AccessFlow, Change, FlowVersion
from flows.sentence import sentence
from integrations.models import Integration, Permission

COLUMNS = (
    "name",
    "description",
    "active",
    "trigger",
    "requestor_operator",
    "grant_duration_minutes",
    "indefinite",
    "approval_mode",
    "justification_required",
    "approver_reason_required",
    "self_approval",
    "pending_hours",
    "labels",
)


class BadFlow(ValueError):
    """A flow that must not be saved; `problems` says why, in words, and what to do."""

    def __init__(self, problems: list[str]) -> None:
        """Keep the problems."""
        super().__init__(" ".join(problems))
        self.problems = problems


class StillNeeded(Exception):
    """A flow that cannot be deleted, for requests name it."""


def define(
    columns: dict[str, Any],
    document: Document,
    *,
    actor: Actor,
    flow: AccessFlow | None = None,
    at: datetime | None = None,
) -> AccessFlow:
    """Make a flow, or make `flow` anew: its own columns, and requestors, targets, approvers from `document`.

    Raises BadFlow; then nothing has changed.
    """
    with transaction.atomic():
        row = flow or AccessFlow()
        for column, value in columns.items():
            if column not in COLUMNS:
                raise BadFlow([f"There is no setting “{column}”."])
            setattr(row, column, value)
        row.save()
        documents.write_rows(row, document)
        save(row, actor=actor, at=at)
    return row


def save(flow: AccessFlow, *, actor: Actor, at: datetime | None = None) -> FlowVersion:
    """Make what stands in the flow's rows its current version. Raises BadFlow; the caller's transaction then ends.

    Saving what has not changed makes no new version.
    """
    require(actor, "flows.change_accessflow" if flow.current_id else "flows.add_accessflow")
    moment, document = at or timezone.now(), documents.compose(flow)
    problems = problems_of(document)
    if problems:
        raise BadFlow(problems)
    before, digest = flow.current, documents.digest(document)
    if before is not None and before.digest == digest:
        return before
    version = FlowVersion.objects.create(
        flow=flow,
        number=before.number + 1 if before else 1,
        document=document,
        sentence=sentence(document, dict(_names(document))),
        digest=digest,
        created_at=moment,
        created_by=User.objects.filter(pk=actor.id).first() if actor.id else None,
    )
    AccessFlow.objects.filter(pk=flow.pk).update(current=version, updated_at=moment)
    flow.current = version
    publish(Change, "flow.changed", str(flow.pk), {"version": version.number})
    details = {"version": version.number, "sentence": version.sentence, "after": document}
    if before:
        details["before"] = before.document
    record("flow.saved", actor=actor, subject=_subject(flow), details=details, at=moment)
    return version


def set_active(flow: AccessFlow, active: bool, *, actor: Actor, at: datetime | None = None) -> FlowVersion:
    """Switch a flow on or off. Off ends what it gave: the floor above hears of it."""
    with transaction.atomic():
        row = AccessFlow.objects.select_for_update().get(pk=flow.pk)
        row.active = active
        row.save(update_fields=["active"])
        return save(row, actor=actor, at=at)


def delete(flow: AccessFlow, *, actor: Actor, at: datetime | None = None) -> None:
    """Delete a flow that no request ever named. Raises StillNeeded otherwise: switch it off instead."""
    require(actor, "flows.delete_accessflow")
    subject = _subject(flow)
    try:
        with transaction.atomic():
            flow.delete()
            record("flow.deleted", actor=actor, subject=subject, at=at)
    except (ProtectedError, RestrictedError) as error:
        raise StillNeeded("Requests name this flow, and the record keeps them. Switch it off instead.") from error


def problems_of(document: Document) -> list[str]:
    """Return what is wrong with a flow, in words; nothing when it may be saved."""
    problems = []
    if not document["requestors"]["conditions"]:
        problems.append("Say who may ask: a flow without requestors gives nobody anything.")
    if not document["targets"]:
        problems.append("Say what can be asked for: add a target.")
    problems.extend(problem for target in document["targets"] for problem in _about_target(target))
    conditions = [*document["requestors"]["conditions"]]
    conditions.extend(one for group in document["approval"]["groups"] for one in group["conditions"])
    problems.extend(
        f"Give the condition on “{one['type']}” a value."
        for one in conditions
        if not one["values"] and one["type"] != ConditionType.MANAGER
    )
    if document["trigger"] == Trigger.AUTOMATIC:
        problems.append("Automatic flows are not offered yet; choose self-serve.")
    return problems + _about_approval(document)


def _about_target(target: dict[str, Any]) -> list[str]:
    if target["kind"] != TargetKind.INTEGRATION:
        return ["Targets of this kind are not offered yet; choose an integration."]
    found = Permission.objects.filter(
        resource_type__integration=target["integration"], resource_type__type=target["resource_type"]
    )
    known = set(found.values_list("source_id", flat=True))
    if not known:
        return [f"This integration has no resource type “{target['resource_type']}”."]
    if not target["permissions"]:
        return [f"Choose permissions: {', '.join(sorted(known))}."]
    wrong = sorted(set(target["permissions"]) - known)
    return [f"There is no permission {', '.join(wrong)}; there are {', '.join(sorted(known))}."] if wrong else []


def _about_approval(document: Document) -> list[str]:
    """Refuse what nobody could ever approve."""
    approval = document["approval"]
    groups = [group for group in approval["groups"] if group["tier"] == 0]
    if approval["mode"] == ApprovalMode.NONE:
        return ["Choose who approves, or remove the approver groups."] if groups else []
    if not groups:
        return ["Add an approver group, or choose “No approval”."]
    answers = [bool(queries.could_approve(group)) for group in groups]
    if approval["mode"] == ApprovalMode.ALL_OF and not all(answers):
        return ["Nobody is in one of the approver groups, and every group has to approve: nobody ever could."]
    return [] if any(answers) else ["Nobody is in any of the approver groups: nobody could ever approve."]


def _names(document: Document) -> list[tuple[str, str]]:
    ids = {target["integration"] for target in document["targets"] if target["integration"]}
    return [(str(pk), name) for pk, name in Integration.objects.filter(pk__in=ids).values_list("pk", "name")]


def _subject(flow: AccessFlow) -> Subject:
    return Subject("flow", str(flow.pk), flow.name)
