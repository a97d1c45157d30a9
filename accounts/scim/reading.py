"""What arrives is bytes from anywhere: read here, within bounds, before anything looks at what it says."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from scim2_models import InvalidSyntaxException, InvalidValueException

DEPTH_MAX, NODES_MAX = 16, 200_000
Body = dict[str, Any]


def document(content: bytes) -> Body:
    """Return the JSON object that `content` is. Raises InvalidSyntaxException for everything else."""
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise InvalidSyntaxException(detail="The body is nested too deeply.") from None
    except ValueError as error:
        raise InvalidSyntaxException(detail="The body is no JSON, or not in UTF-8.") from error
    if not isinstance(value, dict):
        raise InvalidSyntaxException(detail="The body is no JSON object.")
    _bound(value)
    return value


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    """Return the number. Raises ValueError for what is too big to be one."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("infinite")
    return number


def _bound(value: Any) -> None:
    """Raise for what is too deep, too much, or text that no database takes. Not recursive: depth is the danger."""
    waiting, seen = [(value, 1)], 0
    while waiting:
        one, depth = waiting.pop()
        seen += 1
        if depth > DEPTH_MAX or seen > NODES_MAX:
            raise InvalidSyntaxException(detail="The body is nested too deeply, or holds too much.")
        if isinstance(one, str):
            plain(one)
        elif isinstance(one, dict):
            for name, inner in one.items():
                plain(name)
                waiting.append((inner, depth + 1))
        elif isinstance(one, list):
            waiting += [(inner, depth + 1) for inner in one]


def plain(text: str) -> None:
    """Raise InvalidValueException for a text that no database takes."""
    if "\x00" in text or any(0xD800 <= ord(sign) <= 0xDFFF for sign in text if sign > "\x7f"):
        raise InvalidValueException(detail="A text holds NUL, or half of a character.")


def named(body: Mapping[str, Any], name: str) -> Any:
    """Return what stands under a name, whose case does not count; None where nothing does."""
    wanted = name.lower()
    return next((value for key, value in body.items() if key.lower() == wanted), None)


def key_named(body: Mapping[str, Any], name: str) -> str | None:
    """Return under which spelling a name stands there."""
    wanted = name.lower()
    return next((key for key in body if key.lower() == wanted), None)


def whole_number(said: Any, name: str, default: int) -> int:
    """Return a number of a query. Raises InvalidValueException for what is none."""
    if said is None or said == "":
        return default
    text = str(said)
    if isinstance(said, bool | float) or len(text) > 12 or not text.removeprefix("-").isascii():
        raise InvalidValueException(detail=f"{name} is a whole number.")
    try:
        return int(text)
    except ValueError as error:
        raise InvalidValueException(detail=f"{name} is a whole number.") from error
