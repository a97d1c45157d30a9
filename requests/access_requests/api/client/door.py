"""What the client API adds to what every room shares (api.door): its parts of requests, and pages by skip and limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests.api.asking import CannotAsk, asker_of
from access_requests.api.client.reading import PageQuery
from access_requests.api.describing import Told
from access_requests.api.door import SAYS, MessageShape, done, endpoint, find, find_session, me, said
from access_requests.api.ids import uuid_of
from access_requests.models import AccessGroup
from access_requests.queries import visible_to
from access_requests.queries.client import groups_in_full
from accounts.rest.authentication import actor_of
from accounts.rest.errors import Conflict

__all__ = [
    "SAYS",
    "CannotAsk",
    "Conflict",
    "MessageShape",
    "Told",
    "actor_of",
    "answered",
    "asker_of",
    "cut",
    "done",
    "endpoint",
    "find",
    "find_group",
    "find_session",
    "me",
    "page_of",
    "said",
]
Row = TypeVar("Row", bound=Model)
Shape = TypeVar("Shape")


class Pagination(TypedDict):
    """Where a page lies. `limit` is what was kept to: clients take a page of fewer for the last."""

    limit: int
    offset: int
    has_more: bool


def find_group(http: Request, text: str) -> AccessGroup:
    """Return a part of a request, with all that is in it. Raises NotFound as `find` does."""
    rows = AccessGroup.objects.filter(pk=uuid_of(text), request__in=visible_to(me(http)))
    found = groups_in_full(rows).first()
    if found is None:
        raise NotFound
    return found


def answered(data: Sequence[Any], query: PageQuery, more: bool) -> Response:
    """Return one page of a list."""
    where: Pagination = {"limit": query.limit, "offset": query.skip, "has_more": more}
    return Response({"data": list(data), "pagination": where})


def page_of(rows: QuerySet[Row], query: PageQuery) -> tuple[list[Row], bool]:
    """Return one page of rows, and whether there are more. One query."""
    found = list(rows[query.skip : query.skip + query.limit + 1])
    return found[: query.limit], len(found) > query.limit


def cut(rows: Sequence[Shape], query: PageQuery) -> tuple[Sequence[Shape], bool]:
    """Return one page of what is there as a whole, and whether there are more."""
    return rows[query.skip : query.skip + query.limit], len(rows) > query.skip + query.limit
