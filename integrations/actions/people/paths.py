"""Paths into a directory's record of a person: `profile.city`, `emails[0].value`, `phones[*].number`, `$.a["b.c"]`.

A small part of JSONPath. Pure: no network, no database. What is not there gives nothing.
"""

from __future__ import annotations

import re
from typing import Any

PATH_MAX, DEPTH_MAX, VALUES_MAX, VALUE_MAX = 200, 12, 100, 300
_STEP = re.compile(r'\.?(?P<name>[A-Za-z_][\w$-]*)|\[(?P<index>\d{1,4})\]|\[(?P<all>\*)\]|\["(?P<quoted>[^"\\]+)"\]')


def problem(path: str) -> str:
    """Return why a text is no path, in words; nothing when it is one."""
    try:
        _steps(path)
    except ValueError as error:
        return str(error)
    return ""


def values_at(record: Any, path: str) -> list[str]:
    """Return the texts at a path, each once, in their order. Raises ValueError for what is no path.

    Numbers and yes or no become texts; nothing, empty texts, objects and texts that are too long are left out.
    """
    found = [record]
    for step in _steps(path):
        found = [inner for one in found for inner in _into(one, step)]
    if len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    texts = [text for one in found if (text := _text(one))]
    return list(dict.fromkeys(texts))[:VALUES_MAX]


def _steps(path: str) -> list[str | int | None]:
    """Return the steps of a path: a key, a place in a list, or None for every place. Raises ValueError."""
    text = path.removeprefix("$")
    if not text or len(path) > PATH_MAX or text.startswith(".."):
        raise ValueError("a path is names joined by dots, such as profile.city.")
    steps: list[str | int | None] = []
    place = 0
    while place < len(text):
        step = _STEP.match(text, place)
        if step is None or (place and step["name"] and text[place] != ".") or len(steps) >= DEPTH_MAX:
            raise ValueError(f"it is not understood from {text[place : place + 20]!r} on.")
        steps.append(None if step["all"] else int(step["index"]) if step["index"] else step["name"] or step["quoted"])
        place = step.end()
    return steps


def _into(value: Any, step: str | int | None) -> list[Any]:
    """Return what one step leads to."""
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    return value if step is None else value[step : step + 1]


def _text(value: Any) -> str:
    """Return a value as an attribute keeps it; "" for what is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        return ""
    text = str(value).strip()
    return text if len(text) <= VALUE_MAX and text.isprintable() else ""
