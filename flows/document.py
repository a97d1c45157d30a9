"""A flow's rows as one document of plain data, and back."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flows.decision import Document
from flows.models import AccessFlow, AccessTarget, ApproverGroup, Condition, Selector


def compose(flow: AccessFlow) -> Document:
    """Return the flow as it stands in its rows. Lists are ordered by content, so equal policy is an equal document."""
    return {
        "id": str(flow.pk),
        "name": flow.name,
        "active": flow.active,
        "trigger": flow.trigger,
        "requestors": {
            "operator": flow.requestor_operator,
            "conditions": _conditions(flow.conditions.filter(approver_group__isnull=True)),
        },
        "targets": _ordered([_target(target) for target in flow.targets.prefetch_related("selectors")]),
        "approval": {"mode": flow.approval_mode, "groups": [_group(group) for group in flow.approver_groups.all()]},
        "duration_seconds": None if flow.indefinite else (flow.grant_duration_minutes or 0) * 60,
        "pending_seconds": flow.pending_hours * 3600,
        "settings": {
            "justification_required": flow.justification_required,
            "approver_reason_required": flow.approver_reason_required,
            "self_approval": flow.self_approval,
            "labels": flow.labels,
        },
    }


def _ordered(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))


def _conditions(rows: Any) -> list[dict[str, Any]]:
    return _ordered(
        [
            {
                "type": row.type,
                "operator": row.operator,
                "source": str(row.source_id or ""),
                "values": sorted(str(value) for value in row.values),
            }
            for row in rows
        ]
    )


def _group(group: ApproverGroup) -> dict[str, Any]:
    return {"tier": group.tier, "operator": group.operator, "conditions": _conditions(group.conditions.all())}


def _target(target: AccessTarget) -> dict[str, Any]:
    selectors = [
        {"mode": one.mode, "type": one.type, "key": one.key, "values": sorted(str(value) for value in one.values)}
        for one in target.selectors.all()
    ]
    return {
        "kind": target.kind,
        "integration": str(target.integration_id or ""),
        "resource_type": target.resource_type,
        "permissions": sorted(target.permissions),
        "bundle": str(target.bundle_id or ""),
        "access_scope": str(target.access_scope_id or ""),
        "query": target.query,
        "selectors": _ordered(selectors),
    }


def digest(document: Document) -> str:
    """Return the SHA-256 (hex) of a document."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def write_rows(flow: AccessFlow, document: Document) -> None:
    """Replace the rows below a flow by what the document says. The flow's own columns are the caller's."""
    flow.targets.all().delete()
    flow.conditions.all().delete()
    flow.approver_groups.all().delete()
    _write_conditions(flow, None, document["requestors"]["conditions"])
    for position, group in enumerate(document["approval"]["groups"]):
        row = ApproverGroup.objects.create(
            flow=flow, position=position, tier=group.get("tier", 0), operator=group.get("operator", "or")
        )
        _write_conditions(flow, row, group["conditions"])
    for target in document["targets"]:
        _write_target(flow, target)


def _write_conditions(flow: AccessFlow, group: ApproverGroup | None, conditions: list[dict[str, Any]]) -> None:
    for one in conditions:
        Condition.objects.create(
            flow=flow,
            approver_group=group,
            type=one["type"],
            operator=one.get("operator", "is"),
            source_id=one.get("source") or None,
            values=one.get("values", []),
        )


def _write_target(flow: AccessFlow, target: dict[str, Any]) -> None:
    row = AccessTarget.objects.create(
        flow=flow,
        kind=target.get("kind", "integration"),
        integration_id=target["integration"],
        resource_type=target["resource_type"],
        permissions=target["permissions"],
    )
    for one in target.get("selectors", ()):
        Selector.objects.create(
            target=row, mode=one["mode"], type=one["type"], key=one.get("key", ""), values=one["values"]
        )
