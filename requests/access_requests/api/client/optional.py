"""Parts of the contract that Latchkey does not have. They say so: not there, an empty list, or taken and dropped."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests.api.client.door import answered, endpoint
from access_requests.api.client.reading import PageReader, read_query

TELEMETRY = "end_user:analytics:write"


@endpoint("GET", "POST", "PUT", "DELETE")
def not_there(http: Request, **_: str) -> Response:
    """Say that Latchkey does not have this."""
    raise NotFound("Latchkey does not have this part of the client API.")


@endpoint("GET")
def no_conversations(http: Request) -> Response:
    """List no conversations: there is no assistant."""
    reader = read_query(http, PageReader)
    return answered([], reader.page, more=False)


@endpoint("GET")
def nothing_listed(http: Request) -> Response:
    """List nothing, in the paging of the part about agents."""
    return Response({"data": [], "pagination": {"total": 0, "limit": 100, "offset": 0}})


@endpoint("GET")
def no_notifications(http: Request) -> Response:
    """List no notifications."""
    return Response({"notifications": []})


@endpoint("POST", scope=TELEMETRY)
def dropped(http: Request) -> Response:
    """Take an event and keep nothing of it: it is not even read."""
    return Response(status=status.HTTP_202_ACCEPTED)


@endpoint("POST", scope=TELEMETRY)
def log_dropped(http: Request) -> Response:
    """Take a line of a client's log and keep nothing of it: it is not even read."""
    return Response({"status": "dropped"}, status=status.HTTP_202_ACCEPTED)
