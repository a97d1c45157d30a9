"""Access flows and bundles at the older addresses, and at those of older Terraform providers."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import require
from accounts.choices import TokenScope
from accounts.rest import paging
from accounts.rest.authentication import actor_of
from accounts.rest.older import COUNTED, Message, list_of, listed, said
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint
from flows import actions
from flows.api import reading
from flows.api.older import shapes, writing
from flows.api.parts import Part
from flows.api.views import one_of, writable
from flows.api.writing import checked, refusals
from flows.models import AccessFlow

_WRITE = (TokenScope.FLOWS_WRITE,)
_READ = (TokenScope.ADMIN_READ, *_WRITE)


def _shown(rows: list[AccessFlow], shape: Any) -> list[Part]:
    """Return flows as a contract has them."""
    fields = shape().fields
    return writing.with_settings(writing.flows_shown(rows, fields), fields["settings"].fields)


def _list(request: Request, shape: Any) -> Response:
    require(actor_of(request), "flows.view_accessflow")
    page = paging.by_offset(request, reading.flows().order_by("name", "pk"), limit=paging.WHOLE)
    return listed(page, _shown(page.rows, shape))


def _one(request: Request, pk: Any, shape: Any) -> Response:
    require(actor_of(request), "flows.view_accessflow")
    return Response(_shown([one_of(reading.flows(), str(pk))], shape)[0])


def _delete(request: Request, pk: str) -> Response:
    row = writable(request, reading.flows(), pk, "flows.delete_accessflow")
    with refusals():
        actions.delete(row, actor=actor_of(request))
    return said("The access flow was deleted.")


class TerraformFlows(Endpoint):
    """Access flows for older Terraform providers."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "POST": _WRITE}

    @extend_schema(parameters=COUNTED, responses=list_of(shapes.TerraformFlowShown))
    def get(self, request: Request) -> Response:
        """List access flows by name."""
        return _list(request, shapes.TerraformFlowShown)

    @extend_schema(request=shapes.TerraformFlowWanted, responses=shapes.TerraformFlowShown)
    def post(self, request: Request) -> Response:
        """Make an access flow."""
        require(actor_of(request), "flows.add_accessflow")
        body = writing.whole(checked(shapes.TerraformFlowWanted, request.data))
        return _one(request, writing.write_flow(body, actor=actor_of(request)).pk, shapes.TerraformFlowShown)


class TerraformFlow(Endpoint):
    """One access flow for older Terraform providers."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PUT": _WRITE, "DELETE": _WRITE}

    @extend_schema(responses=shapes.TerraformFlowShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it."""
        return _one(request, pk, shapes.TerraformFlowShown)

    @extend_schema(request=shapes.TerraformFlowWanted, responses=shapes.TerraformFlowShown)
    def put(self, request: Request, pk: str) -> Response:
        """Make it as the body says; settings that are left out stay."""
        row = writable(request, reading.flows(), pk, "flows.change_accessflow")
        body = writing.whole(checked(shapes.TerraformFlowWanted, request.data))
        writing.write_flow(body, actor=actor_of(request), flow=row)
        return _one(request, pk, shapes.TerraformFlowShown)

    @extend_schema(responses=Message)
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that requests name is refused with 409."""
        return _delete(request, pk)


class OlderFlows(Endpoint):
    """Access flows of the first version."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "POST": _WRITE}

    @extend_schema(parameters=COUNTED, responses=list_of(shapes.OlderFlowShown))
    def get(self, request: Request) -> Response:
        """List access flows by name."""
        return _list(request, shapes.OlderFlowShown)

    @extend_schema(request=shapes.OlderFlowWanted, responses=shapes.OlderFlowShown)
    def post(self, request: Request) -> Response:
        """Make an access flow."""
        require(actor_of(request), "flows.add_accessflow")
        body = writing.whole(checked(shapes.OlderFlowWanted, request.data))
        return _one(request, writing.write_flow(body, actor=actor_of(request)).pk, shapes.OlderFlowShown)


class OlderFlow(Endpoint):
    """One access flow of the first version."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PATCH": _WRITE, "DELETE": _WRITE}

    @extend_schema(responses=shapes.OlderFlowShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it."""
        return _one(request, pk, shapes.OlderFlowShown)

    @extend_schema(request=shapes.OlderFlowChange, responses=shapes.OlderFlowShown)
    def patch(self, request: Request, pk: str) -> Response:
        """Change what the body says of it."""
        row = writable(request, reading.flows(), pk, "flows.change_accessflow")
        writing.write_flow(checked(shapes.OlderFlowChange, request.data), actor=actor_of(request), flow=row)
        return _one(request, pk, shapes.OlderFlowShown)

    @extend_schema(responses=Message)
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that requests name is refused with 409."""
        return _delete(request, pk)


class OlderBundles(Endpoint):
    """Bundles of the first version."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "POST": _WRITE}

    @extend_schema(parameters=COUNTED, responses=list_of(shapes.OlderBundleShown))
    def get(self, request: Request) -> Response:
        """List bundles by name."""
        require(actor_of(request), "flows.view_bundle")
        page = paging.by_offset(request, reading.bundles().order_by("name", "pk"), limit=paging.WHOLE)
        return listed(page, [writing.bundle_shown(one) for one in page.rows])

    @extend_schema(request=shapes.OlderBundleWanted, responses=shapes.OlderBundleShown)
    def post(self, request: Request) -> Response:
        """Make a bundle."""
        require(actor_of(request), "flows.add_bundle")
        made = writing.write_bundle(checked(shapes.OlderBundleWanted, request.data), actor=actor_of(request))
        return Response(writing.bundle_shown(one_of(reading.bundles(), str(made.pk))))


class OlderBundle(Endpoint):
    """One bundle of the first version."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PATCH": _WRITE, "DELETE": _WRITE}

    @extend_schema(responses=shapes.OlderBundleShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it."""
        require(actor_of(request), "flows.view_bundle")
        return Response(writing.bundle_shown(one_of(reading.bundles(), pk)))

    @extend_schema(request=shapes.OlderBundleChange, responses=shapes.OlderBundleShown)
    def patch(self, request: Request, pk: str) -> Response:
        """Change what the body says of it; every flow that gives it follows."""
        row = writable(request, reading.bundles(), pk, "flows.change_bundle")
        writing.write_bundle(checked(shapes.OlderBundleChange, request.data), actor=actor_of(request), bundle=row)
        return Response(writing.bundle_shown(one_of(reading.bundles(), pk)))

    @extend_schema(responses=Message)
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that flows give is refused with 409."""
        row = writable(request, reading.bundles(), pk, "flows.delete_bundle")
        with refusals():
            actions.delete_bundle(row, actor=actor_of(request))
        return said("The bundle was deleted.")
