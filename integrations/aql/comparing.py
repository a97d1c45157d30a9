"""Two queries beside each other, comparison by comparison, as a list that a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from integrations.aql.errors import BadQuery
from integrations.aql.parsing import parse
from integrations.aql.tree import And, Or, Query


@dataclass(frozen=True, slots=True)
class Line:
    """One part of a query: there before and after, only before (gone), or only after (new)."""

    text: str
    gone: bool = False
    new: bool = False


def lines_between(before: str, after: str) -> list[Line]:
    """Return the parts of both queries in order, each once where it is in both."""
    (word, old), (other, new) = _parts(before), _parts(after)
    # One part alone is joined by nothing, so it is the same part when others are joined to it.
    old, new = _joined(word or other, old), _joined(other or word, new)
    found: list[Line] = []
    for kind, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [Line(text) for text in old[first:last]]
        else:
            found += [Line(text, gone=True) for text in old[first:last]]
            found += [Line(text, new=True) for text in new[start:end]]
    return found


def _joined(word: str, parts: list[str]) -> list[str]:
    return [f"{word} {part}" for part in parts] if word else parts


def _parts(text: str) -> tuple[str, list[str]]:
    """Return what a query joins, and by which word; a text that is no query by its lines."""
    try:
        root = parse(text).root
    except BadQuery:
        return "", text.splitlines()
    if not isinstance(root, And | Or):
        return "", [Query(root).text()]
    told = [f"({Query(part).text()})" if isinstance(part, And | Or) else Query(part).text() for part in root.parts]
    return "and" if isinstance(root, And) else "or", told
