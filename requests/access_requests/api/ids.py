"""How clients name things of ours."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

_REQUEST = re.compile(r"(?:AR-)?(\d{1,18})", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_UNIT = re.compile(r"(\d{1,18}):(\d{1,18})", re.ASCII)


def request_number(text: str) -> int:
    """Return the number in "AR-17" or "17"; 0, which no request has, for anything else."""
    found = _REQUEST.fullmatch(text)
    return int(found[1]) if found else 0


def uuid_of(text: str) -> uuid.UUID:
    """Return an id, or one that nothing has."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def numbers(texts: Iterable[str]) -> list[int]:
    """Return those of the texts that are numbers of ours."""
    return [int(text) for text in texts if _NUMBER.fullmatch(text)]


def pair_of(text: str) -> tuple[int, int] | None:
    """Return the (resource, permission) that the id of a unit names; None for what is no such id."""
    found = _UNIT.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None
