"""What conditions of policy can look at: people, groups, what directories say of people; each type and value once."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core import signing
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import require
from accounts.choices import TokenScope
from accounts.models import Attribute, Group, User
from accounts.rest.authentication import actor_of, user_of
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint
from integrations.api import people_shapes as shapes
from integrations.api.stores import Part
from integrations.api.views import PAGED
from integrations.api.writing import uuids
from integrations.models import Origin

LIMIT, LIMIT_MAX = 100, 1000
_SALT = "integrations.api.attributes"
_FILTERS = ("search", "source_integration_reference", "type")


class Attributes(Endpoint):
    """What conditions of policy can look at."""

    scopes: ClassVar[Scopes] = {"GET": (TokenScope.ADMIN_READ, TokenScope.PEOPLE_WRITE, TokenScope.FLOWS_WRITE)}

    @extend_schema(
        parameters=[*(OpenApiParameter(name, OpenApiTypes.STR) for name in _FILTERS), *PAGED],
        responses=shapes.AttributeList,
    )
    def get(self, request: Request) -> Response:
        """List them by type and value."""
        require(actor_of(request), "accounts.view_user")
        told, offset = _told(request)
        limit = _limit(request)
        rows = list(_all(told)[offset : offset + limit + 1])
        sources = _sources(rows[:limit])
        items = [{"type": kind, "value": value, **sources.get(pk, {})} for kind, value, pk in rows[:limit]]
        more = signing.dumps([str(user_of(request).pk), told, offset + limit], salt=_SALT, compress=True)
        return Response({"items": items, "pagination": {"next_page_token": more if len(rows) > limit else None}})


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "") or str(LIMIT)
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) < 1:
        raise ParseError("limit must be a whole number of at least 1.")
    return min(int(text), LIMIT_MAX)


def _told(request: Request) -> tuple[dict[str, str], int]:
    """Return the filters and where to read on; a token brings its filters. Raises ParseError for a forged one."""
    told = {name: request.query_params.get(name, "") for name in _FILTERS}
    text = request.query_params.get("page_token")
    if not text:
        return told, 0
    try:
        whose, kept, offset = signing.loads(text, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise ParseError("This page_token is none that was given here.") from None
    if whose != str(user_of(request).pk) or (any(told.values()) and told != kept):
        raise ParseError("This page_token belongs to another list or other filters. Begin with the first page.")
    return kept, int(offset)


def _all(told: dict[str, str]) -> QuerySet[Any, tuple[str, str, str]]:
    """Return type, value and id, one query for the page."""
    kind, search, source = told["type"], told["search"], told["source_integration_reference"]
    people: QuerySet[Any] = User.objects.filter(_from(source), email__icontains=search)
    groups: QuerySet[Any] = Group.objects.filter(_from(source), name__icontains=search)
    said = Attribute.objects.filter(value__icontains=search)
    if source:
        said = said.filter(user__in=User.objects.filter(_from(source)).values("pk"))
    if kind:
        people, groups = (rows if kind == noun else rows.none() for rows, noun in ((people, "user"), (groups, "group")))
        said = said.filter(type=kind)
    parts = [_columns(people, Value("user"), F("email")), _columns(groups, Value("group"), F("name"))]
    plain = said.order_by().values_list("type", "value", Cast(Value(""), CharField()))
    return plain.union(*parts).order_by("type", "value")


def _columns(rows: Any, kind: Any, value: Any) -> Any:
    told = rows.order_by().annotate(_kind=Cast(kind, CharField()), _value=Cast(value, CharField()))
    return told.values_list("_kind", "_value", Cast("pk", CharField()))


def _from(source: str) -> Q:
    if not source:
        return Q()
    return Q(origins__integration__in=uuids([source])) | Q(origins__integration__name=source)


def _sources(rows: list[tuple[str, str, str]]) -> dict[str, Part]:
    """Return of which integration the people and groups of a page came. One query."""
    ids = uuids([pk for _, _, pk in rows if pk])
    found = Origin.objects.filter(Q(user__in=ids) | Q(group__in=ids)).select_related("integration").order_by("-pk")
    told: dict[str, Part] = {}
    for one in found:
        shown = {"source_id": one.source_id, "source_integration_id": str(one.integration_id)}
        shown["source_integration_name"] = one.integration.name
        for pk in (one.user_id, one.group_id):
            # As the database writes an id: with hyphens or without.
            told |= {str(pk): shown, pk.hex: shown} if pk else {}
    return told
