"""Integrations and connectors for programs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import require
from accounts.choices import TokenScope
from accounts.rest import paging
from accounts.rest.authentication import actor_of
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint
from accounts.rest.wildcards import named
from integrations import actions
from integrations.api import connecting, shapes, writing
from integrations.api.mapping import CATEGORIES, STATUSES, category_of, integration_shown, sources_of
from integrations.api.stores import Part
from integrations.models import Connector, Integration
from integrations.queries import catalogue

_WRITE = (TokenScope.INTEGRATIONS_WRITE,)
_READ = (TokenScope.ADMIN_READ, *_WRITE)
_CONNECT = (TokenScope.CONNECTORS_WRITE,)
PAGED = [
    OpenApiParameter("limit", OpenApiTypes.INT, description="At most so many; 100 where nothing is said."),
    OpenApiParameter("page_token", OpenApiTypes.STR, description="The `next_page_token` of the page before."),
]
_MANY = {"type": "array", "items": {"type": "string"}}
FILTERS = [
    OpenApiParameter("name", OpenApiTypes.STR, description="The name; `*` stands for anything."),
    *(OpenApiParameter(name, _MANY) for name in ("category", "connector_id", "status", "type")),
    *PAGED,
]


def rows() -> QuerySet[Integration]:
    """Return the integrations that are not on their way out, with all that is shown of them: three queries."""
    found = Integration.objects.filter(deleting_since__isnull=True).select_related("connector")
    return found.prefetch_related("owners__user", "owners__group", "secrets")


def shown(found: list[Integration]) -> list[Part]:
    """Return integrations as they are answered. At most one more query."""
    wanted = {pk for one in found for pk in sources_of(one)}
    sources = Integration.objects.filter(pk__in=wanted).values_list("pk", "name") if wanted else ()
    names, manifests = {str(pk): name for pk, name in sources}, catalogue()
    return [integration_shown(one, manifests.get(one.type), names) for one in found]


def one_of(pk: str) -> Integration:
    """Return the integration with the id. Raises Http404."""
    found = rows().filter(pk__in=writing.uuids([pk])).first()
    if found is None:
        raise Http404
    return found


def checked(shape: type[serializers.Serializer[object]], body: Any) -> Part:
    """Return the body as the shape has it. Raises ValidationError."""
    found = shape(data=body)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def _many(request: Request, name: str) -> list[str]:
    """Return the values of a filter that may be there several times, or with commas."""
    return [one for text in request.query_params.getlist(name) for one in text.split(",") if one]


def _filtered(request: Request) -> QuerySet[Integration]:
    found = rows()
    if name := request.query_params.get("name"):
        found = found.filter(named("name", name))
    if types := _many(request, "type"):
        found = found.filter(type__in=types)
    if connectors := _many(request, "connector_id"):
        found = found.filter(connector__in=writing.uuids(connectors))
    if statuses := _many(request, "status"):
        found = found.filter(status__in=[ours for ours, told in STATUSES.items() if told in statuses])
    if wanted := _many(request, "category"):
        if wrong := sorted(set(wanted) - set(CATEGORIES)):
            raise ValidationError({"category": [f"There is no {wrong[0]}; there are {', '.join(CATEGORIES)}."]})
        found = found.filter(type__in=[one.id for one in catalogue().values() if category_of(one) in wanted])
    return found


class Integrations(Endpoint):
    """Integrations."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "POST": _WRITE}

    @extend_schema(parameters=FILTERS, responses=shapes.IntegrationList)
    def get(self, request: Request) -> Response:
        """List integrations by name."""
        require(actor_of(request), "integrations.view_integration")
        paging.take_up_filters(request)
        page = paging.by_token(request, _filtered(request), order=("name", "id"))
        return Response({"items": shown(page.rows), "pagination": page.by_token})

    @extend_schema(request=shapes.IntegrationWanted, responses=shapes.IntegrationShown)
    def post(self, request: Request) -> Response:
        """Connect a system; its check and first sync begin."""
        require(actor_of(request), "integrations.add_integration")
        made = writing.connect(checked(shapes.IntegrationWanted, request.data), actor=actor_of(request))
        return Response(shown([one_of(str(made.pk))])[0])


class OneIntegration(Endpoint):
    """One integration."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PUT": _WRITE, "DELETE": _WRITE}

    @extend_schema(responses=shapes.IntegrationShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it. Its secrets are nobody's to read."""
        require(actor_of(request), "integrations.view_integration")
        return Response(shown([one_of(pk)])[0])

    @extend_schema(request=shapes.IntegrationChange, responses=shapes.IntegrationShown)
    def put(self, request: Request, pk: str) -> Response:
        """Make it as the body says. Secrets of the built-in store that are not given stay."""
        require(actor_of(request), "integrations.change_integration")
        row = one_of(pk)
        writing.change(row, checked(shapes.IntegrationChange, request.data), actor=actor_of(request))
        return Response(shown([one_of(pk)])[0])

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that policy or requests name is refused with 409."""
        require(actor_of(request), "integrations.delete_integration")
        with writing.refusals():
            actions.delete(one_of(pk), actor=actor_of(request))
        return Response(status=204)


class Connectors(Endpoint):
    """Connectors."""

    scopes: ClassVar[Scopes] = {"GET": (TokenScope.ADMIN_READ, *_CONNECT, *_WRITE)}

    @extend_schema(parameters=[OpenApiParameter("status", _MANY), *PAGED], responses=shapes.ConnectorList)
    def get(self, request: Request) -> Response:
        """List connectors by name. One is connected while an instance of it is heard."""
        require(actor_of(request), "integrations.view_connector")
        paging.take_up_filters(request)
        now = timezone.now()
        found = connecting.with_status(Connector.objects.all(), _many(request, "status"), now)
        page = paging.by_token(request, found, order=("name", "id"))
        return Response({"items": connecting.shown(page.rows, now), "pagination": page.by_token})


class OneConnector(Endpoint):
    """One connector."""

    scopes: ClassVar[Scopes] = {
        "GET": (TokenScope.ADMIN_READ, *_CONNECT, *_WRITE),
        "PUT": _CONNECT,
        "DELETE": _CONNECT,
    }

    @extend_schema(responses=shapes.ConnectorShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it."""
        require(actor_of(request), "integrations.view_connector")
        return Response(connecting.shown([_connector(pk)], timezone.now())[0])

    @extend_schema(request=shapes.ConnectorWanted, responses=shapes.ConnectorShown)
    def put(self, request: Request, pk: str) -> Response:
        """Give it another name."""
        body, row = checked(shapes.ConnectorWanted, request.data), _connector(pk)
        with writing.refusals():
            actions.rename_connector(row, body["name"], actor=actor_of(request))
        return Response(connecting.shown([_connector(pk)], timezone.now())[0])

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that integrations run through is refused with 409."""
        require(actor_of(request), "integrations.delete_connector")
        with writing.refusals():
            actions.delete_connector(_connector(pk), actor=actor_of(request))
        return Response(status=204)


def _connector(pk: str) -> Connector:
    found = Connector.objects.filter(pk__in=writing.uuids([pk])).first()
    if found is None:
        raise Http404
    return found
