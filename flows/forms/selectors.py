"""Selectors as they are written in a field: name: x, id: x, tag: key=value, or only a name."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from django import forms

from flows.choices import SelectorMode, SelectorType
from flows.document import ordered

_SELECTORS = tuple(kind.value for kind in SelectorType)
# A key may hold "=", written with a backslash before it.
_TAG = re.compile(r"((?:[^\\=]|\\.)*)(?:=(.*))?", re.DOTALL)


def split(text: str) -> tuple[str, str, str]:
    """Return type, key and value of a selector."""
    word, colon, rest = text.partition(":")
    if not colon or word.strip() not in _SELECTORS:
        return SelectorType.NAME.value, "", text
    kind, rest = word.strip(), rest.strip()
    if kind != SelectorType.TAG:
        return kind, "", rest
    found = _TAG.fullmatch(rest)
    key, value = found.groups(default="") if found else ("", "")
    return kind, re.sub(r"\\([\\=])", r"\1", key).strip(), value.strip()


def checked(texts: list[str]) -> list[str]:
    """Refuse selectors that say nothing. Raises ValidationError."""
    for text in texts:
        kind, key, value = split(text)
        if kind == SelectorType.TAG and not (key and value):
            raise forms.ValidationError(f"“{text}” is no tag: write tag: key=value.")
        if not value:
            raise forms.ValidationError(f"“{text}” names nothing: write name: …, id: … or tag: key=value.")
    return texts


def selectors(mode: SelectorMode, texts: list[str]) -> list[dict[str, Any]]:
    """Return what was written as selectors, one for each type and key."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for text in texts:
        kind, key, value = split(text)
        found[kind, key].add(value)
    return ordered(
        {"mode": mode.value, "type": kind, "key": key, "values": sorted(values)}
        for (kind, key), values in found.items()
    )


def written(selector: dict[str, Any]) -> list[str]:
    """Return a selector as it is written: the reverse of `selectors`."""
    escaped = re.sub(r"([\\=])", r"\\\1", selector["key"])
    key = f"{escaped}=" if selector["type"] == SelectorType.TAG else ""
    return [f"{selector['type']}: {key}{value}" for value in selector["values"]]
