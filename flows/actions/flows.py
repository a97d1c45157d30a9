"""Access flows: written, switched, deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone

from accounts.actions import require
from audit.actions import record
from audit.actor import Actor
from flows import document as documents
from flows.actions.places import put
from flows.actions.rules import BadFlow, Overtaken, Second, StillNeeded, add_version, subject_of
from flows.decision import Document
from flows.findings import refusals
from flows.models import AccessFlow, FlowVersion

COLUMNS = (
    "name",
    "description",
    "active",
    "trigger",
    "requestor_operator",
    "request_for",
    "grantee_operator",
    "grant_duration_minutes",
    "indefinite",
    "max_extensions",
    "extension_minutes",
    "drain_minutes",
    "approval_mode",
    "escalation_minutes",
    "justification_required",
    "approver_reason_required",
    "self_approval",
    "mfa_required",
    "break_glass",
    "outlasts_eligibility",
    "removes_foreign",
    "ticket_pattern",
    "fields",
    "pending_hours",
    "labels",
    "said",
)


def define(
    columns: dict[str, Any],
    document: Document,
    *,
    actor: Actor,
    flow: AccessFlow | None = None,
    at: datetime | None = None,
    after: int | None = None,
    second: Second | None = None,
) -> AccessFlow:
    """Make a flow, or make `flow` anew: its own columns, and requestors, targets, approvers from `document`.

    The column "space" says where it lies (places.put).

    `after` is the number of the version that the writer has read; when another is in force, Overtaken is raised.
    Raises BadFlow when policy refuses it, NeedsSecondAdmin when it takes two and `second` is no yes to it. In all these
    cases nothing has changed.
    """
    with transaction.atomic():
        row = locked(flow) if flow else AccessFlow()
        put(row, columns.get("space"), "flows.change_accessflow" if flow else "flows.add_accessflow", actor)
        if after is not None and (row.current.number if row.current else 0) != after:
            raise Overtaken("Somebody saved this access flow meanwhile.")
        for column, value in columns.items():
            if column == "space":
                continue
            if column not in COLUMNS:
                raise BadFlow([f"There is no setting “{column}”."])
            setattr(row, column, value)
        row.save()
        documents.write_rows(row, document)
        save(row, actor=actor, at=at, second=second)
    return row


def locked(flow: AccessFlow) -> AccessFlow:
    """Return the flow's row, locked, as it is now."""
    return AccessFlow.objects.select_for_update(of=("self",)).select_related("current").get(pk=flow.pk)


def save(flow: AccessFlow, *, actor: Actor, at: datetime | None = None, second: Second | None = None) -> FlowVersion:
    """Make what stands in the flow's rows its current version.

    Raises BadFlow, NeedsSecondAdmin; the caller's transaction then ends.

    Saving what has not changed makes no new version.
    """
    require(actor, "flows.change_accessflow" if flow.current_id else "flows.add_accessflow", flow)
    document = documents.compose(flow)
    problems = refusals(document)
    if problems:
        raise BadFlow(problems)
    add_version(flow, document, actor=actor, at=at or timezone.now(), second=second)
    return _current(flow)


def _current(flow: AccessFlow) -> FlowVersion:
    if flow.current is None:
        raise AssertionError(f"{flow} was saved without a version.")
    return flow.current


def set_active(
    flow: AccessFlow, active: bool, *, actor: Actor, at: datetime | None = None, second: Second | None = None
) -> FlowVersion:
    """Switch a flow on or off. Off ends what it gave: the floor above hears of it. Raises as `define` does.

    Off is never refused for what else is wrong with the flow: that would keep access open.
    """
    with transaction.atomic():
        row = locked(flow)
        require(actor, "flows.change_accessflow", row)
        row.active = active
        row.save(update_fields=["active"])
        if active or row.current is None:
            return save(row, actor=actor, at=at, second=second)
        add_version(row, row.current.document | {"active": False}, actor=actor, at=at or timezone.now())
        return _current(row)


def delete(flow: AccessFlow, *, actor: Actor, at: datetime | None = None) -> None:
    """Delete a flow that no request ever named. Raises StillNeeded otherwise: switch it off instead."""
    subject = subject_of(flow)
    try:
        with transaction.atomic():
            require(actor, "flows.delete_accessflow", AccessFlow.objects.filter(pk=flow.pk).first() or flow)
            flow.delete()
            record("flow.deleted", actor=actor, subject=subject, at=at)
    except (ProtectedError, RestrictedError) as error:
        raise StillNeeded("Requests name this flow, and the record keeps them. Switch it off instead.") from error


def problems_of(document: Document) -> list[str]:
    """Return what is wrong with a flow, in words; nothing when it may be saved."""
    return [finding.text for finding in refusals(document)]
