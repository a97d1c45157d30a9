"""What a body may be: JSON of a size and depth somebody could mean, and text that can be stored anywhere."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from accounts.rest.errors import TooLarge

BODY_MAX, DEPTH_MAX = 1_000_000, 30
# More digits than any number that could be meant; Python itself refuses only thousands.
_DIGITS_MAX = 40
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TOO_DEEP = f"The body is nested deeper than {DEPTH_MAX} levels."


class CarefulJSON(BaseParser):
    """Parses JSON; everything odd is a 400 that says what, what is too large a 413. A view may set `body_max`."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the data. Raises ParseError, TooLarge."""
        most = getattr((parser_context or {}).get("view"), "body_max", BODY_MAX)
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise TooLarge(f"The body is larger than {most} bytes.")
        return careful(raw)


def careful(raw: bytes) -> Any:
    """Return the JSON in `raw`. Raises ParseError for what is none, too deep, or holds text nobody can store."""
    try:
        found = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, parse_int=_integer, parse_float=_fraction)
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8 text.") from None
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    except ValueError as error:
        raise ParseError(f"The body is not JSON: {error}.") from None
    for text in _texts(found, DEPTH_MAX):
        if not storable(text):
            raise ParseError("The body has a NUL character or half a surrogate pair, which cannot be stored.")
    return found


def storable(text: str) -> bool:
    """Whether every database can hold the text: no NUL, no lone surrogate."""
    return _UNSTORABLE.search(text) is None


def _texts(found: Any, levels: int) -> Iterator[str]:
    """Walk every text in the data, names too. Raises ParseError below so many levels."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict | list):
        if not levels:
            raise ParseError(_TOO_DEEP)
        for each in found:
            yield from _texts(each, levels - 1)
        for each in found.values() if isinstance(found, dict) else ():
            yield from _texts(each, levels - 1)


def _integer(text: str) -> int:
    if len(text) > _DIGITS_MAX:
        raise ValueError("a number has too many digits")
    return int(text)


def _fraction(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
