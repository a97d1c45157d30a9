"""A new request before it is sent: what each access flow would make of it, who would decide, and what it asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NotRequired, TypedDict

from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import actions
from access_requests.actions.asking import PartPlan
from access_requests.api.client.asking import TICKET, ErrorShape, dry_run_shape, pick, run, wish_of
from access_requests.api.client.door import Told, asker_of, endpoint
from access_requests.api.client.reading import AskReader, read_body
from access_requests.api.client.requests import WRITE
from access_requests.api.client.shapes import UnitShape, entitlement_shape
from access_requests.views.verdicts import Verdict, said
from flows.decision import Document
from flows.decision.conditions import setting


class ApproversShape(TypedDict):
    """Some who would be asked: why they, the first few names, and how many more there are."""

    why: str
    names: list[str]
    more: int


class WantedShape(TypedDict):
    """A field that a flow wants filled in; it goes into `custom_fields` by its key."""

    key: str
    label: str
    kind: str
    required: bool
    choices: list[str]
    pattern: str


class PartShape(TypedDict):
    """What one access flow decides; it becomes one request. `checks`: systems that have to say yes before anybody."""

    flow: str
    access_units: list[UnitShape]
    needs_approval: bool
    approval: str
    approvers: list[ApproversShape]
    checks: list[str]
    justification_required: bool
    second_factor_required: bool
    custom_fields: list[WantedShape]
    duration_in_sec: NotRequired[int]
    max_duration_in_sec: NotRequired[int]


class PreviewShape(TypedDict):
    """A dry run, and what each access flow makes of its part."""

    status: str
    errors: list[ErrorShape]
    max_duration_in_sec: NotRequired[int]
    parts: list[PartShape]


@endpoint("POST", scope=WRITE, told=Told(body=AskReader, gives=PreviewShape))
def preview(http: Request) -> Response:
    """Say what would become of a new request and who would decide. Nothing is asked, and nobody is told."""
    data = read_body(http, AskReader)
    who = asker_of(http, data["grantee_id"] or "")
    found, problems = run(who, pick(who, data), wish_of(data))
    return Response({**dry_run_shape(found, problems), "parts": list(_parts(found))})


def _parts(found: actions.DryRun) -> Iterable[PartShape]:
    verdicts = said(found, (), ()).verdicts
    return (_part(plan, verdict) for plan, verdict in zip(found.plans, verdicts, strict=True))


def _part(plan: PartPlan, verdict: Verdict) -> PartShape:
    document = plan.part.flow.document
    shape: PartShape = {
        "flow": verdict.flow,
        "access_units": [entitlement_shape(one) for one in plan.part.asks],
        "needs_approval": verdict.needs_approval,
        "approval": verdict.needed if verdict.needs_approval else "",
        "approvers": [{"why": why, "names": list(some.names), "more": some.more} for why, some in verdict.approvers],
        "checks": list(verdict.checks),
        "justification_required": bool(setting(document, "justification_required")),
        "second_factor_required": bool(setting(document, "mfa_required")),
        "custom_fields": _wanted(document),
    }
    if plan.part.duration_seconds is not None:
        shape["duration_in_sec"] = plan.part.duration_seconds
    if verdict.longest is not None:
        shape["max_duration_in_sec"] = verdict.longest
    return shape


def _wanted(document: Document) -> list[WantedShape]:
    pattern = str(setting(document, "ticket_pattern") or "")
    found = [_field(TICKET, {"label": "Ticket", "required": True, "pattern": pattern})] if pattern else []
    return [*found, *(_field(one["key"], one) for one in setting(document, "fields") or ())]


def _field(key: str, told: dict[str, Any]) -> WantedShape:
    return {
        "key": key,
        "label": told["label"],
        "kind": told.get("kind", "text"),
        "required": bool(told.get("required")),
        "choices": list(told.get("choices", ())),
        "pattern": told.get("pattern", ""),
    }
