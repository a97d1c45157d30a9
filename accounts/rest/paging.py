"""Pages of lists, in the three styles that the published contracts have.

by_token    `limit` + `page_token`, answered with `pagination.next_page_token`; reads on after the last row it showed
by_skip     `skip` + `limit`, answered with `pagination` of limit, offset and total
by_offset   `limit` + `offset`, likewise
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from accounts.rest.authentication import user_of

LIMIT, LIMIT_MAX, SKIP_MAX = 100, 1000, 1_000_000
# What is meant where older clients name no limit: they know no pages, and take the first answer for the whole list.
WHOLE = 100_000
_SALT = "accounts.rest.paging"
_OURS = ("limit", "page_token")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. `rows` are in order; of `next_page_token` and `total` a style has one."""

    rows: list[Any]
    limit: int
    offset: int = 0
    total: int = 0
    next_page_token: str | None = None

    @property
    def by_token(self) -> dict[str, Any]:
        """Return the `pagination` of the token style."""
        return {"next_page_token": self.next_page_token}

    @property
    def by_number(self) -> dict[str, Any]:
        """Return the `pagination` of the two styles that count."""
        return {"limit": self.limit, "offset": self.offset, "total": self.total}


def by_token(request: Request, rows: QuerySet[Any], *, order: tuple[str, ...]) -> Page:
    """Return the page that the request asks for.

    `order` are fields of the model that put rows into one order (end with the key; "-" begins a field that falls). A
    token is signed and counts for the same person, address and filters only. Raises ParseError for any other.
    """
    limit = _number(request, "limit", LIMIT, 1, LIMIT_MAX)
    found = rows.order_by(*order)
    if text := request.query_params.get("page_token"):
        found = found.filter(_after(rows.model, order, _read(request, text, len(order))))
    got = list(found[: limit + 1])
    if len(got) <= limit:
        return Page(got, limit)
    last = got[limit - 1]
    values = [_plain(getattr(last, name.lstrip("-"))) for name in order]
    return Page(got[:limit], limit, next_page_token=_token(request, values))


def by_cursor(
    request: Request, read: Callable[[list[Any], int], tuple[list[Any], list[Any] | None]], *, start: list[Any]
) -> Page:
    """Return the page that the request asks for of what is no table, in the token style.

    `read` is given where to begin (`start` at first) and how many to read at most, and returns these and where the next
    page begins, or None. Raises ParseError as `by_token` does.
    """
    limit = _number(request, "limit", LIMIT, 1, LIMIT_MAX)
    text = request.query_params.get("page_token")
    rows, following = read(_read(request, text, len(start)) if text else start, limit)
    return Page(rows, limit, next_page_token=None if following is None else _token(request, following))


def _token(request: Request, values: list[Any]) -> str:
    return signing.dumps([_bound(request), values], salt=_SALT, compress=True)


def by_skip(request: Request, rows: QuerySet[Any] | list[Any], *, limit: int = LIMIT) -> Page:
    """Return the page that `skip` and `limit` ask for; `limit` is what is meant when the request names none."""
    return _numbered(request, rows, "skip", limit)


def by_offset(request: Request, rows: QuerySet[Any] | list[Any], *, limit: int = LIMIT) -> Page:
    """Return the page that `offset` and `limit` ask for."""
    return _numbered(request, rows, "offset", limit)


def _numbered(request: Request, rows: QuerySet[Any] | list[Any], name: str, default: int) -> Page:
    limit = _number(request, "limit", default, 1, LIMIT_MAX)
    offset = _number(request, name, 0, 0, SKIP_MAX)
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    return Page(list(rows[offset : offset + limit]), limit, offset, total)


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """Return a number of the query. Raises ParseError for what is none or too small; too large is taken as `most`."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) < least:
        raise ParseError(f"{name} must be a whole number of at least {least}.")
    return min(int(text), most)


def _bound(request: Request) -> str:
    """Return what a page token is bound to: whose it is, of which list, by which filters."""
    filters = sorted((name, request.query_params.getlist(name)) for name in request.query_params if name not in _OURS)
    return json.dumps([str(user_of(request).pk), request.path, filters])


def _read(request: Request, text: str, fields: int) -> list[Any]:
    """Return where the token says to read on. Raises ParseError for a forged one, or one of another list."""
    try:
        bound, values = signing.loads(text, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise ParseError("This page_token is none that was given here.") from None
    if bound != _bound(request) or len(values) != fields:
        raise ParseError("This page_token belongs to another list or other filters. Begin with the first page.")
    return list(values)


def _after(model: type[Model], order: tuple[str, ...], values: list[Any]) -> Q:
    """Return the condition of rows that come after these values, in this order."""
    found = Q()
    for place, name in enumerate(order):
        same = Q(**{each.lstrip("-"): values[number] for number, each in enumerate(order[:place])})
        side = "lt" if name.startswith("-") else "gt"
        found |= same & Q(**{f"{name.lstrip('-')}__{side}": values[place]})
    return found


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | str) else str(value)


def take_up_filters(request: Request) -> None:
    """Let a request that brings a page token and no filters have those of the token: some clients send them once only.

    Whose the token is, and of which list, is looked at as ever when the page is read.
    """
    text, told = request.query_params.get("page_token"), request.query_params.copy()
    if not text or any(name not in _OURS for name in told):
        return
    try:
        bound, _ = signing.loads(text, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return
    for name, values in json.loads(bound)[2]:
        told.setlist(name, values)
    request._request.GET = told  # type: ignore[assignment]  # nobody changes it after this
