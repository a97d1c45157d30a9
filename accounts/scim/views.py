"""HTTP around SCIM: bytes in, bytes out, and nobody without a token."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from scim2_models import InvalidValueException, PayloadTooLargeException, SCIMException

from accounts.scim import bulk, reading
from accounts.scim.door import caller
from accounts.scim.resources import BODY_MAX
from accounts.scim.serving import Ask, NotAllowedHere, Reply, told, way

CONTENT_TYPE = "application/scim+json"
# More would be no question to us: an address has to fit into a log.
_PATH_MAX = 1000


class Unauthenticated(SCIMException):
    """Nobody comes in without a token of the right kind."""

    status = 401
    _default_detail = "This takes a service token with the scope scim, in the header Authorization."


# No session and no cookie counts here, so there is nothing a foreign page could make a browser do.
@csrf_exempt
def scim(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer whatever is asked below /scim/v2/."""
    reply = told(lambda: _answered(request, path))
    content = b"" if reply.body is None else json.dumps(reply.body, cls=DjangoJSONEncoder).encode()
    response = HttpResponse(content, status=reply.status, content_type=CONTENT_TYPE)
    for name, value in reply.headers.items():
        response[name] = value
    response["Cache-Control"] = "no-store"
    if reply.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="scim"'
    return response


def _answered(request: HttpRequest, path: str) -> Reply:
    at = timezone.now()
    actor = caller(request, at=at)
    if actor is None:
        raise Unauthenticated()
    method = request.method or ""
    parts = tuple(part for part in path[:_PATH_MAX].split("/") if part)
    do = _way_of_bulk(method) if parts == ("Bulk",) else way(parts, method)
    ask = Ask(
        method=method,
        parts=parts,
        actor=actor,
        body=_body(request) if method in {"POST", "PUT", "PATCH"} else {},
        query=_query(request),
        if_match=request.headers.get("If-Match", ""),
        if_none_match=request.headers.get("If-None-Match", ""),
        at=at,
    )
    return do(ask)


def _way_of_bulk(method: str) -> Callable[[Ask], Reply]:
    if method != "POST":
        raise NotAllowedHere()
    return bulk.perform


def _body(request: HttpRequest) -> dict[str, Any]:
    """Read the body, if it is not too large. Raises PayloadTooLargeException, InvalidSyntaxException."""
    try:
        content = request.body
    except (RequestDataTooBig, UnreadablePostError):
        content = b" " * (BODY_MAX + 1)
    if len(content) > BODY_MAX:
        raise PayloadTooLargeException(detail=f"A body has at most {BODY_MAX} bytes.")
    return reading.document(content)


def _query(request: HttpRequest) -> dict[str, str]:
    """Return the parameters; a name that comes twice counts once. Raises InvalidValueException."""
    try:
        query = {name: str(value) for name, value in request.GET.items()}
    except TooManyFieldsSent:
        raise InvalidValueException(detail="There are too many parameters.") from None
    for name, value in query.items():
        reading.plain(name)
        reading.plain(value)
    return query
