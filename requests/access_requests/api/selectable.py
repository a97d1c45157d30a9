"""What a person may ask for, step by step, at the older addresses: integrations, types, permissions, resources.

Everything is narrowed to what an access flow gives the person, as on the page of a new request: what none gives is not
told from what is not there. `user_id` names somebody else, which only who may see people may ask.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db.models import Q
from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import offering
from access_requests.offering import Asker, Narrow
from accounts.actions import require
from accounts.choices import TokenScope
from accounts.models import User
from accounts.rest import paging
from accounts.rest.authentication import actor_of, token_of, user_of
from accounts.rest.older import COUNTED, list_of, listed
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint

# So many resources are looked for: clients of these addresses know no pages.
RESOURCES_MAX = 10_000
_WHO = [
    OpenApiParameter("user_id", OpenApiTypes.STR, description="Who asks: id or address; you where nothing is said.")
]


class SelectableIntegration(serializers.Serializer[object]):
    """An integration in which something can be asked for."""

    id = serializers.CharField()


class SelectableResourceType(serializers.Serializer[object]):
    """A resource type of which something can be asked for."""

    id = serializers.CharField()
    name = serializers.CharField()


class SelectableResource(serializers.Serializer[object]):
    """A resource on which something can be asked for."""

    id = serializers.CharField()
    type = serializers.CharField()
    name = serializers.CharField()


class _Selectable(Endpoint):
    scopes: ClassVar[Scopes] = {"GET": (TokenScope.INVENTORY_READ, TokenScope.ADMIN_READ)}

    def who(self, request: Request) -> Asker:
        """Return who asks. Raises NotAllowed, PermissionDenied, ValidationError."""
        told, me = request.query_params.get("user_id"), user_of(request)
        if not told or told in (str(me.pk), me.email):
            return offering.asker(me)
        require(actor_of(request), "accounts.view_user")
        if TokenScope.ADMIN_READ not in token_of(request).scopes:
            raise PermissionDenied("What others may ask for takes a token with admin:read.", code="missing_scope")
        found = User.objects.filter(_is(told), is_active=True).first()
        if found is None:
            raise ValidationError({"user_id": [f"There is nobody “{told}”."]})
        return offering.asker(found)

    def page(self, request: Request, rows: list[Any], **more: Any) -> Response:
        """Return a part of a list."""
        page = paging.by_offset(request, rows, limit=paging.WHOLE)
        return listed(page, page.rows, **more)


def _is(told: str) -> Q:
    """Return the condition that a person has the id or address."""
    try:
        return Q(pk=uuid.UUID(told))
    except ValueError:
        return Q(email=told.lower())


class Integrations(_Selectable):
    """Integrations in which something can be asked for."""

    @extend_schema(parameters=[*_WHO, *COUNTED], responses=list_of(SelectableIntegration))
    def get(self, request: Request) -> Response:
        """List them in reading order."""
        places = offering.places_in(self.who(request), Narrow())
        return self.page(request, [{"id": pk} for pk in dict.fromkeys(one.integration_id for one in places)])


class ResourceTypes(_Selectable):
    """Resource types of which something can be asked for."""

    @extend_schema(parameters=[*_WHO, *COUNTED], responses=list_of(SelectableResourceType))
    def get(self, request: Request, pk: str) -> Response:
        """List those of an integration."""
        places = offering.places_in(self.who(request), Narrow(integrations=(pk,)))
        names = {one.type: one.type_name for one in places}
        return self.page(request, [{"id": kind, "name": name} for kind, name in names.items()])


class Permissions(_Selectable):
    """Permissions that can be asked for."""

    @extend_schema(
        parameters=[*_WHO, *COUNTED],
        responses=list_of(
            serializers.ListField(child=serializers.CharField()), allow_multiple=serializers.BooleanField()
        ),
    )
    def get(self, request: Request, pk: str, kind: str) -> Response:
        """List those on resources of a type, least risk first; several may be asked for at once."""
        rows = offering.permissions_in(self.who(request), Narrow(integrations=(pk,), types=(kind,)))
        return self.page(request, list(dict.fromkeys(one.source_id for one in rows)), allow_multiple=True)


class Resources(_Selectable):
    """Resources on which something can be asked for."""

    @extend_schema(parameters=[*_WHO, *COUNTED], responses=list_of(SelectableResource))
    def get(self, request: Request, pk: str, kind: str) -> Response:
        """List those of a type in reading order; 10000 at most."""
        narrow = Narrow(integrations=(pk,), types=(kind,))
        rows, _ = offering.find_resources(self.who(request), narrow, 0, RESOURCES_MAX)
        told = [{"id": str(one.resource_id), "type": one.resource_type, "name": one.resource_name} for one in rows]
        return self.page(request, told)


_BASE = "api/v3/selectable-integrations"
urlpatterns: list[URLPattern] = [
    path(_BASE, Integrations.as_view(), name="api_selectable_integrations"),
    path(f"{_BASE}/<str:pk>/resource-types", ResourceTypes.as_view(), name="api_selectable_types"),
    path(f"{_BASE}/<str:pk>/<str:kind>/permissions", Permissions.as_view(), name="api_selectable_permissions"),
    path(f"{_BASE}/<str:pk>/<str:kind>/resources", Resources.as_view(), name="api_selectable_resources"),
]
