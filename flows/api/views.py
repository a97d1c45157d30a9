"""Access flows, bundles and access scopes for programs: read, written and deleted whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Q
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
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
from flows import actions
from flows.api import reading, shapes, writing
from flows.api.naming import as_id
from flows.api.parts import Part
from flows.models import AccessFlow, AccessScope, Bundle, Space
from flows.reach import uuids

# What stands for no space.
_ACCOUNT = "null"
READ, WRITE = (TokenScope.ADMIN_READ, TokenScope.FLOWS_WRITE), (TokenScope.FLOWS_WRITE,)
PAGED = [
    OpenApiParameter("limit", OpenApiTypes.INT, description="At most so many; 100 where nothing is said."),
    OpenApiParameter("page_token", OpenApiTypes.STR, description="The `next_page_token` of the page before."),
]
NAMED = [
    OpenApiParameter("name", OpenApiTypes.STR, description="The name; `*` stands for anything."),
    OpenApiParameter(
        "space_references",
        {"type": "array", "items": {"type": "string"}},
        description="What lies in these spaces, by id or name; `null` stands for the whole account.",
    ),
    *PAGED,
]
PLACED = [OpenApiParameter("space_reference", OpenApiTypes.STR, description="The space it is to lie in: id or name.")]


class Collection(Endpoint):
    """A list that is paged by token, and where new things are made."""

    scopes: ClassVar[Scopes] = {"GET": READ, "POST": WRITE}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Take up the filters that a client sent with its first page only."""
        super().initial(request, *args, **kwargs)
        paging.take_up_filters(request)


class Item(Endpoint):
    """One thing, by its id."""

    scopes: ClassVar[Scopes] = {"GET": READ, "PUT": WRITE, "DELETE": WRITE}


def page_of(request: Request, rows: Any, shown: Callable[[list[Any]], list[Part]]) -> Response:
    """Return a page of rows by name, with the token of the next."""
    if name := request.query_params.get("name"):
        rows = rows.filter(named("name", name))
    rows = rows.filter(within(request.query_params.getlist("space_references")))
    page = paging.by_token(request, rows, order=("name", "id"))
    return Response({"items": shown(page.rows), "pagination": page.by_token})


def within(references: list[str]) -> Q:
    """Return the condition that something lies in one of these spaces; where none is named, anywhere."""
    told = [one for text in references for one in text.split(",") if one]
    if not told:
        return Q()
    return (
        Q(space__in=uuids(told))
        | Q(space__name__in=told)
        | (Q(space__isnull=True) if _ACCOUNT in told else Q(pk__in=[]))
    )


def place_of(request: Request) -> Space | None:
    """Return the space in which something new is to lie. Raises ValidationError."""
    told = request.query_params.get("space_reference")
    if not told or told == _ACCOUNT:
        return None
    found = Space.objects.filter(Q(pk__in=uuids([told])) | Q(name=told)).order_by("pk").first()
    if found is None:
        raise ValidationError({"space_reference": [f"There is no space “{told}”."]})
    return found


def placed(request: Request, permission: str, kind: Any) -> str | None:
    """Return the id of where something new of a kind is to lie. Raises NotAllowed where the actor may not write there.

    It asks first whether they may look: who may not is told nothing of spaces.
    """
    _look(request, permission)
    space = place_of(request)
    require(actor_of(request), permission, kind(space=space))
    return str(space.pk) if space else None


def writable(request: Request, rows: Any, pk: str, permission: str) -> Any:
    """Return the row with the id, where the actor has the permission on it. Raises NotAllowed, Http404."""
    _look(request, permission)
    found = one_of(rows, pk)
    require(actor_of(request), permission, found)
    return found


def _look(request: Request, permission: str) -> None:
    app, _, verb = permission.partition(".")
    require(actor_of(request), f"{app}.view_{verb.partition('_')[2]}")


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

    @extend_schema(parameters=PLACED, request=shapes.FlowWanted, responses=shapes.FlowShown)
    def post(self, request: Request) -> Response:
        """Make an access flow."""
        space = placed(request, "flows.add_accessflow", AccessFlow)
        body = writing.checked(shapes.FlowWanted, request.data)
        made = writing.write_flow(body, actor=actor_of(request), space=space)
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
        row = writable(request, reading.flows(), pk, "flows.change_accessflow")
        writing.write_flow(writing.checked(shapes.FlowWanted, request.data), actor=actor_of(request), flow=row)
        return Response(_flow(pk))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that requests name is refused with 409."""
        row = writable(request, reading.flows(), pk, "flows.delete_accessflow")
        with writing.refusals():
            actions.delete(row, actor=actor_of(request))
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

    @extend_schema(parameters=PLACED, request=shapes.BundleWanted, responses=shapes.BundleShown)
    def post(self, request: Request) -> Response:
        """Make a bundle."""
        space = placed(request, "flows.add_bundle", Bundle)
        body = writing.checked(shapes.BundleWanted, request.data)
        made = writing.write_bundle(body, actor=actor_of(request), space=space)
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
        row = writable(request, reading.bundles(), pk, "flows.change_bundle")
        writing.write_bundle(writing.checked(shapes.BundleWanted, request.data), actor=actor_of(request), bundle=row)
        return Response(_bundle(pk))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that flows give is refused with 409."""
        row = writable(request, reading.bundles(), pk, "flows.delete_bundle")
        with writing.refusals():
            actions.delete_bundle(row, actor=actor_of(request))
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

    @extend_schema(parameters=PLACED, request=shapes.ScopeWanted, responses=shapes.ScopeShown)
    def post(self, request: Request) -> Response:
        """Make an access scope."""
        space = placed(request, "flows.add_accessscope", AccessScope)
        body = writing.checked(shapes.ScopeWanted, request.data)
        made = writing.write_scope(body, actor=actor_of(request), space=space)
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
        row = writable(request, reading.scopes(), pk, "flows.change_accessscope")
        writing.write_scope(writing.checked(shapes.ScopeWanted, request.data), actor=actor_of(request), scope=row)
        return Response(_scope(pk))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that flows or bundles give is refused with 409."""
        row = writable(request, reading.scopes(), pk, "flows.delete_accessscope")
        with writing.refusals():
            actions.delete_scope(row, actor=actor_of(request))
        return Response(status=204)


def _scope(pk: Any) -> Part:
    return reading.scope_shown(one_of(reading.scopes(), str(pk)))
