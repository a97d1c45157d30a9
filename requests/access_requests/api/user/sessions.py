"""Sessions of the token's own person: what they hold, the details to connect, and their credentials."""

from __future__ import annotations

from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests.api.client.reading import read_query
from access_requests.api.credentials import reset, taken
from access_requests.api.describing import BY_TOKEN, Told
from access_requests.api.door import MessageShape, find_session, me
from access_requests.api.ids import request_number, uuid_of
from access_requests.api.user.door import endpoint, listed
from access_requests.api.user.reading import ConnectingReader, SessionsReader
from access_requests.api.user.shapes import DetailsShape, SessionShape, connection_shape, session_shape
from access_requests.queries.client import sessions_of
from accounts.choices import TokenScope
from accounts.rest import paging

READ, WRITE = TokenScope.SESSIONS_READ, TokenScope.SESSIONS_WRITE


@endpoint("GET", scope=READ, told=Told(query=SessionsReader, lists=SessionShape, style=BY_TOKEN))
def access_sessions(http: Request) -> Response:
    """List what the caller holds now, the latest first."""
    paging.take_up_filters(http)
    data, rows = read_query(http, SessionsReader).validated_data, sessions_of(me(http))
    if data.get("integration_id"):
        rows = rows.filter(group__integration__in=[uuid_of(text) for text in data["integration_id"]])
    if data.get("request_ids"):
        rows = rows.filter(group__request__in=[request_number(text) for text in data["request_ids"]])
    page = paging.by_token(http, rows, order=("-started_at", "id"))
    return listed(page, lambda found: [session_shape(one) for one in found])


@endpoint("GET", scope=READ, told=Told(gives=SessionShape))
def access_session(http: Request, pk: str) -> Response:
    """Show one session of the caller's own."""
    return Response(session_shape(find_session(http, pk)))


@endpoint("GET", scope=READ, secret=True, told=Told(query=ConnectingReader, gives=DetailsShape))
@sensitive_variables("secrets")
def access_details(http: Request, pk: str) -> Response:
    """Tell how to connect. With `consumed_by` credentials that nobody has seen are handed out, once; else masked."""
    session, data = find_session(http, pk), read_query(http, ConnectingReader).validated_data
    secrets = taken(http, session, data["consumed_by"])
    return Response(connection_shape(find_session(http, pk) if secrets else session, secrets))


@endpoint("POST", scope=WRITE, told=Told(gives=MessageShape))
def reset_credentials(http: Request, pk: str) -> Response:
    """Have new credentials made; the old ones stop working."""
    return reset(http, find_session(http, pk))
