"""A flow's rows as one document of plain data, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from flows.choices import ConditionType, Party, TargetKind
from flows.decision import Document, targets_of
from flows.models import (
    AccessFlow,
    AccessScope,
    AccessTarget,
    ApproverGroup,
    Bundle,
    Condition,
    FlowCheck,
    Selector,
    Space,
    Timeframe,
    Webhook,
)
from flows.reach import uuids
from integrations.models import Integration


def compose(flow: AccessFlow) -> Document:
    """Return the flow as it stands in its rows. Lists are ordered by content, so equal policy is an equal document."""
    targets = flow.targets.select_related("bundle", "access_scope").prefetch_related("selectors")
    groups = flow.approver_groups.prefetch_related("conditions")
    conditions = list(flow.conditions.filter(approver_group__isnull=True))
    return assemble(
        flow,
        [_condition(row) for row in conditions if row.party == Party.REQUESTOR],
        [_target(target) for target in targets],
        [
            {
                "tier": group.tier,
                "operator": group.operator,
                "conditions": [_condition(row) for row in group.conditions.all()],
            }
            for group in groups
        ],
        grantees=[_condition(row) for row in conditions if row.party == Party.GRANTEE],
        timeframe=_timeframe(Timeframe.objects.filter(flow=flow).first()),
        checks=[str(pk) for pk in flow.checks.values_list("webhook", flat=True)],
        space=compose_space(flow.space) if flow.space else None,
    )


def assemble(
    flow: AccessFlow,
    conditions: Iterable[dict[str, Any]],
    targets: Iterable[dict[str, Any]],
    groups: Iterable[dict[str, Any]],
    **more: Any,
) -> Document:
    """Return the document of a flow's own columns and what was told of the rest; nothing is read from the database.

    `more` is as in assemble_in_order, which this is but for the order: lists are ordered by content.
    """
    ranked = [group | {"conditions": ordered(group["conditions"])} for group in groups]
    grantees = ordered(more.pop("grantees", ()))
    return assemble_in_order(flow, ordered(conditions), ordered(targets), ranked, grantees=grantees, **more)


def assemble_in_order(
    flow: AccessFlow,
    conditions: Iterable[dict[str, Any]],
    targets: Iterable[dict[str, Any]],
    groups: Iterable[dict[str, Any]],
    *,
    grantees: Iterable[dict[str, Any]] = (),
    timeframe: dict[str, Any] | None = None,
    checks: Iterable[str] = (),
    space: dict[str, Any] | None = None,
) -> Document:
    """Return the same with the lists in the order they are told in."""
    # Said only where there is one, so that a flow of the whole account is the same document as ever.
    lies = {"space": space} if space else {}
    return lies | {
        "id": str(flow.pk),
        "name": flow.name,
        "description": flow.description,
        "active": flow.active,
        "trigger": flow.trigger,
        "requestors": {"operator": flow.requestor_operator, "conditions": list(conditions)},
        "request_for": {
            "scopes": sorted(flow.request_for),
            "grantees": {"operator": flow.grantee_operator, "conditions": list(grantees)},
        },
        "targets": list(targets),
        "approval": {
            "mode": flow.approval_mode,
            "groups": list(groups),
            "escalation_seconds": flow.escalation_minutes * 60 if flow.escalation_minutes else None,
        },
        "duration_seconds": None if flow.indefinite else (flow.grant_duration_minutes or 0) * 60,
        "pending_seconds": flow.pending_hours * 3600,
        "timeframe": timeframe,
        "checks": sorted(checks),
        "settings": _settings(flow),
    }


def _settings(flow: AccessFlow) -> dict[str, Any]:
    # Said only where it is off, so that a flow which says nothing of it is the same document as ever.
    lasting: dict[str, Any] = {"only_while_eligible": False} if flow.outlasts_eligibility else {}
    drains = {"drain_seconds": flow.drain_seconds} if flow.drain_minutes else {}
    return (
        lasting
        | drains
        | {
            "justification_required": flow.justification_required,
            "approver_reason_required": flow.approver_reason_required,
            "self_approval": flow.self_approval,
            "mfa_required": flow.mfa_required,
            "break_glass": flow.break_glass,
            "removes_foreign": flow.removes_foreign,
            "ticket_pattern": flow.ticket_pattern,
            "fields": flow.fields,
            "max_extensions": flow.max_extensions,
            "extension_seconds": flow.extension_minutes * 60,
            "labels": flow.labels,
        }
    )


def _timeframe(row: Timeframe | None) -> dict[str, Any] | None:
    if row is None:
        return None
    start, end = (f"{time:%H:%M}" for time in (row.start_time, row.end_time))
    return {"start": start, "end": end, "days": sorted(row.days_of_week), "time_zone": row.time_zone}


def ordered(parts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parts in an order that depends on nothing but their content."""
    return sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))


def _condition(row: Condition) -> dict[str, Any]:
    return condition(row.type, row.operator, row.values, str(row.source_id or ""))


def condition(kind: str, operator: str, values: Iterable[Any], source: str = "") -> dict[str, Any]:
    """Return one condition as documents hold it."""
    return {"type": kind, "operator": operator, "source": source, "values": sorted(str(value) for value in values)}


def _target(target: AccessTarget) -> dict[str, Any]:
    if target.kind == TargetKind.BUNDLE and target.bundle is not None:
        return compose_bundle(target.bundle)
    if target.kind == TargetKind.ACCESS_SCOPE and target.access_scope is not None:
        return compose_scope(target.access_scope)
    if target.kind == TargetKind.QUERY:
        return {"kind": TargetKind.QUERY.value, "query": target.query}
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
        "selectors": ordered(selectors),
    }


def compose_bundle(bundle: Bundle) -> dict[str, Any]:
    """Return a bundle as a target with all that is in it: what a flow's version keeps of it."""
    rows = bundle.targets.select_related("access_scope").prefetch_related("selectors")
    return {
        "kind": TargetKind.BUNDLE.value,
        "bundle": str(bundle.pk),
        "name": bundle.name,
        "targets": ordered(_target(row) for row in rows),
    }


def bundle_of(key: str, name: str, targets: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return what compose_bundle would of a bundle with these targets, told as flows.actions takes them."""
    return {
        "kind": TargetKind.BUNDLE.value,
        "bundle": key,
        "name": name,
        "targets": ordered(_as_composed(one) for one in targets),
    }


def _as_composed(target: dict[str, Any]) -> dict[str, Any]:
    """Return a target as it will be composed once it is written."""
    if target.get("kind") == TargetKind.ACCESS_SCOPE:
        scope = AccessScope.objects.filter(pk=target["access_scope"]).first()
        return compose_scope(scope) if scope else target
    if target.get("kind") == TargetKind.QUERY:
        return {"kind": TargetKind.QUERY.value, "query": target["query"]}
    selectors = [
        {"mode": one["mode"], "type": one["type"], "key": one.get("key", ""), "values": sorted(map(str, one["values"]))}
        for one in target.get("selectors", ())
    ]
    return {
        "kind": TargetKind.INTEGRATION.value,
        "integration": str(target["integration"]),
        "resource_type": target["resource_type"],
        "permissions": sorted(target["permissions"]),
        "bundle": "",
        "access_scope": "",
        "query": "",
        "selectors": ordered(selectors),
    }


def compose_scope(scope: AccessScope) -> dict[str, Any]:
    """Return a scope as a target with its query: what a flow's version keeps of it."""
    return {
        "kind": TargetKind.ACCESS_SCOPE.value,
        "access_scope": str(scope.pk),
        "name": scope.name,
        "query": scope.query,
    }


def compose_space(space: Space) -> dict[str, Any]:
    """Return a space as a flow's version keeps it: its boundary, each scope with its query."""
    scopes = [compose_scope(one) for one in space.scopes.all()]
    return {"id": str(space.pk), "name": space.name, "scopes": ordered(scopes)}


def lying(targets: list[dict[str, Any]], space: Space | None) -> Document:
    """Return as much of a document as says what is given, and where it lies."""
    lies = {"space": compose_space(space)} if space else {}
    return lies | {"targets": targets}


def compose_webhook(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook as revisions, calls and the trail keep it: of secrets only which there are.

    No key of it smells of a secret (audit.details): headers are a list, and the body is the JSON's text.
    """
    # Said only where it is off, so that one that is on is the same document as ever.
    off = {} if webhook.active else {"active": False}
    return off | {
        "id": str(webhook.pk),
        "name": webhook.name,
        "description": webhook.description,
        "method": webhook.method,
        "url": webhook.url,
        "body": json.dumps(webhook.body, ensure_ascii=False, sort_keys=True),
        "headers": [{"name": name, "value": value} for name, value in sorted(webhook.headers.items())],
        "oauth": {
            "address": webhook.oauth["token_url"],
            "client": webhook.oauth["client_id"],
            "scope": webhook.oauth.get("scope", ""),
        }
        if webhook.oauth
        else None,
        "hidden": sorted(webhook.secrets.values_list("field", flat=True)) if webhook.pk else [],
        "validators": webhook.validators,
        "timeout_seconds": webhook.timeout_seconds,
        "error_message": webhook.error_message,
    }


def names_in(documents: Iterable[Document]) -> dict[str, str]:
    """Return the names of the integrations and webhooks that the documents speak of, by id. One query for each."""
    whole = list(documents)
    found = [one for each in whole for one in conditions_of(each)]
    ids = {target["integration"] for each in whole for target in targets_of(each) if "integration" in target}
    ids |= {one["source"] for one in found if one.get("source")}
    hooks = {value for one in found if one["type"] == ConditionType.WEBHOOK for value in one["values"]}
    hooks |= {pk for each in whole for pk in each.get("checks") or ()}
    names = {str(pk): name for pk, name in Integration.objects.filter(pk__in=ids).values_list("pk", "name")}
    if hooks:
        names |= {str(pk): name for pk, name in Webhook.objects.filter(pk__in=uuids(hooks)).values_list("pk", "name")}
    return names


def conditions_of(document: Document) -> list[dict[str, Any]]:
    """Return all conditions of a flow: on requestors, grantees and approvers. A bundle's content has none."""
    grantees = (document.get("request_for") or {}).get("grantees") or {"conditions": ()}
    requestors = document.get("requestors") or {"conditions": ()}
    groups = (requestors, grantees, *(document.get("approval") or {"groups": ()})["groups"])
    return [one for group in groups for one in group["conditions"]]


def digest(document: Document) -> str:
    """Return the SHA-256 (hex) of a document."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def write_rows(flow: AccessFlow, document: Document) -> None:
    """Replace the rows below a flow by what the document says. The flow's own columns are the caller's."""
    flow.targets.all().delete()
    flow.conditions.all().delete()
    flow.approver_groups.all().delete()
    flow.checks.all().delete()
    Timeframe.objects.filter(flow=flow).delete()
    _write_conditions(flow, None, document["requestors"]["conditions"])
    grantees = document.get("request_for", {}).get("grantees", {}).get("conditions", [])
    _write_conditions(flow, None, grantees, Party.GRANTEE)
    for position, group in enumerate(document["approval"]["groups"]):
        row = ApproverGroup.objects.create(
            flow=flow, position=position, tier=group.get("tier", 0), operator=group.get("operator", "or")
        )
        _write_conditions(flow, row, group["conditions"], Party.APPROVER)
    for target in document["targets"]:
        _write_target({"flow": flow}, target)
    FlowCheck.objects.bulk_create(FlowCheck(flow=flow, webhook_id=one) for one in document.get("checks") or ())
    window = document.get("timeframe")
    if window:
        Timeframe.objects.create(
            flow=flow,
            start_time=window["start"],
            end_time=window["end"],
            days_of_week=window["days"],
            time_zone=window["time_zone"],
        )


def write_bundle(bundle: Bundle, targets: Iterable[dict[str, Any]]) -> None:
    """Replace the targets of a bundle."""
    bundle.targets.all().delete()
    for target in targets:
        _write_target({"in_bundle": bundle}, target)


def _write_conditions(
    flow: AccessFlow,
    group: ApproverGroup | None,
    conditions: Iterable[dict[str, Any]],
    party: Party = Party.REQUESTOR,
) -> None:
    for one in conditions:
        Condition.objects.create(
            flow=flow,
            approver_group=group,
            party=party,
            type=one["type"],
            operator=one.get("operator", "is"),
            source_id=one.get("source") or None,
            values=one.get("values", []),
        )


def _write_target(owner: dict[str, Any], target: dict[str, Any]) -> None:
    if target.get("kind") == TargetKind.BUNDLE:
        AccessTarget.objects.create(**owner, kind=TargetKind.BUNDLE, bundle_id=target["bundle"])
        return
    if target.get("kind") == TargetKind.ACCESS_SCOPE:
        AccessTarget.objects.create(**owner, kind=TargetKind.ACCESS_SCOPE, access_scope_id=target["access_scope"])
        return
    if target.get("kind") == TargetKind.QUERY:
        AccessTarget.objects.create(**owner, kind=TargetKind.QUERY, query=target["query"])
        return
    row = AccessTarget.objects.create(
        **owner,
        kind=target.get("kind", TargetKind.INTEGRATION),
        integration_id=target["integration"],
        resource_type=target["resource_type"],
        permissions=target["permissions"],
    )
    for one in target.get("selectors", ()):
        Selector.objects.create(
            target=row, mode=one["mode"], type=one["type"], key=one.get("key", ""), values=one["values"]
        )
