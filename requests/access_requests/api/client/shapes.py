"""The small things that answers are made of: people, integrations, resource types, resources, permissions, moments."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import NotRequired, TypedDict

from django.conf import settings
from django.templatetags.static import static

from accounts.models import User
from integrations.queries import Entitlement, catalogue

MASKED = "********"


class Icons(TypedDict):
    """Addresses of drawings."""

    png: str
    svg: str


class IntegrationShape(TypedDict):
    """A connected system."""

    id: str
    type: str
    type_display_name: str
    name: str
    icons: Icons


class ResourceTypeShape(TypedDict):
    """A kind of resource."""

    id: str
    name: str
    display_path: str
    allow_multiple_permissions: bool
    icons: Icons


class ResourceShape(TypedDict):
    """One thing found in an integration."""

    id: str
    source_id: str
    name: str
    path: str
    type: ResourceTypeShape
    integration: IntegrationShape


class PermissionShape(TypedDict):
    """What can be asked for on a resource; its id is the target's own word for it."""

    id: str
    name: str


class UnitStatusShape(TypedDict):
    """How one unit of a request fares."""

    status: str
    message: NotRequired[str]


class UnitShape(TypedDict):
    """An entitlement, with a status where it is part of a request."""

    id: str
    resource: ResourceShape
    permission: PermissionShape
    status: NotRequired[UnitStatusShape]


class UserShape(TypedDict):
    """Somebody who asks."""

    id: str
    name: str
    email: str


class GranteeShape(TypedDict):
    """Somebody whom access is for."""

    id: str
    source_id: str
    display_name: str
    type: str


class OptionShape(TypedDict):
    """One value that a list can be narrowed by."""

    id: str
    type: str
    source_id: str
    display_name: str


def instant(at: datetime) -> float:
    """Return a moment as seconds since 1970, with its fraction: clients compare it with their own clock."""
    return at.timestamp()


@cache
def icons() -> Icons:
    """Return the one drawing that is served to anybody: clients of the command line show none."""
    drawing = settings.PUBLIC_URL + static("img/favicon.svg")
    return {"png": drawing, "svg": drawing}


def type_name(provider: str) -> str:
    """Return the catalogue's name of a type of integration; its id for one that is not installed any more."""
    manifest = catalogue().get(provider)
    return manifest.name if manifest else provider


def integration_shape(pk: str, name: str, provider: str) -> IntegrationShape:
    """Return an integration."""
    return {
        "id": pk,
        "type": provider,
        "type_display_name": type_name(provider),
        "name": name,
        "icons": icons(),
    }


def resource_type_shape(kind: str, name: str) -> ResourceTypeShape:
    """Return a resource type. One ask may always name several permissions on a resource."""
    return {"id": kind, "name": name, "display_path": name, "allow_multiple_permissions": True, "icons": icons()}


def permission_shape(source_id: str, name: str) -> PermissionShape:
    """Return a permission."""
    return {"id": source_id, "name": name}


def unit_id(resource: int | None, permission: int | None) -> str:
    """Return how an entitlement is named; it may be asked for by that again."""
    return f"{resource}:{permission}"


def entitlement_shape(one: Entitlement) -> UnitShape:
    """Return an entitlement that may be asked for."""
    return {
        "id": unit_id(one.resource_id, one.permission_id),
        "resource": resource_shape(one),
        "permission": permission_shape(one.permission_source_id, one.permission_name),
    }


def resource_shape(one: Entitlement) -> ResourceShape:
    """Return the resource of an entitlement."""
    return {
        "id": str(one.resource_id),
        "source_id": one.resource_source_id,
        "name": one.resource_name,
        "path": one.resource_path,
        "type": resource_type_shape(one.resource_type, one.resource_type_name or one.resource_type),
        "integration": integration_shape(one.integration_id, one.integration_name, one.integration_type),
    }


def user_shape(user: User) -> UserShape:
    """Return who asks."""
    return {"id": str(user.pk), "name": user.name, "email": user.email}


def grantee_shape(user: User) -> GranteeShape:
    """Return whom access is for."""
    return {"id": str(user.pk), "source_id": user.email, "display_name": user.name, "type": "user"}


def option_shape(pk: str, kind: str, name: str, source_id: str = "") -> OptionShape:
    """Return one value to narrow by."""
    return {"id": pk, "type": kind, "source_id": source_id or pk, "display_name": name}
