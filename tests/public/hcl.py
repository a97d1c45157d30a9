"""Reads the part of HCL that our text is written in: one block of attributes, with literals."""

from __future__ import annotations

import json
import re
from typing import Any

_TOKEN = re.compile(r'\s*(?:#[^\n]*\n\s*)*("(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_-]*|-?[0-9.]+|[{}\[\]=,])')


def read(text: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of the only resource in a text, and its attributes."""
    tokens = _TOKEN.findall(text)
    assert tokens[0] == "resource"
    body, rest = _value(tokens[3:])
    assert rest == []
    return json.loads(tokens[1]), body


def _value(tokens: list[str]) -> tuple[Any, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first == "{":
        found: dict[str, Any] = {}
        while rest[0] != "}":
            assert rest[1] == "="
            key = _text(rest[0]) if rest[0][0] == '"' else rest[0]
            found[key], rest = _value(rest[2:])
        return found, rest[1:]
    if first == "[":
        listed = []
        while rest[0] != "]":
            one, rest = _value(rest)
            listed.append(one)
            rest = rest[1:] if rest[0] == "," else rest
        return listed, rest[1:]
    return (_text(first) if first[0] == '"' else json.loads(first)), rest


def _text(token: str) -> str:
    told: str = json.loads(token)
    return told.replace("$${", "${").replace("%%{", "%{")
