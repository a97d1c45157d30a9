"""A request as clients read it. Everything was read beforehand (queries.client.complete_for_clients): no query here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

from access_requests.actions import room_of
from access_requests.api.client.shapes import (
    GranteeShape,
    IntegrationShape,
    ResourceTypeShape,
    UnitShape,
    UserShape,
    grantee_shape,
    instant,
    integration_shape,
    permission_shape,
    resource_type_shape,
    unit_id,
    user_shape,
)
from access_requests.api.states import UNITS
from access_requests.choices import (
    FINAL,
    CredentialsStatus,
    ExtensionState,
    RequestState,
    UnitState,
    in_client_api,
    outcome_of,
)
from access_requests.models import AccessGroup, AccessRequest, AccessSession, AccessUnit, Approval
from access_requests.views.words import why_asked
from flows.choices import ApprovalMode

APPROVALS = {"pending": "Pending", "approved": "Approved", "rejected": "Rejected"}


class StatusShape(TypedDict):
    """How a request stands."""

    status: str
    description: NotRequired[str]
    metadata: dict[str, str]


class GroupStatusShape(TypedDict):
    """How one integration's part of a request fares."""

    status: str
    message: NotRequired[str]


class GroupShape(TypedDict):
    """One integration's part of a request."""

    integration: IntegrationShape
    resource_types: list[ResourceTypeShape]
    id: str
    has_new_credentials: bool
    status: GroupStatusShape
    total_resources: int
    total_permissions: int


class ApproverShape(TypedDict):
    """One who was asked, and what they said."""

    name: str
    type: str
    status: str
    metadata: dict[str, str]
    tier: int
    tier_escalated_at: NotRequired[float]


class ChallengeShape(TypedDict):
    """Whose yes it takes."""

    logical_relation: str
    approvers: list[ApproverShape]


class SummaryShape(TypedDict):
    """A unit in two words."""

    resource_name: str
    permission_name: str


class ExtendShape(TypedDict):
    """Whether more time may be asked for."""

    can_extend: bool
    extension_availability: str
    extend_duration_in_sec: int
    remaining_extensions: int


class RequestShape(TypedDict):
    """A request."""

    id: str
    requestor: UserShape
    grantee: GranteeShape
    creation_time: float
    revocation_time: NotRequired[float]
    status: StatusShape
    justification: str
    access_groups: list[GroupShape]
    challenge: NotRequired[ChallengeShape]
    duration_in_sec: NotRequired[int]
    custom_fields: dict[str, str]
    require_approver_reason: bool
    favorite: bool
    access_units_summary: list[SummaryShape]
    distinct_resource_names: list[str]
    extension_count: int
    extend_options: ExtendShape


def request_shape(access: AccessRequest, reader: Any, *, favourite: bool, summary: int | None = 5) -> RequestShape:
    """Return a request for a reader. `summary`: how many units are named at once; None names all."""
    document = access.flow_version.document
    units = [unit for group in access.access_groups.all() for unit in group.units.all()]
    shape: RequestShape = {
        "id": str(access),
        "requestor": user_shape(access.requestor),
        "grantee": grantee_shape(access.grantee),
        "creation_time": instant(access.requested_at),
        "status": _status(access),
        "justification": access.justification,
        "access_groups": [group_shape(group, reader, access) for group in access.access_groups.all()],
        "custom_fields": _answers(access),
        "require_approver_reason": bool(document["settings"]["approver_reason_required"]),
        "favorite": favourite,
        "access_units_summary": [_summary(unit) for unit in units[:summary]],
        "distinct_resource_names": list(dict.fromkeys(unit.resource.name for unit in units))[:summary],
        "extension_count": _given(access),
        "extend_options": _extend(access, reader),
    }
    end = access.ended_at or access.due_at or access.ends_at
    if end is not None:
        shape["revocation_time"] = instant(end)
    if access.duration_seconds is not None:
        shape["duration_in_sec"] = access.duration_seconds
    if document["approval"]["mode"] != ApprovalMode.NONE and not access.break_glass:
        shape["challenge"] = _challenge(access)
    return shape


def _answers(access: AccessRequest) -> dict[str, str]:
    told = {key: str(value) for key, value in access.fields.items()}
    return told | ({"ticket": access.ticket} if access.ticket else {})


def _status(access: AccessRequest) -> StatusShape:
    """Return the state in the client's word, with ours beside it: cancelled, lapsed and the like are told apart."""
    state = RequestState(access.state)
    shape: StatusShape = {"status": in_client_api(state), "metadata": {"state": access.state}}
    told = access.note or (access.get_end_reason_display() if access.end_reason else "")
    if told:
        shape["description"] = told
    if access.end_reason:
        shape["metadata"]["end_reason"] = access.end_reason
    if access.ended_how:
        shape["metadata"]["ended_how"] = access.ended_how
    if access.overdue_since and state == RequestState.REVOKING:
        shape["metadata"]["overdue_since"] = access.overdue_since.isoformat()
    return shape


def group_shape(group: AccessGroup, reader: Any, access: AccessRequest) -> GroupShape:
    """Return one integration's part. That credentials wait to be seen is told to the grantee only."""
    units, here = list(group.units.all()), group.integration
    session: AccessSession | None = getattr(group, "session", None)
    fresh = session is not None and session.credentials_status == CredentialsStatus.AVAILABLE
    kinds = {unit.resource.resource_type_id: unit.resource.resource_type for unit in units}
    status: GroupStatusShape = {"status": outcome_of(unit.state for unit in units)}
    told = "; ".join(dict.fromkeys(unit.message for unit in units if unit.state == UnitState.FAILED and unit.message))
    if told:
        status["message"] = told
    return {
        "integration": integration_shape(str(here.pk), here.name, here.type),
        "resource_types": [resource_type_shape(kind.type, kind.name) for kind in kinds.values()],
        "id": str(group.pk),
        "has_new_credentials": fresh and access.grantee_id == reader.pk,
        "status": status,
        "total_resources": len({unit.resource_id for unit in units}),
        "total_permissions": len({unit.permission_id for unit in units}),
    }


def _challenge(access: AccessRequest) -> ChallengeShape:
    mode = access.flow_version.document["approval"]["mode"]
    return {
        "logical_relation": "AllOf" if mode == ApprovalMode.ALL_OF else "AnyOf",
        "approvers": [_approver(one, access.flow_version.document) for one in access.approvals.all()],
    }


def _approver(one: Approval, document: dict[str, Any]) -> ApproverShape:
    metadata = {"email": one.approver.email, "why": why_asked(document, one.group_index)}
    if one.reason:
        metadata["reason"] = one.reason
    if one.stands_in_for is not None:
        metadata["stands_in_for"] = one.stands_in_for.email
    shape: ApproverShape = {
        "name": one.approver.name,
        "type": "user",
        "status": APPROVALS[one.status],
        "metadata": metadata,
        "tier": one.tier,
    }
    if one.tier and one.asked_at is not None:
        shape["tier_escalated_at"] = instant(one.asked_at)
    return shape


def _summary(unit: AccessUnit) -> SummaryShape:
    return {"resource_name": unit.resource.name, "permission_name": unit.permission_name}


def _given(access: AccessRequest) -> int:
    return sum(one.state == ExtensionState.APPROVED for one in access.extensions.all())


def _extend(access: AccessRequest, reader: Any) -> ExtendShape:
    current = access.flow_version.flow.current
    room = room_of(current.document, _given(access)) if current else None
    waits = any(one.state == ExtensionState.PENDING for one in access.extensions.all())
    word = "AVAILABLE"
    if room is None or not room.seconds or access.ends_at is None:
        word = "NOT_ALLOWED"
    if room is not None and room.seconds and not room.left:
        word = "NONE_LEFT"
    if access.state != RequestState.ACTIVE:
        word = "ENDED" if access.state in FINAL else "NOT_ACTIVE"
    elif waits:
        word = "PENDING"
    if word == "AVAILABLE" and reader.pk not in {access.requestor_id, access.grantee_id}:
        word = "NOT_YOURS"
    return {
        "can_extend": word == "AVAILABLE",
        "extension_availability": word,
        "extend_duration_in_sec": room.seconds if room else 0,
        "remaining_extensions": room.left if room else 0,
    }


def unit_shape(unit: AccessUnit, group: AccessGroup) -> UnitShape:
    """Return a unit of a request. Names are those of the ask; the inventory may have moved on."""
    here, resource = group.integration, unit.resource
    shape: UnitShape = {
        "id": unit_id(unit.resource_id, unit.permission_id),
        "resource": {
            "id": str(resource.pk),
            "source_id": unit.resource_source_id,
            "name": resource.name,
            "path": unit.resource_path,
            "type": resource_type_shape(unit.resource_type, resource.resource_type.name),
            "integration": integration_shape(str(here.pk), here.name, here.type),
        },
        "permission": permission_shape(unit.permission_source_id, unit.permission_name),
        "status": {"status": UNITS[UnitState(unit.state)]},
    }
    if unit.message:
        shape["status"]["message"] = unit.message
    return shape


def units_of(groups: Sequence[AccessGroup]) -> list[tuple[AccessGroup, AccessUnit]]:
    """Return the units of some groups, each with its group."""
    return [(group, unit) for group in groups for unit in group.units.all()]
