"""Requests at the older addresses: the list, one of them, a new one, its details to connect, and endings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import actions
from access_requests.api.asking import asker_of, pick, submit, wish_of
from access_requests.api.client.reading import read_body, read_query
from access_requests.api.client.sessions_shape import details_shape
from access_requests.api.credentials import taken
from access_requests.api.describing import COUNTED, Told
from access_requests.api.door import MessageShape, done, end_request, me, said
from access_requests.api.ids import request_number
from access_requests.api.older.door import (
    READ,
    by_person,
    counted,
    endpoint,
    find_seen,
    mixed_endpoint,
    persons_endpoint,
    seen,
)
from access_requests.api.older.reading import DetailsReader, OlderAskReader, OlderRevokedReader, RequestsReader
from access_requests.api.older.shapes import DetailsShape, RequestShape, request_shape
from access_requests.choices import FINAL, CredentialsStatus, RequestState
from access_requests.models import AccessRequest, AccessSession
from access_requests.queries import visible_to
from access_requests.queries.client import sessions_of
from access_requests.queries.programs import with_groups
from accounts.choices import TokenScope
from accounts.rest.authentication import actor_of
from accounts.rest.errors import Conflict, Unprocessable

WRITE = TokenScope.REQUESTS_WRITE
LISTED = Told(query=RequestsReader, lists=RequestShape, style=COUNTED)
ASKED = Told(body=OlderAskReader, gives=RequestShape)
# Names of ours, and of the other rooms, in the words of this address.
FIELDS = {
    "duration": "duration_in_sec",
    "justification": "justification",
    "entitlements": "resource_ids",
    "filter_resource_ids": "resource_ids",
    "filter_permission_ids": "permissions",
    "grantee": "user_id",
}
_NO_FILTERS: dict[str, Any] = dict.fromkeys(
    ("filter_access_unit_ids", "filter_bundle_ids", "filter_resource_type_ids", "filter_resources"), ()
)


def _shapes(rows: Iterable[AccessRequest]) -> list[RequestShape]:
    return [request_shape(one) for one in with_groups(rows)]


@mixed_endpoint("GET", "POST", scope={"GET": READ, "POST": WRITE}, told={"GET": LISTED, "POST": ASKED})
def access_requests(http: Request) -> Response:
    """List requests, the latest first; with POST ask for something, for oneself or whom a flow lets one ask for."""
    return _create(http) if http.method == "POST" else _listed(http)


def _listed(http: Request) -> Response:
    data, rows = read_query(http, RequestsReader).validated_data, seen(http)
    if data.get("days_offset") is not None:
        rows = rows.filter(requested_at__gte=timezone.now() - timedelta(days=data["days_offset"]))
    if data["user_id"]:
        rows = by_person(rows, "grantee", [data["user_id"]])
    return counted(http, rows, _shapes)


def _create(http: Request) -> Response:
    data = read_body(http, OlderAskReader)
    who = asker_of(http, data["user_id"])
    named = {
        "filter_integration_ids": [data["integration_id"]],
        "filter_resource_ids": data["resource_ids"],
        "filter_permission_ids": data["permissions"],
    }
    with transaction.atomic():
        made = submit(http, who, pick(who, _NO_FILTERS | named), wish_of(data | {"custom_fields": {}}), FIELDS)
        if len(made) > 1:
            raise Unprocessable(
                f"Several access flows decide on this, so that it is {len(made)} requests, and this address answers"
                " with one. Ask for less at once, or at /api/user/v4/access-requests.",
                code="several_requests",
            )
    return Response(_shapes(made)[0])


@endpoint("GET", scope=READ, told=Told(gives=RequestShape))
def access_request(http: Request, pk: str) -> Response:
    """Show one request."""
    return Response(_shapes([find_seen(http, pk)])[0])


@persons_endpoint(
    "GET", scope=TokenScope.SESSIONS_READ, secret=True, told=Told(query=DetailsReader, gives=DetailsShape)
)
@sensitive_variables()
def access_details(http: Request, pk: str) -> Response:
    """Tell its grantee how to connect. With `consumed_by` credentials that nobody has seen are handed out, once."""
    surface = read_query(http, DetailsReader).validated_data["consumed_by"]
    rows = _sessions(http, pk)
    # Together or not at all: what was handed out before something failed would be lost.
    with transaction.atomic():
        secrets = {one.pk: taken(http, one, surface) for one in rows}
    told = [
        details_shape(one, secrets[one.pk])["instructions"]["plain"]
        for one in (_sessions(http, pk) if any(secrets.values()) else rows)
    ]
    if len(told) == 1:
        return Response({"details": told[0]})
    named = [f"{one.group.integration.name}\n{words}" for one, words in zip(rows, told, strict=True)]
    return Response({"details": "\n\n".join(named)})


@persons_endpoint("POST", scope=TokenScope.SESSIONS_WRITE, told=Told(gives=MessageShape))
def reset(http: Request, pk: str) -> Response:
    """Have new credentials made for all that the request gives; the old ones stop working."""
    rows = [one for one in _sessions(http, pk) if one.credentials_status != CredentialsStatus.NOT_APPLICABLE]
    if not rows:
        raise Conflict("This access has no credentials of its own.")
    with transaction.atomic():
        for one in rows:
            done(partial(actions.reset_credentials, one, user=me(http), actor=actor_of(http)))
    return said("New credentials are being made. The old ones stop working.")


def _sessions(http: Request, pk: str) -> list[AccessSession]:
    """Return what the caller holds by a request. Raises NotFound, and Conflict where it gives nothing now.

    Whoever sees the request and does not hold it is told so (PermissionDenied): credentials are for the grantee alone.
    """
    access = visible_to(me(http)).filter(pk=request_number(pk)).first()
    if access is None:
        raise NotFound
    if access.grantee_id != me(http).pk:
        raise PermissionDenied("This access is somebody else's.")
    found = list(sessions_of(me(http)).filter(group__request=access))
    if not found:
        raise Conflict("This access is not active.")
    return found


@endpoint("POST", scope=(WRITE, TokenScope.REQUESTS_ADMIN), told=Told(body=OlderRevokedReader, gives=MessageShape))
def revoke(http: Request) -> Response:
    """End several requests, all or none: withdraw, hand back, or take away. What has ended is left as it is."""
    wanted = dict.fromkeys(map(request_number, read_body(http, OlderRevokedReader)["request_ids"]))
    found = list(visible_to(me(http)).filter(pk__in=wanted).order_by("pk"))
    if len(found) != len(wanted):
        raise NotFound("Some of these requests do not exist. Nothing was changed.")
    over = {*FINAL, RequestState.REVOKING}
    open_ones = [one for one in found if one.state not in over]
    with transaction.atomic():
        for one in open_ones:
            done(partial(end_request, one, http))
    ended = f"{len(open_ones)} {'request is' if len(open_ones) == 1 else 'requests are'} being ended."
    return said(ended if len(open_ones) == len(found) else f"{ended} The others had ended before.")
