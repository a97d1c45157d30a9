"""The history of a flow: what each version changed, as a list a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flows.decision import Document


def changes(before: Document | None, after: Document) -> list[str]:
    """Return what `after` says otherwise than `before`, one line each; the first version has none."""
    return list(_changed("", before, after)) if before is not None else []


def _changed(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from _changed(f"{path} {_word(key)}".strip(), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        # Lists of a document have no order that means anything, so what moved has not changed.
        yield from (f"{path}: {_said(one)} removed" for one in before if one not in after)
        yield from (f"{path}: {_said(one)} added" for one in after if one not in before)
    else:
        yield f"{path}: {_said(before)} → {_said(after)}"


def _word(key: str) -> str:
    return key.replace("_", " ")


# The order in which the parts of a condition or a target are read; the database does not keep one.
_READ = ("tier", "mode", "kind", "integration", "resource_type", "permissions", "type", "operator", "key", "values")


def _place(pair: tuple[str, Any]) -> tuple[int, str]:
    key = pair[0]
    return (_READ.index(key) if key in _READ else len(_READ), key)


def _said(value: Any) -> str:
    """Return a value in words, without the parts that say nothing."""
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        parts = sorted(((key, one) for key, one in value.items() if one not in (None, "", [], {})), key=_place)
        return ", ".join(f"{_word(key)} {_said(one)}" for key, one in parts)
    if isinstance(value, list):
        return " and ".join(f"({_said(one)})" if isinstance(one, dict) else _said(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value)
