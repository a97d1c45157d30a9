"""Slots in the body of a webhook: a fixed vocabulary, found and filled in the parsed JSON. Values never become text of
the document: a string that is one slot becomes the value with its type, in longer text it becomes its text.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# Every slot, what it is, and a value to try a webhook with. docs/webhooks.md shows the same list.
VOCABULARY: dict[str, tuple[str, Any]] = {
    "request.id": ("the request's number", 4711),
    "request.justification": ("why access is asked for", "To see why orders fail"),
    "request.ticket": ("the number of the ticket; null when there is none", "OPS-1234"),
    "request.duration_seconds": ("how long access is asked for; null without an end", 3600),
    "requestor.email": ("who asks", "rita@example.com"),
    "requestor.name": ("who asks", "Rita Example"),
    "requestor.groups": ("the names of their groups, a list", ["engineers"]),
    "grantee.email": ("who gets the access", "rita@example.com"),
    "grantee.name": ("who gets the access", "Rita Example"),
    "grantee.groups": ("the names of their groups, a list", ["engineers"]),
    "flow.name": ("the access flow", "Production reads"),
    "resources": (
        "what is asked for: a list of objects with name, type, integration, permission",
        [{"name": "orders", "type": "database", "integration": "Production", "permission": "READ_ONLY"}],
    ),
}
FIELD = "request.fields."
DEPTH_MAX, TEXT_MAX = 20, 20_000
_SLOT = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


def problems(body: Any, depth: int = 0) -> Iterator[str]:
    """Yield what is wrong with a body, in words."""
    if depth > DEPTH_MAX:
        yield f"The body is nested deeper than {DEPTH_MAX} levels."
    elif isinstance(body, dict):
        for key, inner in body.items():
            if "{{" in key:
                yield f"A slot stands in a value, not in a name: “{key}”."
            yield from problems(inner, depth + 1)
    elif isinstance(body, list):
        for inner in body:
            yield from problems(inner, depth + 1)
    elif isinstance(body, str):
        yield from _about_text(body)


def _about_text(text: str) -> Iterator[str]:
    for name in _SLOT.findall(text):
        if not known(name):
            yield f"There is no slot “{name[:60]}”. {_nearest(name)}"
    if "{{" in _SLOT.sub("", text):
        yield "A slot is opened with {{ and not closed with }}."


def known(name: str) -> bool:
    """Whether there is a slot of the name."""
    return name in VOCABULARY or (name.startswith(FIELD) and bool(_KEY.fullmatch(name.removeprefix(FIELD))))


def _nearest(name: str) -> str:
    # "email" alone is the end of some, and near to others by its letters.
    close = [slot for slot in VOCABULARY if slot.endswith(f".{name}")][:1]
    close = close or difflib.get_close_matches(name, [*VOCABULARY, f"{FIELD}KEY"], 1, cutoff=0.5)
    return f"Did you mean “{close[0]}”?" if close else f"There are: {', '.join(VOCABULARY)}, {FIELD}KEY."


def filled(body: Any, values: Mapping[str, Any]) -> Any:
    """Return the body with its slots filled. A slot without a value (a field the flow does not ask for) is null."""
    if isinstance(body, dict):
        return {key: filled(inner, values) for key, inner in body.items()}
    if isinstance(body, list):
        return [filled(inner, values) for inner in body]
    if not isinstance(body, str):
        return body
    alone = _SLOT.fullmatch(body)
    # Not "{{ a }} and {{ b }}", which the pattern can also read as one.
    if alone and "{{" not in alone[1]:
        return values.get(alone[1])
    return _SLOT.sub(lambda found: as_text(values.get(found[1])), body)


def as_text(value: Any) -> str:
    """Return a value as it stands inside longer text: nothing for null, a list of words with commas, else JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def as_query(body: Any) -> dict[str, str]:
    """Return a filled body as the query of a GET: each value as its text."""
    return {key: as_text(value) for key, value in body.items()} if isinstance(body, dict) else {}


def sample(body: Any) -> dict[str, Any]:
    """Return a value for every slot, to try a body with; fields that the body names are invented."""
    values = {name: value for name, (_, value) in VOCABULARY.items()}
    names = _SLOT.findall(json.dumps(body))
    return values | {name: f"Sample of {name.removeprefix(FIELD)}" for name in names if name.startswith(FIELD)}
