"""What the addresses for people share: whose token may come in, and what is theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests.api import door
from access_requests.api.door import me
from access_requests.api.ids import request_number
from access_requests.models import AccessRequest
from access_requests.queries.programs import own_requests
from accounts.rest.paging import Page
from accounts.rest.permissions import HasScope, OfAPerson


class OwnEndpoint(door.AskingEndpoint):
    """One address for the token's own person; a service has none."""

    permission_classes = (OfAPerson, HasScope)


endpoint = partial(door.endpoint, base=OwnEndpoint, named=False)


def find_own(http: Request, text: str) -> AccessRequest:
    """Return a request that the caller made or holds. Raises NotFound for all others, seen elsewhere or not."""
    found = own_requests(me(http)).filter(pk=request_number(text)).first()
    if found is None:
        raise NotFound
    return found


def listed(page: Page, shaped: Callable[[Sequence[Any]], Sequence[Any]]) -> Response:
    """Return a page of a list."""
    return Response({"items": list(shaped(page.rows)), "pagination": page.by_token})
