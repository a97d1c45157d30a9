"""What the older addresses have in common: lists in `data` that count, and deletions that answer with a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from accounts.rest.paging import Page

COUNTED = [
    OpenApiParameter("limit", OpenApiTypes.INT, description="At most so many; all where nothing is said."),
    OpenApiParameter("offset", OpenApiTypes.INT, description="How many to pass over."),
]


class Counted(serializers.Serializer[object]):
    """Which part of a list this is."""

    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()


class Message(serializers.Serializer[object]):
    """What was done, in words."""

    message = serializers.CharField()


def list_of(shape: Any, **more: serializers.Field[Any, Any, Any, Any]) -> Any:
    """Return the shape of a list in `data`."""
    name = f"{shape.__name__}Counted" if isinstance(shape, type) else "TextsCounted"
    data = shape(many=True) if isinstance(shape, type) else shape
    return inline_serializer(name, {"data": data, "pagination": Counted(), **more})


def listed(page: Page, data: Sequence[Any], **more: Any) -> Response:
    """Return the answer with a part of a list."""
    return Response({"data": data, "pagination": page.by_number, **more})


def said(message: str) -> Response:
    """Return the answer to what was done and leaves nothing to show."""
    return Response({"message": message})


def identity_of(kind: str, value: str = "") -> str:
    """Return the id by which older clients name an attribute of people."""
    return f"{quote(kind, safe='')}:{value}" if value else quote(kind, safe="")


def attribute_of(identity: str) -> tuple[str, str]:
    """Return the type and value that such an id names."""
    kind, _, value = identity.partition(":")
    return unquote(kind), value
