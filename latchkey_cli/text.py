"""Text of the server's, made harmless: no name of a database can move the cursor, colour a line or hide a word."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any

# Line and paragraph separators end lines in some terminals; the others are told by their category.
_ENDS = {"\u2028", "\u2029"}
# Control characters (Cc), invisible ones that change what is read (Cf: turning of direction, joiners), and halves of
# surrogate pairs (Cs), which no terminal can be sent.
_UNSAFE = {"Cc", "Cf", "Cs"}
_DURATION = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?", re.ASCII)
_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def unsafe(sign: str) -> bool:
    """Whether a character could do something else in a terminal than show itself."""
    return sign in _ENDS or unicodedata.category(sign) in _UNSAFE


def clean(value: Any, *, lines: bool = False) -> str:
    """Return a value as text that a terminal only shows. `lines`: line ends stay what they are; otherwise a blank."""
    text = str(value).replace("\r\n", "\n")
    found = []
    for sign in text:
        if sign == "\n":
            found.append("\n" if lines else " ")
        elif sign == "\t":
            found.append(" ")
        else:
            found.append("\ufffd" if unsafe(sign) else sign)
    return "".join(found)


def escaped(text: str) -> str:
    r"""Return JSON in which what a terminal would heed is written \uXXXX. Such signs stand only within its strings."""
    return "".join(_escape(sign) if sign != "\n" and unsafe(sign) else sign for sign in text)


def _escape(sign: str) -> str:
    halves = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{halves[at]:02x}{halves[at + 1]:02x}" for at in range(0, len(halves), 2))


def moment(seconds: Any) -> str:
    """Return a moment in the time zone of this computer; nothing for what is none."""
    try:
        return datetime.fromtimestamp(float(seconds)).astimezone().strftime("%Y-%m-%d %H:%M")
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def seconds_of(text: str) -> int | None:
    """Return how many seconds "1d12h" or "30m" are; None for anything else, also for a number without a unit."""
    found = _DURATION.fullmatch(text.strip().lower().replace(" ", ""))
    parts = found.groups() if found else ()
    if not any(parts):
        return None
    return sum(int(part or 0) * size for part, (_, size) in zip(parts, _UNITS, strict=True)) or None


def lasting(seconds: Any) -> str:
    """Return a length of time as `seconds_of` reads it; "no end" for none."""
    if not isinstance(seconds, int | float) or seconds <= 0:
        return "no end"
    left, words = int(seconds), ""
    for name, size in _UNITS[1:]:
        number, left = divmod(left, size)
        words += f"{number}{name}" if number else ""
    return words
