"""Parts of the contract that Latchkey does not have. They say so: not there, an empty list, or taken and dropped."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests.api.client.door import Told, answered, endpoint
from access_requests.api.client.reading import PageReader, read_query

MISSING = "Latchkey does not have this part of the client API."
TELEMETRY = "end_user:analytics:write"


@endpoint("GET", "POST", "PUT", "DELETE", told=Told(status=404), named=False)
def not_there(http: Request, **_: str) -> Response:
    """Say that Latchkey does not have this."""
    raise NotFound(MISSING)


@endpoint("POST", told=Told(status=404))
def no_approval(http: Request) -> Response:
    """Say that Latchkey does not approve what agents do."""
    raise NotFound(MISSING)


@endpoint("GET", told=Told(status=404))
def no_approval_status(http: Request, pk: str) -> Response:
    """Say that Latchkey does not approve what agents do."""
    raise NotFound(MISSING)


@endpoint("GET", told=Told(query=PageReader))
def no_conversations(http: Request) -> Response:
    """List no conversations: there is no assistant."""
    reader = read_query(http, PageReader)
    return answered([], reader.page, more=False)


@endpoint("GET", told=Told(), named=False)
def nothing_listed(http: Request) -> Response:
    """List nothing, in the paging of the part about agents."""
    return Response({"data": [], "pagination": {"total": 0, "limit": 100, "offset": 0}})


@endpoint("GET", told=Told())
def no_notifications(http: Request) -> Response:
    """List no notifications."""
    return Response({"notifications": []})


@endpoint("POST", scope=TELEMETRY, told=Told(status=202), named=False)
def dropped(http: Request) -> Response:
    """Take an event and keep nothing of it: it is not even read."""
    return Response(status=status.HTTP_202_ACCEPTED)


@endpoint("POST", scope=TELEMETRY, told=Told(status=202))
def log_dropped(http: Request) -> Response:
    """Take a line of a client's log and keep nothing of it: it is not even read."""
    return Response({"status": "dropped"}, status=status.HTTP_202_ACCEPTED)
