"""A dossier as a page: its plain data as sections of words and values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template

register = template.Library()

# The sections in order: the part, its title, a hint, and what to say where there is nothing.
SECTIONS = (
    ("request", "Request", "", ""),
    ("policy", "Policy", "the version that decided", ""),
    ("approvals", "Approvals", "", "Nobody was asked."),
    ("webhooks", "Other systems", "", "No other system was asked."),
    ("narrowed", "Approved less", "", "It was not made smaller."),
    ("extensions", "Extensions", "", "It was not extended."),
    ("grants", "Grants and their proofs", "one for each integration", "Nothing was ever dispatched."),
    ("credentials", "Credentials", "never their value", "Nobody looked at any."),
    ("review", "Review of broken glass", "", "The glass was not broken."),
    ("declarations", "Declared", "never a proof", "Nobody declared anything."),
    ("history", "History", "", ""),
    ("trail", "In the audit trail", "each entry with its link of the chain", ""),
)
# Parts that are too long for paper: they are in the file.
_LEFT_OUT = frozenset({"document", "operation"})
_CODE = frozenset({"digest", "login", "instance", "id", "flow_id", "operation"})
TIME_MIN = 20


@dataclass(frozen=True, slots=True)
class Value:
    """One value: a time, or a text that may be code."""

    text: str
    at: datetime | None = None
    code: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One section; a group is one thing, as pairs of word and value."""

    title: str
    hint: str
    nothing: str
    groups: list[list[tuple[str, Value]]]


@register.filter
def parts(dossier: dict[str, Any]) -> list[Section]:
    """Return a dossier's sections."""
    return [Section(title, hint, nothing, _groups(dossier.get(name))) for name, title, hint, nothing in SECTIONS]


def _groups(part: Any) -> list[list[tuple[str, Value]]]:
    things = part if isinstance(part, list) else [part] if part else []
    return [list(_pairs(one)) for one in things]


def _pairs(thing: dict[str, Any], before: str = "") -> Iterator[tuple[str, Value]]:
    """Yield what is said of a thing; what is empty is left out."""
    for name, value in thing.items():
        word = f"{before}{name.replace('_', ' ')}"
        if name in _LEFT_OUT or value in (None, "", [], {}, False):
            continue
        if isinstance(value, dict):
            yield from _of_dict(word, value)
        elif isinstance(value, list):
            yield word[:1].upper() + word[1:], Value("\n".join(map(_line, value)))
        else:
            yield word[:1].upper() + word[1:], _value(name, value)


def _of_dict(word: str, value: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    if set(value) <= {"id", "name", "email"}:
        yield word[:1].upper() + word[1:], Value(_line(value))
    else:
        yield from _pairs(value, f"{word}: ")


def _line(value: Any) -> str:
    """Return one thing of a list in one line."""
    if isinstance(value, dict):
        if set(value) <= {"id", "name", "email"}:
            return f"{value.get('name', '')} ({value.get('email', '')})"
        return ", ".join(f"{_line(inner)}" for inner in value.values() if inner not in (None, "", [], {}))
    return "–" if value is None else str(value)


def _value(name: str, value: Any) -> Value:
    if isinstance(value, bool):
        return Value("yes" if value else "no")
    text = str(value)
    if (name.endswith("_at") or name in {"at", "overdue_since"}) and len(text) >= TIME_MIN:
        return Value(text, at=datetime.fromisoformat(text))
    return Value(text, code=name in _CODE)
