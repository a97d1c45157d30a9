"""An earlier version of a flow or a bundle becomes the next one, through the same checks as any change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.actor import Actor
from flows import document as documents
from flows.actions.bundles import define_bundle
from flows.actions.flows import locked, save
from flows.actions.rules import BadFlow, Overtaken, Second
from flows.actions.scopes import define_scope
from flows.choices import LogicalOperator, PolicyKind, TargetKind
from flows.decision.covering import Document
from flows.findings import refusals
from flows.models import AccessFlow, AccessScope, Bundle, FlowVersion, Revision, for_themselves
from integrations.models import Integration


def restore(
    flow: AccessFlow,
    number: int,
    *,
    actor: Actor,
    at: datetime | None = None,
    after: int | None = None,
    second: Second | None = None,
) -> FlowVersion:
    """Make an earlier version of a flow its next one. Whether the flow is on stays as it is: that has its own switch.

    What a bundle or scope has become since is what the new version gives. Raises LookupError for a version that is not
    there, and what flows.actions.define raises: in all these cases nothing has changed.
    """
    with transaction.atomic():
        row = locked(flow)
        if after is not None and (row.current.number if row.current else 0) != after:
            raise Overtaken("Somebody saved this access flow meanwhile.")
        kept = row.versions.filter(number=number).first()
        if kept is None:
            raise LookupError(f"{row.name} has no version {number}.")
        document = restored(row, kept.document)
        _refuse(document)
        for column, value in columns_of(document).items():
            setattr(row, column, value)
        row.save()
        documents.write_rows(row, document)
        return save(row, actor=actor, at=at, second=second)


def restored(flow: AccessFlow, document: Document) -> Document:
    """Return what restoring a version would put in force: bundles, scopes and the space are as they are now."""
    elsewhere = {name: told for name, told in document.items() if name != "space"}
    lies = {"space": documents.compose_space(flow.space)} if flow.space else {}
    return (
        elsewhere
        | lies
        | {"active": flow.active, "targets": documents.ordered(_now(one) for one in document["targets"])}
    )


def _now(target: dict[str, Any]) -> dict[str, Any]:
    if target["kind"] == TargetKind.BUNDLE:
        bundle = Bundle.objects.filter(pk=target["bundle"]).first()
        return documents.compose_bundle(bundle) if bundle else target
    if target["kind"] == TargetKind.ACCESS_SCOPE:
        scope = AccessScope.objects.filter(pk=target["access_scope"]).first()
        return documents.compose_scope(scope) if scope else target
    return target


def moved_on(flow: AccessFlow, document: Document) -> list[str]:
    """Name the bundles and scopes of a version that are others by now."""
    now = restored(flow, document)["targets"]
    return sorted({one["name"] for one in document["targets"] if one.get("name") and one not in now})


def _refuse(document: Document) -> None:
    """Raise BadFlow where the version speaks of what is gone, before anything is written."""
    problems = [one.text for one in refusals(document)]
    sources = {uuid.UUID(one["source"]) for one in _conditions(document) if one.get("source")}
    if sources - set(Integration.objects.filter(pk__in=sources).values_list("pk", flat=True)):
        problems.append("A condition looks at an integration that is not there any more.")
    if problems:
        raise BadFlow(problems)


def _conditions(document: Document) -> Iterable[dict[str, Any]]:
    yield from document["requestors"]["conditions"]
    yield from (document.get("request_for") or {}).get("grantees", {}).get("conditions", ())
    for group in document["approval"]["groups"]:
        yield from group["conditions"]


def columns_of(document: Document) -> dict[str, Any]:
    """Return a flow's own columns as a document says them: the reverse of flows.document.assemble.

    Documents of older versions lack the newer keys; what they lack is as it was before there was such a thing.
    """
    settings, whom = document["settings"], document.get("request_for") or {}
    seconds, approval = document["duration_seconds"], document["approval"]
    escalation = approval.get("escalation_seconds")
    return {
        "name": document["name"],
        "description": document.get("description", ""),
        "active": document["active"],
        "trigger": document["trigger"],
        "requestor_operator": document["requestors"]["operator"],
        "request_for": whom.get("scopes") or for_themselves(),
        "grantee_operator": (whom.get("grantees") or {}).get("operator", LogicalOperator.OR.value),
        "grant_duration_minutes": seconds // 60 if seconds is not None else None,
        "indefinite": seconds is None,
        "approval_mode": approval["mode"],
        "escalation_minutes": escalation // 60 if escalation else None,
        "justification_required": settings["justification_required"],
        "approver_reason_required": settings["approver_reason_required"],
        "self_approval": settings["self_approval"],
        "mfa_required": settings.get("mfa_required", False),
        "break_glass": settings.get("break_glass", False),
        "outlasts_eligibility": not settings.get("only_while_eligible", True),
        "removes_foreign": settings.get("removes_foreign", False),
        "ticket_pattern": settings.get("ticket_pattern", ""),
        "fields": settings.get("fields", []),
        "max_extensions": settings.get("max_extensions", 0),
        "extension_minutes": settings.get("extension_seconds", 0) // 60,
        "drain_minutes": settings.get("drain_seconds", 0) // 60,
        "pending_hours": document["pending_seconds"] // 3600,
        "labels": settings.get("labels", []),
    }


def restore_bundle(
    bundle: Bundle, number: int, *, actor: Actor, at: datetime | None = None, after: str | None = None,
    second: Second | None = None,
) -> Bundle:  # fmt: skip
    """Make an earlier version of a bundle its next one. Raises as `restore` and flows.actions.define_bundle do."""
    told = revision_of(PolicyKind.BUNDLE, bundle.pk, number).document
    description = told.get("description", "")
    return define_bundle(
        told["name"], told["targets"], description=description, bundle=bundle, actor=actor, at=at, after=after,
        second=second,
    )  # fmt: skip


def restore_scope(
    scope: AccessScope, number: int, *, actor: Actor, at: datetime | None = None, after: str | None = None,
    second: Second | None = None,
) -> AccessScope:  # fmt: skip
    """Make an earlier version of an access scope its next one. Raises as `restore` and define_scope do."""
    told = revision_of(PolicyKind.SCOPE, scope.pk, number).document
    description = told.get("description", "")
    return define_scope(
        told["name"], told["query"], description=description, scope=scope, actor=actor, at=at, after=after,
        second=second,
    )  # fmt: skip


def revision_of(kind: PolicyKind, subject: uuid.UUID, number: int) -> Revision:
    """Return a kept version. Raises LookupError where there is none."""
    kept = Revision.objects.filter(kind=kind, subject=subject, number=number).first()
    if kept is None:
        raise LookupError(f"There is no version {number}.")
    return kept
