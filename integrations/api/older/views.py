"""Integrations at the older addresses, and at those of older Terraform providers."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import require
from accounts.choices import TokenScope
from accounts.rest import paging
from accounts.rest.authentication import actor_of
from accounts.rest.older import COUNTED, Message, list_of, listed, said
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint
from integrations import actions
from integrations.api import shapes as version_four
from integrations.api import views, writing
from integrations.api.older import mapping, shapes
from integrations.api.older.mapping import METADATA, PARAMS
from integrations.api.stores import Part
from integrations.models import Integration
from integrations.queries import catalogue

_WRITE = (TokenScope.INTEGRATIONS_WRITE,)
_READ = (TokenScope.ADMIN_READ, *_WRITE)


def _shown(rows: list[Integration], config: str) -> list[Part]:
    manifests = catalogue()
    told = zip(rows, views.shown(rows), strict=True)
    return [mapping.shown(row, part, manifests.get(row.type), config) for row, part in told]


def _list(request: Request, config: str) -> Response:
    require(actor_of(request), "integrations.view_integration")
    page = paging.by_offset(request, views.rows().order_by("name", "pk"), limit=paging.WHOLE)
    return listed(page, _shown(page.rows, config))


def _one(request: Request, pk: Any, config: str) -> Response:
    require(actor_of(request), "integrations.view_integration")
    return Response(_shown([views.one_of(str(pk))], config)[0])


def _connect(request: Request, shape: Any, config: str) -> Response:
    require(actor_of(request), "integrations.add_integration")
    body = views.checked(shape, request.data)
    with mapping.named(config):
        whole = views.checked(version_four.IntegrationWanted, mapping.wanted(body, config))
        made = writing.connect(whole, actor=actor_of(request))
    return _one(request, made.pk, config)


def _change(request: Request, pk: str, shape: Any, config: str) -> Response:
    require(actor_of(request), "integrations.change_integration")
    row, body = views.one_of(pk), views.checked(shape, request.data)
    if body.pop("type", row.type) != row.type:
        raise ValidationError({"type": [f"The type stays {row.type}: connect another system for another type."]})
    # The contract of programs knows no owners, that of Terraform does.
    kept = views.shown([row])[0] if config == METADATA else None
    with mapping.named(config):
        whole = views.checked(version_four.IntegrationChange, mapping.wanted(body, config, kept))
        writing.change(row, whole, actor=actor_of(request))
    return _one(request, pk, config)


class OlderIntegrations(Endpoint):
    """Integrations of the second version."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "POST": _WRITE}

    @extend_schema(parameters=COUNTED, responses=list_of(shapes.OlderIntegrationShown))
    def get(self, request: Request) -> Response:
        """List integrations by name."""
        return _list(request, METADATA)

    @extend_schema(request=shapes.OlderIntegrationWanted, responses=shapes.OlderIntegrationShown)
    def post(self, request: Request) -> Response:
        """Connect a system; its check and first sync begin."""
        return _connect(request, shapes.OlderIntegrationWanted, METADATA)


class OlderIntegration(Endpoint):
    """One integration of the second version."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PUT": _WRITE, "DELETE": _WRITE}

    @extend_schema(responses=shapes.OlderIntegrationShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it. Its secrets are nobody's to read."""
        return _one(request, pk, METADATA)

    @extend_schema(request=shapes.OlderIntegrationChange, responses=shapes.OlderIntegrationShown)
    def put(self, request: Request, pk: str) -> Response:
        """Make it as the body says; its owners stay."""
        return _change(request, pk, shapes.OlderIntegrationChange, METADATA)

    @extend_schema(responses=Message)
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that policy or requests name is refused with 409."""
        require(actor_of(request), "integrations.delete_integration")
        row = views.one_of(pk)
        with writing.refusals():
            actions.delete(row, actor=actor_of(request))
        return said("The integration is being deleted.")


class IntegrationRefresh(Endpoint):
    """What is in a system, looked at anew."""

    scopes: ClassVar[Scopes] = {"POST": _WRITE}

    @extend_schema(request=None, responses=Message)
    def post(self, request: Request, pk: str) -> Response:
        """Order a sync. One that is on its way already is that sync."""
        require(actor_of(request), "integrations.sync_integration")
        row = views.one_of(pk)
        with writing.refusals():
            actions.sync(row, actor=actor_of(request))
        return said("A sync was ordered.")


class TerraformIntegrations(Endpoint):
    """Integrations for older Terraform providers."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "POST": _WRITE}

    @extend_schema(parameters=COUNTED, responses=list_of(shapes.TerraformIntegrationShown))
    def get(self, request: Request) -> Response:
        """List integrations by name."""
        return _list(request, PARAMS)

    @extend_schema(request=shapes.TerraformIntegrationWanted, responses=shapes.TerraformIntegrationShown)
    def post(self, request: Request) -> Response:
        """Connect a system; its check and first sync begin."""
        return _connect(request, shapes.TerraformIntegrationWanted, PARAMS)


class TerraformIntegration(Endpoint):
    """One integration for older Terraform providers, which delete it at the address of the second version."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PUT": _WRITE}

    @extend_schema(responses=shapes.TerraformIntegrationShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it. Its secrets are nobody's to read."""
        return _one(request, pk, PARAMS)

    @extend_schema(request=shapes.TerraformIntegrationWanted, responses=shapes.TerraformIntegrationShown)
    def put(self, request: Request, pk: str) -> Response:
        """Make it as the body says; its type stays."""
        return _change(request, pk, shapes.TerraformIntegrationWanted, PARAMS)
