"""Errors as problem details (RFC 9457), with the `status` and `code` that third-party clients read.

    {"type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "…", "errors": [...]}

`detail` is one sentence for a person, `errors` names fields: [{"field": "name", "message": "…"}]. Upper floors tell
once, in their apps.py, how their exceptions answer: `answers(NotPossible, 409, "not_possible")`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import DataError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts import actions
from audit.actions import BadDetails

Errors = Sequence[dict[str, str]]
MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)
_answers: dict[type[BaseException], tuple[int, str]] = {
    actions.NotAllowed: (403, "forbidden"),
    actions.BadValue: (400, "invalid"),
    actions.Refused: (409, "refused"),
    PermissionDenied: (403, "forbidden"),
    Http404: (404, "not_found"),
    BadRequest: (400, "invalid"),
    SuspiciousOperation: (400, "invalid"),
    # What no column can hold, and no check before saw: too long, too large, not to be encoded.
    DataError: (400, "invalid"),
    OverflowError: (400, "invalid"),
    UnicodeEncodeError: (400, "invalid"),
    BadDetails: (400, "invalid"),
}
# Their words are a database's or Python's, not for people.
_UNSPOKEN = (DataError, OverflowError, UnicodeEncodeError, SuspiciousOperation, BadDetails)


class Conflict(exceptions.APIException):
    """It was changed meanwhile, or something stands in the way."""

    status_code, default_code, default_detail = 409, "conflict", "Something stands in the way."


class Unprocessable(exceptions.APIException):
    """Understood, but it cannot be done as it was said."""

    status_code, default_code, default_detail = 422, "unprocessable", "This cannot be done."


class TooLarge(exceptions.APIException):
    """The body is larger than anything that could be meant."""

    status_code, default_code, default_detail = 413, "too_large", "The body is too large."


def answers(error: type[BaseException], status: int, code: str) -> None:
    """Have an exception of an action, and what derives from it, answer by this; called from an app's ready()."""
    _answers[error] = (status, code)


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an exception; None for one nobody foresaw, which stays an error of the server."""
    set_rollback()
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    found = next((_answers[kind] for kind in type(error).__mro__ if kind in _answers), None)
    if found is None:
        return None
    if isinstance(error, _UNSPOKEN):
        _log.warning("refused what the API was sent: %s", type(error).__name__)
        return problem(*found, "A value is too long, too large, or has signs that cannot be stored.")
    detail = "There is no such thing here." if isinstance(error, Http404) else str(error)
    return problem(*found, detail)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    more: dict[str, Any] | None = None,
) -> Response:
    """Return an answer that says what is wrong."""
    return Response(body(status, code, detail, errors=errors, more=more), status=status, content_type=MEDIA_TYPE)


def body(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the problem as data."""
    told: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code}
    told |= {"detail": detail or HTTPStatus(status).phrase, **(more or {})}
    return told | {"errors": list(errors)} if errors else told


def plain(status: int, code: str, detail: str) -> JsonResponse:
    """Return the same as an answer of Django's own, for what no endpoint answers."""
    return JsonResponse(body(status, code, detail), status=status, content_type=MEDIA_TYPE)


def _of_framework(error: exceptions.APIException) -> Response:
    """Return the answer to an exception of the framework: each field's errors by themselves."""
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "invalid"
    if isinstance(error, exceptions.ValidationError):
        errors = list(_fields(error.detail))
        detail = " ".join(
            f"{each['field']}: {each['message']}" if each["field"] else each["message"] for each in errors
        )
        response = problem(error.status_code, "invalid", detail, errors=errors)
    else:
        response = problem(error.status_code, code, str(error.detail))
    for header, value in _headers(error).items():
        response[header] = value
    return response


def _headers(error: exceptions.APIException) -> dict[str, str]:
    found = {}
    if challenge := getattr(error, "auth_header", None):
        found["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        found["Retry-After"] = str(int(wait) + 1)
    return found


def _fields(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Walk the framework's nested errors; a field deep inside is named like `settings.labels.0`."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            yield from _fields(inner, own)
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            deep = isinstance(inner, dict | list)
            yield from _fields(inner, f"{path}.{place}" if path and deep else path)
    else:
        yield {"field": path, "message": str(detail)}
