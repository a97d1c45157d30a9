"""Rows of policy as the API answers them: a page in a fixed number of queries, lists in the order they were written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from flows import document as documents
from flows.api.mapping import flow_shown
from flows.api.naming import Known, known
from flows.api.parts import Part, present, target_shown
from flows.choices import Party, PolicyKind, TargetKind
from flows.decision import Document
from flows.models import (
    AccessFlow,
    AccessScope,
    AccessTarget,
    ApproverGroup,
    Bundle,
    Condition,
    Revision,
    Timeframe,
)


def flows() -> QuerySet[AccessFlow]:
    """Return flows with all that is shown of them: eight queries at most, however many there are."""
    groups = ApproverGroup.objects.prefetch_related(Prefetch("conditions", Condition.objects.order_by("pk")))
    return AccessFlow.objects.select_related("timeframe", "space").prefetch_related(
        "space__scopes",
        Prefetch("targets", _targets()),
        Prefetch("conditions", Condition.objects.filter(approver_group__isnull=True).order_by("pk")),
        Prefetch("approver_groups", groups),
        "checks",
    )


def bundles() -> QuerySet[Any]:
    """Return bundles with all that is shown of them, each with `updated_at`."""
    return _dated(
        Bundle.objects.select_related("space").prefetch_related(Prefetch("targets", _targets())), PolicyKind.BUNDLE
    )


def scopes() -> QuerySet[Any]:
    """Return access scopes, each with `updated_at`."""
    return _dated(AccessScope.objects.select_related("space"), PolicyKind.SCOPE)


def _targets() -> QuerySet[AccessTarget]:
    return AccessTarget.objects.select_related("bundle", "access_scope").prefetch_related("selectors").order_by("pk")


def _dated(rows: QuerySet[Any], kind: PolicyKind) -> QuerySet[Any]:
    latest = Revision.objects.filter(kind=kind, subject=OuterRef("pk")).order_by("-number").values("created_at")[:1]
    found: QuerySet[Any] = rows.annotate(updated_at=Coalesce(Subquery(latest), "created_at"))
    return found


def as_written(flow: AccessFlow) -> Document:
    """Return what a flow's rows say as a document in the order of the rows. `flow` is one of `flows()`."""
    conditions = list(flow.conditions.all())
    return documents.assemble_in_order(
        flow,
        [_condition(one) for one in conditions if one.party == Party.REQUESTOR],
        [_target(one) for one in flow.targets.all()],
        [
            {
                "tier": one.tier,
                "operator": one.operator,
                "conditions": [_condition(each) for each in one.conditions.all()],
            }
            for one in flow.approver_groups.all()
        ],
        grantees=[_condition(one) for one in conditions if one.party == Party.GRANTEE],
        timeframe=_timeframe(flow),
        checks=[str(one.webhook_id) for one in flow.checks.all()],
        space=documents.compose_space(flow.space) if flow.space else None,
    )


def targets_of(bundle: Any) -> list[Part]:
    """Return the targets of a bundle (of `bundles()`), in their order."""
    return [_target(one) for one in bundle.targets.all()]


def _condition(one: Condition) -> Part:
    source = str(one.source_id or "")
    return {"type": one.type, "operator": one.operator, "source": source, "values": [str(each) for each in one.values]}


def _timeframe(flow: AccessFlow) -> Part | None:
    window: Timeframe | None = getattr(flow, "timeframe", None)
    if window is None:
        return None
    start, end = (f"{time:%H:%M}" for time in (window.start_time, window.end_time))
    return {"start": start, "end": end, "days": list(window.days_of_week), "time_zone": window.time_zone}


def _target(one: AccessTarget) -> Part:
    if one.kind == TargetKind.BUNDLE:
        return {"kind": one.kind, "bundle": str(one.bundle_id)}
    if one.kind == TargetKind.ACCESS_SCOPE:
        return {"kind": one.kind, "access_scope": str(one.access_scope_id)}
    if one.kind == TargetKind.QUERY:
        return {"kind": one.kind, "query": one.query}
    return {
        "kind": TargetKind.INTEGRATION.value,
        "integration": str(one.integration_id),
        "resource_type": one.resource_type,
        "permissions": [str(each) for each in one.permissions],
        "selectors": [
            {"mode": each.mode, "type": each.type, "key": each.key, "values": [str(value) for value in each.values]}
            for each in one.selectors.all()
        ],
    }


def names_in(told: Iterable[Document]) -> Known:
    """Return the names of all that documents refer to. At most four queries."""
    whole = list(told)
    targets = [target for one in whole for target in one.get("targets", ())]
    conditions = [each for one in whole for each in documents.conditions_of(one)]
    hooks = {value for one in conditions if one["type"] == "webhook" for value in one["values"]}
    return known(
        {
            "integrations": {one["integration"] for one in targets if "integration" in one}
            | {one["source"] for one in conditions if one.get("source")},
            "bundles": {one["bundle"] for one in targets if one["kind"] == TargetKind.BUNDLE},
            "scopes": {one["access_scope"] for one in targets if one["kind"] == TargetKind.ACCESS_SCOPE},
            "webhooks": hooks | {pk for one in whole for pk in one.get("checks") or ()},
        }
    )


def lying(one: Any) -> Part:
    """Return in which space something lies; nothing of what is the whole account's."""
    return {"space_id": str(one.space_id), "space_name": one.space.name} if one.space_id else {}


def flows_shown(rows: Iterable[AccessFlow]) -> list[Part]:
    """Return flows as they are answered."""
    told = [(one, as_written(one)) for one in rows]
    names = names_in(document for _, document in told)
    return [
        {
            "id": str(one.pk),
            **flow_shown(document, names, one.said),
            **lying(one),
            "creation_date": one.created_at,
            "update_date": one.updated_at,
        }
        for one, document in told
    ]


def bundles_shown(rows: Iterable[Any]) -> list[Part]:
    """Return bundles (of `bundles()`) as they are answered."""
    told = [(one, targets_of(one)) for one in rows]
    names = names_in({"targets": targets} for _, targets in told)
    return [
        present(
            {
                "id": str(one.pk),
                "name": one.name,
                "access_targets": [target_shown(each, names) for each in targets],
                "creation_date": one.created_at,
                "update_date": one.updated_at,
                "description": one.description or None,
                **lying(one),
            }
        )
        for one, targets in told
    ]


def scope_shown(one: Any) -> Part:
    """Return an access scope (of `scopes()`) as it is answered."""
    told = {"id": str(one.pk), "name": one.name, "description": one.description or None, "query": one.query}
    return present(told | lying(one) | {"creation_date": one.created_at, "update_date": one.updated_at})
