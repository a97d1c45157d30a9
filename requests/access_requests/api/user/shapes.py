"""What is answered to people's programs. Everything was read beforehand: no query here."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from access_requests.api.client.sessions_shape import credentials_shape, details_shape
from access_requests.api.states import UNITS
from access_requests.choices import RequestState, UnitState, in_client_api
from access_requests.models import AccessGroup, AccessRequest, AccessSession, AccessUnit
from accounts.models import User
from integrations.models import Integration
from integrations.queries import Entitlement


class NamedShape(TypedDict):
    """Something that has a name: an integration, a bundle."""

    id: str
    name: str


class TypeShape(TypedDict):
    """A kind of resource."""

    id: str
    label: str


class PersonShape(TypedDict):
    """Somebody else; `source_id` is their address."""

    id: str
    source_id: str


class ResourceShape(TypedDict):
    """One thing found in an integration; `source_id` is the target's own id of it."""

    id: str
    source_id: str
    type: TypeShape
    name: str


class PermissionShape(TypedDict):
    """What may be asked for on a resource; `source_id` is the target's own word for it."""

    id: str
    source_id: str
    name: str


class PermissionNameShape(TypedDict):
    """What was asked for on a resource."""

    name: str


class EntitlementShape(TypedDict):
    """What may be asked for."""

    integration: NamedShape
    resource: ResourceShape
    permission: PermissionShape


class AskedShape(TypedDict):
    """What a request names, and how it fares."""

    integration: NamedShape
    resource: ResourceShape
    permission: PermissionNameShape
    status: str


class GroupShape(TypedDict):
    """One integration's part of a request."""

    integration: NamedShape
    resource_types: list[TypeShape]


class RequestShape(TypedDict):
    """A request. `requestor` and `grantee` are null where it is the caller; which bundle was named is not kept."""

    id: str
    status: str
    duration_in_sec: int | None
    justification: str | None
    creation_date: datetime
    revocation_date: datetime | None
    custom_fields: dict[str, str]
    access_groups: list[GroupShape]
    requestor: PersonShape | None
    grantee: PersonShape | None
    bundle: NamedShape | None


class DelegatedShape(TypedDict):
    """A request for somebody else."""

    id: str
    status: str
    duration_in_sec: int | None
    justification: str | None
    creation_date: datetime
    revocation_date: datetime | None
    custom_fields: dict[str, str]
    access_groups: list[GroupShape]
    requestor: PersonShape | None
    grantee: PersonShape
    bundle: NamedShape | None


class SessionShape(TypedDict):
    """What the caller holds through one grant."""

    id: str
    name: str
    request_ids: list[str]
    integration: NamedShape
    credentials_status: str
    can_reset_credentials: bool


class LinkShape(TypedDict):
    """Where it is opened in a browser."""

    url: str
    title: str | None


class DetailsShape(TypedDict):
    """How to connect, in every form there is."""

    instructions: str
    custom_admin_message: str | None
    parameters: dict[str, str] | None
    cli: str | None
    link: LinkShape | None


def _named(here: Integration) -> NamedShape:
    return {"id": str(here.pk), "name": here.name}


def _person(user: User) -> PersonShape:
    return {"id": str(user.pk), "source_id": user.email}


def request_shape(access: AccessRequest, reader: User) -> RequestShape:
    """Return a request as its requestor or grantee reads it."""
    return {
        "id": str(access),
        "status": in_client_api(RequestState(access.state)),
        "duration_in_sec": access.duration_seconds,
        "justification": access.justification or None,
        "creation_date": access.requested_at,
        "revocation_date": access.ended_at or access.due_at or access.ends_at,
        "custom_fields": answers_of(access),
        "access_groups": [_group(one) for one in access.access_groups.all()],
        "requestor": None if access.requestor_id == reader.pk else _person(access.requestor),
        "grantee": None if access.grantee_id == reader.pk else _person(access.grantee),
        "bundle": None,
    }


def delegated_shape(access: AccessRequest, reader: User) -> DelegatedShape:
    """Return a request for somebody else as its requestor reads it."""
    return {**request_shape(access, reader), "grantee": _person(access.grantee)}


def answers_of(access: AccessRequest) -> dict[str, str]:
    """Return what was written into the flow's own fields; the number of a ticket is one of them."""
    told = {key: str(value) for key, value in access.fields.items()}
    return told | ({"ticket": access.ticket} if access.ticket else {})


def _group(group: AccessGroup) -> GroupShape:
    kinds = {unit.resource_type: unit.resource.resource_type.name for unit in group.units.all()}
    types: list[TypeShape] = [{"id": kind, "label": name or kind} for kind, name in kinds.items()]
    return {"integration": _named(group.integration), "resource_types": types}


def asked_shape(unit: AccessUnit) -> AskedShape:
    """Return a unit of a request."""
    resource, kind = unit.resource, unit.resource_type
    return {
        "integration": _named(unit.group.integration),
        "resource": {
            "id": str(unit.resource_id),
            "source_id": unit.resource_source_id,
            "type": {"id": kind, "label": resource.resource_type.name or kind},
            "name": resource.name,
        },
        "permission": {"name": unit.permission_name},
        "status": UNITS[UnitState(unit.state)],
    }


def entitlement_shape(one: Entitlement) -> EntitlementShape:
    """Return what may be asked for."""
    return {
        "integration": {"id": one.integration_id, "name": one.integration_name},
        "resource": {
            "id": str(one.resource_id),
            "source_id": one.resource_source_id,
            "type": {"id": one.resource_type, "label": one.resource_type_name or one.resource_type},
            "name": one.resource_name,
        },
        "permission": {
            "id": str(one.permission_id),
            "source_id": one.permission_source_id,
            "name": one.permission_name,
        },
    }


def session_shape(session: AccessSession) -> SessionShape:
    """Return a session."""
    here, found = session.group.integration, credentials_shape(session)
    return {
        "id": str(session.pk),
        "name": f"{here.name} {session.group.request}",
        "request_ids": [str(session.group.request)],
        "integration": _named(here),
        "credentials_status": session.credentials_status,
        "can_reset_credentials": found is not None and found["can_reset"],
    }


def connection_shape(session: AccessSession, secrets: dict[str, str]) -> DetailsShape:
    """Return how to connect. Without secrets what is secret is masked."""
    told = details_shape(session, secrets)
    link = told.get("link")
    return {
        "instructions": told["instructions"]["plain"],
        "custom_admin_message": told["instructions"].get("custom_message"),
        "parameters": {name: _text(value) for name, value in told["json"].items()},
        "cli": told.get("cli"),
        "link": {"url": link["url"], "title": link["title"]} if link else None,
    }


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
