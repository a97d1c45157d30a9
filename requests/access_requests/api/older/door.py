"""What the older addresses share: whose requests a token may see here, and pages that count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests.api import door
from access_requests.api.door import me
from access_requests.api.ids import request_number, uuid_of
from access_requests.models import AccessRequest
from access_requests.queries import past_of
from access_requests.queries.programs import own_requests
from accounts.choices import TokenScope
from accounts.rest import paging
from accounts.rest.authentication import token_of
from accounts.rest.permissions import HasScope, OfAPerson

# Programs that know no pages take the first answer for the whole list, so it is as long as one may be.
LIMIT = paging.LIMIT_MAX
# With either; the first shows all that the owner may see, the second only what they made or hold.
READ = (TokenScope.ADMIN_READ, TokenScope.REQUESTS_READ)


class PeopleWrite(OfAPerson):
    """Whether the token is a person's, where something is asked for."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say yes. Raises PermissionDenied for a service that asks."""
        return request.method != "POST" or super().has_permission(request, view)


class PersonsEndpoint(door.AskingEndpoint):
    """One older address for what a person does: a service asks for nothing and holds nothing."""

    permission_classes = (OfAPerson, HasScope)


class ReadByAllEndpoint(door.AskingEndpoint):
    """One older address that services read too, and where people alone ask."""

    permission_classes = (PeopleWrite, HasScope)


endpoint = partial(door.endpoint, named=False)
mixed_endpoint = partial(door.endpoint, named=False, base=ReadByAllEndpoint)
persons_endpoint = partial(door.endpoint, named=False, base=PersonsEndpoint)


def seen(http: Request) -> QuerySet[AccessRequest]:
    """Return the requests that the token shows: all its owner may see, or without an admin's scope only their own."""
    return past_of(me(http)) if TokenScope.ADMIN_READ in token_of(http).scopes else own_requests(me(http))


def find_seen(http: Request, text: str) -> AccessRequest:
    """Return one of them. Raises NotFound for all others."""
    found = seen(http).filter(pk=request_number(text)).first()
    if found is None:
        raise NotFound
    return found


def by_person(rows: QuerySet[AccessRequest], part: str, texts: Sequence[str]) -> QuerySet[AccessRequest]:
    """Keep what is of people, who are named by id or address."""
    emails = [text.strip().lower() for text in texts if "@" in text]
    ids = [uuid_of(text) for text in texts if "@" not in text]
    return rows.filter(Q(**{f"{part}__email__in": emails}) | Q(**{f"{part}__in": ids}))


def counted(
    http: Request, rows: QuerySet[AccessRequest], shaped: Callable[[Sequence[AccessRequest]], Sequence[Any]]
) -> Response:
    """Return a page of requests, the latest first, and how many there are."""
    page = paging.by_offset(http, rows.order_by("-pk"), limit=LIMIT)
    return Response({"data": list(shaped(page.rows)), "pagination": page.by_number})
