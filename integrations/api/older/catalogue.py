"""What can be connected, connectors, and what was found in integrations, at the older addresses."""

from __future__ import annotations

from typing import ClassVar

from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import require
from accounts.choices import TokenScope
from accounts.rest import paging
from accounts.rest.authentication import actor_of
from accounts.rest.older import COUNTED, list_of, listed
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint
from connectors.contract.manifest import Field, Manifest
from integrations.api import connecting, views
from integrations.api.mapping import LIFETIMES, present
from integrations.api.older import shapes
from integrations.api.older.mapping import SECRETS
from integrations.api.stores import Part
from integrations.choices import ResourceStatus
from integrations.models import Connector, Permission, Resource
from integrations.queries import catalogue

_READ = (TokenScope.ADMIN_READ, TokenScope.INTEGRATIONS_WRITE)
_STATES = {ResourceStatus.ACTIVE: "Active", ResourceStatus.MISSING: "Deleted"}
_OF_TYPE = [OpenApiParameter("resource-type", OpenApiTypes.STR, description="Of this resource type only."), *COUNTED]
_YES_OR_NO = ["true", "false"]


def _entry(one: Manifest) -> Part:
    return {
        "name": one.name,
        "type": one.id,
        "description": one.description,
        "params": [*(_param(each) for each in one.plain_fields()), *(_lifetime(name) for name in LIFETIMES)],
        "requires_secret": any(each.required for each in one.secret_fields()),
        "supported_secret_types": list(SECRETS) if one.secret_fields() else [],
    }


def _param(one: Field) -> Part:
    """Return a field. Older clients insist on a value where a default is told, so that of an optional one is not."""
    choices = list(one.choices) or (_YES_OR_NO if one.kind == "boolean" else [])
    optional = not one.required or bool(one.default)
    return {
        "id": one.name,
        "label": one.label,
        "values": choices,
        "default": "" if optional else one.default,
        "optional": optional,
    }


def _lifetime(name: str) -> Part:
    return {"id": name, "label": name.replace("_", " ").capitalize(), "values": [], "default": "", "optional": True}


class Catalogue(Endpoint):
    """What can be connected."""

    scopes: ClassVar[Scopes] = {"GET": _READ}

    @extend_schema(parameters=COUNTED, responses=list_of(shapes.CatalogueEntry))
    def get(self, request: Request) -> Response:
        """List types of systems by name."""
        require(actor_of(request), "integrations.view_integration")
        every = sorted(catalogue().values(), key=lambda one: (one.name, one.id))
        page = paging.by_offset(request, every, limit=paging.WHOLE)
        return listed(page, [_entry(one) for one in page.rows])


class CatalogueOne(Endpoint):
    """One type of system."""

    scopes: ClassVar[Scopes] = {"GET": _READ}

    @extend_schema(responses=shapes.CatalogueEntry)
    def get(self, request: Request, kind: str) -> Response:
        """Return what is to be told of it."""
        require(actor_of(request), "integrations.view_integration")
        found = catalogue().get(kind)
        if found is None:
            raise Http404
        return Response(_entry(found))


class OlderConnectors(Endpoint):
    """Connectors of the second version."""

    scopes: ClassVar[Scopes] = {"GET": (*_READ, TokenScope.CONNECTORS_WRITE)}

    @extend_schema(responses=shapes.OlderConnector(many=True))
    def get(self, request: Request) -> Response:
        """List all connectors by name."""
        require(actor_of(request), "integrations.view_connector")
        rows = Connector.objects.order_by("name", "pk")[: paging.WHOLE]
        return Response([_connector(one) for one in connecting.shown(rows, timezone.now())])


def _connector(told: Part) -> Part:
    last = told.get("last_connected")
    found = {"connector_id": told["id"], "status": told["status"]}
    return present(found | {"last_connected": last.timestamp() if last else None})


class OlderResources(Endpoint):
    """What was found in an integration."""

    scopes: ClassVar[Scopes] = {"GET": _READ}

    @extend_schema(parameters=_OF_TYPE, responses=list_of(shapes.OlderResource))
    def get(self, request: Request, pk: str) -> Response:
        """List resources in reading order; 1000 where nothing is said, for there may be a million."""
        require(actor_of(request), "integrations.view_integration")
        rows = Resource.objects.filter(integration=views.one_of(pk)).select_related("resource_type")
        if kind := request.query_params.get("resource-type"):
            rows = rows.filter(resource_type__type=kind)
        page = paging.by_offset(request, rows.order_by("path", "id"), limit=paging.LIMIT_MAX)
        return listed(page, [_resource(one) for one in page.rows])


def _resource(one: Resource) -> Part:
    status = {"status": _STATES[ResourceStatus(one.status)]}
    return {"id": str(one.pk), "name": one.name, "type": one.resource_type.type, "status": status}


class OlderPermissions(Endpoint):
    """What can be asked for in an integration."""

    scopes: ClassVar[Scopes] = {"GET": _READ}

    @extend_schema(parameters=_OF_TYPE, responses=list_of(shapes.OlderPermission))
    def get(self, request: Request, pk: str) -> Response:
        """List permissions by resource type, least risk first."""
        require(actor_of(request), "integrations.view_integration")
        rows = Permission.objects.filter(resource_type__integration=views.one_of(pk)).select_related("resource_type")
        if kind := request.query_params.get("resource-type"):
            rows = rows.filter(resource_type__type=kind)
        order = ("resource_type__type", "risk_level", "name", "pk")
        page = paging.by_offset(request, rows.order_by(*order), limit=paging.WHOLE)
        found = [{"name": one.name, "id": one.source_id, "resource_type": one.resource_type.type} for one in page.rows]
        return listed(page, found)
