"""Kinds of values that the published contracts have."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# Seconds of the years 1 to 9999, which is all that a date can be.
_LEAST, _MOST = -62_135_596_800, 253_402_300_799


# What may be left out, and may be null.
OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True}


def text(most: int = 200, **more: Any) -> serializers.CharField:
    """Return a field of text. Nothing is trimmed: clients want back what they wrote."""
    return serializers.CharField(max_length=most, trim_whitespace=False, **more)


class NextPage(serializers.Serializer[object]):
    """Where the next page begins, if there is one."""

    next_page_token = serializers.CharField(required=False, allow_null=True)


@extend_schema_field({"type": "number", "format": "double", "description": "Seconds since 1970."})
class Instant(serializers.Field[datetime, Any, float, Any]):
    """A time as seconds since 1970, with a fraction: what the client API calls an Instant."""

    default_error_messages = {"invalid": "A time is a number of seconds since 1970."}

    def to_internal_value(self, data: Any) -> datetime:
        """Return the time. Raises ValidationError."""
        number = isinstance(data, int | float) and not isinstance(data, bool)
        if not number or not math.isfinite(data) or not _LEAST <= data <= _MOST:
            self.fail("invalid")
        return datetime.fromtimestamp(data, UTC)

    def to_representation(self, value: datetime) -> float:
        """Return the seconds."""
        return value.timestamp()
