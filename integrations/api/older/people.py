"""Identities, users, and attributes of many people at once, at the older addresses."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Q
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.choices import TokenScope
from accounts.models import Attribute, Group, User
from accounts.rest import paging
from accounts.rest.authentication import actor_of
from accounts.rest.older import COUNTED, identity_of, list_of, listed
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint
from integrations.api.older import shapes
from integrations.api.people import name_parts
from integrations.api.stores import Part
from integrations.api.writing import uuids

_WRITE = (TokenScope.PEOPLE_WRITE,)
_READ = (TokenScope.ADMIN_READ, *_WRITE)
CONTEXT = "context_attribute"
# So many people at once: each is an entry of the trail.
MANY_MAX = 1000
_MANAGER = {"type": CONTEXT, "name": "Manager", "id": identity_of("manager")}


def _identities() -> list[Part]:
    """Return all that older flows can name, by type and name. Three queries."""
    people = User.objects.filter(is_service=False).values_list("email", "pk")
    said = Attribute.objects.order_by().values_list("type", "value").distinct()
    rows = [
        *({"type": "user", "name": email, "id": str(pk)} for email, pk in people),
        *({"type": "group", "name": name, "id": str(pk)} for name, pk in Group.objects.values_list("name", "pk")),
        *({"type": CONTEXT, "name": value, "id": identity_of(kind, value)} for kind, value in said),
        _MANAGER,
    ]
    return sorted(rows, key=lambda one: (one["type"], one["name"], one["id"]))


class Identities(Endpoint):
    """People, groups, and attributes that people have."""

    scopes: ClassVar[Scopes] = {"GET": (*_READ, TokenScope.FLOWS_WRITE)}

    @extend_schema(parameters=COUNTED, responses=list_of(shapes.OlderIdentityShown))
    def get(self, request: Request) -> Response:
        """List all that older flows can name, by type and name."""
        actions.require(actor_of(request), "accounts.view_user")
        page = paging.by_offset(request, _identities(), limit=paging.WHOLE)
        return listed(page, page.rows)


def _user(row: User) -> Part:
    return {"id": str(row.pk), "email": row.email, **name_parts(row), "active": row.is_active}


class OlderUsers(Endpoint):
    """People of the second version."""

    scopes: ClassVar[Scopes] = {"GET": (*_READ, TokenScope.FLOWS_WRITE)}

    @extend_schema(parameters=COUNTED, responses=list_of(shapes.OlderUser))
    def get(self, request: Request) -> Response:
        """List people by address."""
        actions.require(actor_of(request), "accounts.view_user")
        page = paging.by_offset(request, User.objects.order_by("email"), limit=paging.WHOLE)
        return listed(page, [_user(one) for one in page.rows])


class OlderOneUser(Endpoint):
    """One person of the second version."""

    scopes: ClassVar[Scopes] = {"GET": (*_READ, TokenScope.FLOWS_WRITE)}

    @extend_schema(responses=shapes.OlderUser)
    def get(self, request: Request, pk: str) -> Response:
        """Return the person, found by id or address."""
        actions.require(actor_of(request), "accounts.view_user")
        row = User.objects.filter(Q(pk__in=uuids([pk])) | Q(email=pk.lower())).first()
        if row is None:
            raise Http404
        return Response(_user(row))


def _asked(data: Any, shape: Any) -> list[Part]:
    """Return a body that is a list of one shape, one for each person. Raises ValidationError."""
    if not isinstance(data, list) or len(data) > MANY_MAX:
        raise ValidationError(f"A list of at most {MANY_MAX} people.")
    found = shape(data=data, many=True)
    if not found.is_valid():
        raise ValidationError({str(place): one for place, one in enumerate(found.errors) if one})
    return list(found.validated_data)


class ManyAttributes(Endpoint):
    """Attributes of many people at once: those that are said of them here, and those that directories say."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PUT": _WRITE, "DELETE": _WRITE}

    @extend_schema(
        parameters=[
            OpenApiParameter("emails", {"type": "array", "items": {"type": "string"}}),
            OpenApiParameter("limit", OpenApiTypes.INT),
            OpenApiParameter("skip", OpenApiTypes.INT),
        ],
        responses=list_of(shapes.IdentityAttributes),
    )
    def get(self, request: Request) -> Response:
        """List people by address with their attributes; several values of a type are told with commas."""
        actions.require(actor_of(request), "accounts.view_user")
        rows = User.objects.filter(is_service=False).order_by("email").prefetch_related("attributes")
        told = [one for text in request.query_params.getlist("emails") for one in text.split(",") if one.strip()]
        if told:
            rows = rows.filter(email__in=[one.strip().lower() for one in told])
        page = paging.by_skip(request, rows)
        return listed(page, [{"email": one.email, "attributes": _attributes(one)} for one in page.rows])

    @extend_schema(request=shapes.IdentityAttributes(many=True), responses=shapes.IdentityResults)
    def put(self, request: Request) -> Response:
        """Give each person these attributes, each instead of those of its type; all others stay."""
        actions.require(actor_of(request), "accounts.change_attribute")
        asked = _asked(request.data, shapes.IdentityAttributes)
        return _each(request, [(one["email"], set(one["attributes"]), dict(one["attributes"])) for one in asked])

    @extend_schema(request=shapes.IdentityAttributeTypes(many=True), responses=shapes.IdentityResults)
    def delete(self, request: Request) -> Response:
        """Take attributes of these types away from each person."""
        actions.require(actor_of(request), "accounts.change_attribute")
        asked = _asked(request.data, shapes.IdentityAttributeTypes)
        return _each(request, [(one["email"], set(one["attribute_types"]), {}) for one in asked])


def _attributes(row: User) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for one in sorted(row.attributes.all(), key=lambda one: (one.type, one.value)):
        found.setdefault(one.type, []).append(one.value)
    return {kind: ", ".join(values) for kind, values in found.items()}


def _each(request: Request, asked: list[tuple[str, set[str], dict[str, str]]]) -> Response:
    """Change one person after the other: what goes wrong with one does not keep the others from theirs."""
    people = {
        one.email: one
        for one in User.objects.filter(email__in={email.strip().lower() for email, _, _ in asked}, is_service=False)
    }
    results = []
    for email, types, values in asked:
        problems = _change(request, people.get(email.strip().lower()), types, values)
        results.append({"email": email, "success": not problems, "errors": problems})
    well = sum(one["success"] is True for one in results)
    summary = {"total": len(results), "succeeded": well, "failed": len(results) - well}
    return Response({"summary": summary, "results": results})


def _change(request: Request, row: User | None, types: set[str], values: dict[str, str]) -> list[dict[str, str]]:
    if row is None:
        return [{"error_code": "not_found", "error_details": "Nobody here has this address."}]
    try:
        with transaction.atomic():
            stored = User.objects.select_for_update(of=("self",)).get(pk=row.pk)
            told = stored.attributes.values_list("type", "value")
            gone = {pair for pair in told if pair[0] in types and values.get(pair[0]) != pair[1]}
            actions.change_attributes(stored, added=values.items(), removed=gone, actor=actor_of(request))
    except actions.BadValue as problem:
        return [{"error_code": "invalid", "error_details": str(problem)}]
    return []
