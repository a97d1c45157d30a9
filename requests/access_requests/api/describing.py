"""What our own document says of an endpoint: made of the same shapes and readers that the endpoint answers with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers

Field = serializers.Field[Any, Any, Any, Any]
Reader = type[serializers.Serializer[Any]]
_SIMPLE: dict[Any, type[Field]] = {
    str: serializers.CharField,
    int: serializers.IntegerField,
    bool: serializers.BooleanField,
    float: serializers.FloatField,
    datetime: serializers.DateTimeField,
}
# How lists are paged: by skip and limit without counting, by token, or by offset and limit, counted.
BY_TOKEN, COUNTED = "token", "counted"
_ROOMS = {"user": "Own", "older": "Older"}


def name_of(shape: Any) -> str:
    """Return the name of a shape in the document: each room's begin with a word of its own."""
    room = shape.__module__.split(".")[2]
    return f"{_ROOMS.get(room, 'Client')}{shape.__name__.removesuffix('Shape')}"


@cache
def serializer_of(shape: Any) -> Reader:
    """Return a serializer with the fields of a shape (a TypedDict), under its name."""
    hints = get_type_hints(shape, include_extras=True)
    fields = {name: _field(hint) for name, hint in hints.items()}
    made = inline_serializer(name_of(shape), fields)
    return type(made)


@cache
def _pagination(style: str) -> Reader:
    if style == BY_TOKEN:
        token = serializers.CharField(required=False, allow_null=True)
        return type(inline_serializer("OwnNextPage", {"next_page_token": token}))
    parts: dict[str, Field] = {name: serializers.IntegerField() for name in ("limit", "offset")}
    if style == COUNTED:
        return type(inline_serializer("OlderCounted", {**parts, "total": serializers.IntegerField()}))
    return type(inline_serializer("ClientPagination", {**parts, "has_more": serializers.BooleanField()}))


@cache
def page_of(shape: Any, style: str = "") -> Reader:
    """Return a serializer of one page of a list of shapes, in the style of the list."""
    rows = "items" if style == BY_TOKEN else "data"
    parts: dict[str, Field] = {rows: serializer_of(shape)(many=True), "pagination": _pagination(style)()}
    name = name_of(shape)
    start = next((word for word in _ROOMS.values() if name.startswith(word)), "Client")
    return type(inline_serializer(f"{start}PageOf{name.removeprefix(start)}", parts))


def _field(hint: Any, *, required: bool = True) -> Field:
    """Return the field of one part."""
    if get_origin(hint) is NotRequired:
        return _field(get_args(hint)[0], required=False)
    if get_origin(hint) is UnionType:
        return _or_null(hint, required)
    if is_typeddict(hint):
        return serializer_of(hint)(required=required)
    if get_origin(hint) is list:
        (inner,) = get_args(hint)
        many = is_typeddict(inner)
        return serializer_of(inner)(many=True, required=required) if many else _list_of(inner, required)
    if get_origin(hint) is dict:
        return serializers.DictField(child=_field(get_args(hint)[1]), required=required)
    return _SIMPLE.get(hint, serializers.JSONField)(required=required)


def _list_of(inner: Any, required: bool) -> Field:
    return serializers.ListField(child=_field(inner), required=required)


def _or_null(hint: Any, required: bool) -> Field:
    (inner,) = (one for one in get_args(hint) if one is not NoneType)
    found = _field(inner, required=required)
    found.allow_null = True
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What an endpoint reads and answers: one shape, or one page of a list of them."""

    query: Reader | None = None
    body: Reader | None = None
    gives: Any = None
    lists: Any = None
    # Several of the one shape, without paging.
    many: bool = False
    status: int = 200
    # How a list is paged.
    style: str = ""

    def write_on(self, handle: Callable[..., Any], name: str | None) -> Callable[..., Any]:
        """Return the handler with all that written on it."""
        answer: Any = page_of(self.lists, self.style) if self.lists is not None else None
        if self.gives is not None:
            answer = serializer_of(self.gives)(many=self.many)
        written: Callable[..., Any] = extend_schema(
            parameters=[self.query] if self.query is not None else [],
            request=self.body,
            responses={self.status: answer},
            operation_id=name,
        )(handle)
        return written
