"""Access flows, bundles and access scopes for programs: read, written and deleted whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import require
from accounts.choices import TokenScope
from accounts.rest import paging
from accounts.rest.authentication import actor_of
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint
from accounts.rest.wildcards import named
from flows import actions
from flows.api import reading, shapes, writing
from flows.api.naming import as_id
from flows.api.parts import Part

_READ, _WRITE = (TokenScope.ADMIN_READ, TokenScope.FLOWS_WRITE), (TokenScope.FLOWS_WRITE,)
PAGED = [
    OpenApiParameter("limit", OpenApiTypes.INT, description="At most so many; 100 where nothing is said."),
    OpenApiParameter("page_token", OpenApiTypes.STR, description="The `next_page_token` of the page before."),
]
NAMED = [OpenApiParameter("name", OpenApiTypes.STR, description="The name; `*` stands for anything."), *PAGED]


class Collection(Endpoint):
    """A list that is paged by token, and where new things are made."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "POST": _WRITE}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Take up the filters that a client sent with its first page only."""
        super().initial(request, *args, **kwargs)
        paging.take_up_filters(request)


class Item(Endpoint):
    """One thing, by its id."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PUT": _WRITE, "DELETE": _WRITE}


def page_of(request: Request, rows: Any, shown: Callable[[list[Any]], list[Part]]) -> Response:
    """Return a page of rows by name, with the token of the next."""
    name = request.query_params.get("name")
    page = paging.by_token(request, rows.filter(named("name", name)) if name else rows, order=("name", "id"))
    return Response({"items": shown(page.rows), "pagination": page.by_token})


def one_of(rows: Any, pk: str) -> Any:
    """Return the row with the id. Raises Http404."""
    found = rows.filter(pk=as_id(pk)).first() if as_id(pk) else None
    if found is None:
        raise Http404
    return found


class Flows(Collection):
    """Access flows."""

    @extend_schema(parameters=NAMED, responses=shapes.FlowList)
    def get(self, request: Request) -> Response:
        """List access flows by name."""
        require(actor_of(request), "flows.view_accessflow")
        return page_of(request, reading.flows(), reading.flows_shown)

    @extend_schema(request=shapes.FlowWanted, responses=shapes.FlowShown)
    def post(self, request: Request) -> Response:
        """Make an access flow."""
        require(actor_of(request), "flows.add_accessflow")
        made = writing.write_flow(writing.checked(shapes.FlowWanted, request.data), actor=actor_of(request))
        return Response(_flow(made.pk))


class Flow(Item):
    """One access flow."""

    @extend_schema(responses=shapes.FlowShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it."""
        require(actor_of(request), "flows.view_accessflow")
        return Response(_flow(pk))

    @extend_schema(request=shapes.FlowWanted, responses=shapes.FlowShown)
    def put(self, request: Request, pk: str) -> Response:
        """Make it as the body says. A change that takes a second admin's yes is refused with 409."""
        require(actor_of(request), "flows.change_accessflow")
        row = one_of(reading.flows(), pk)
        writing.write_flow(writing.checked(shapes.FlowWanted, request.data), actor=actor_of(request), flow=row)
        return Response(_flow(pk))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that requests name is refused with 409."""
        require(actor_of(request), "flows.delete_accessflow")
        with writing.refusals():
            actions.delete(one_of(reading.flows(), pk), actor=actor_of(request))
        return Response(status=204)


def _flow(pk: Any) -> Part:
    return reading.flows_shown([one_of(reading.flows(), str(pk))])[0]


class Bundles(Collection):
    """Bundles."""

    @extend_schema(parameters=NAMED, responses=shapes.BundleList)
    def get(self, request: Request) -> Response:
        """List bundles by name."""
        require(actor_of(request), "flows.view_bundle")
        return page_of(request, reading.bundles(), reading.bundles_shown)

    @extend_schema(request=shapes.BundleWanted, responses=shapes.BundleShown)
    def post(self, request: Request) -> Response:
        """Make a bundle."""
        require(actor_of(request), "flows.add_bundle")
        made = writing.write_bundle(writing.checked(shapes.BundleWanted, request.data), actor=actor_of(request))
        return Response(_bundle(made.pk))


class OneBundle(Item):
    """One bundle."""

    @extend_schema(responses=shapes.BundleShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it."""
        require(actor_of(request), "flows.view_bundle")
        return Response(_bundle(pk))

    @extend_schema(request=shapes.BundleWanted, responses=shapes.BundleShown)
    def put(self, request: Request, pk: str) -> Response:
        """Make it as the body says; every flow that gives it follows."""
        require(actor_of(request), "flows.change_bundle")
        row = one_of(reading.bundles(), pk)
        writing.write_bundle(writing.checked(shapes.BundleWanted, request.data), actor=actor_of(request), bundle=row)
        return Response(_bundle(pk))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that flows give is refused with 409."""
        require(actor_of(request), "flows.delete_bundle")
        with writing.refusals():
            actions.delete_bundle(one_of(reading.bundles(), pk), actor=actor_of(request))
        return Response(status=204)


def _bundle(pk: Any) -> Part:
    return reading.bundles_shown([one_of(reading.bundles(), str(pk))])[0]


class AccessScopes(Collection):
    """Access scopes."""

    @extend_schema(parameters=NAMED, responses=shapes.ScopeList)
    def get(self, request: Request) -> Response:
        """List access scopes by name."""
        require(actor_of(request), "flows.view_accessscope")
        return page_of(request, reading.scopes(), lambda rows: [reading.scope_shown(one) for one in rows])

    @extend_schema(request=shapes.ScopeWanted, responses=shapes.ScopeShown)
    def post(self, request: Request) -> Response:
        """Make an access scope."""
        require(actor_of(request), "flows.add_accessscope")
        made = writing.write_scope(writing.checked(shapes.ScopeWanted, request.data), actor=actor_of(request))
        return Response(_scope(made.pk))


class OneAccessScope(Item):
    """One access scope."""

    @extend_schema(responses=shapes.ScopeShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it."""
        require(actor_of(request), "flows.view_accessscope")
        return Response(_scope(pk))

    @extend_schema(request=shapes.ScopeWanted, responses=shapes.ScopeShown)
    def put(self, request: Request, pk: str) -> Response:
        """Make it as the body says; every flow that gives it follows."""
        require(actor_of(request), "flows.change_accessscope")
        row = one_of(reading.scopes(), pk)
        writing.write_scope(writing.checked(shapes.ScopeWanted, request.data), actor=actor_of(request), scope=row)
        return Response(_scope(pk))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that flows or bundles give is refused with 409."""
        require(actor_of(request), "flows.delete_accessscope")
        with writing.refusals():
            actions.delete_scope(one_of(reading.scopes(), pk), actor=actor_of(request))
        return Response(status=204)


def _scope(pk: Any) -> Part:
    return reading.scope_shown(one_of(reading.scopes(), str(pk)))
