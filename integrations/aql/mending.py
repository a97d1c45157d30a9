"""A suggestion carried out: the text as it was meant."""

from __future__ import annotations

from collections.abc import Iterator

from integrations.aql.errors import BadQuery
from integrations.aql.parsing import is_readable, parse
from integrations.aql.scan import pieces


def place_of(text: str, problem: BadQuery) -> tuple[int, int]:
    """Return where a text is wrong: start and end, the same where something is missing."""
    lines = text.split("\n")
    start = sum(len(line) + 1 for line in lines[: problem.line - 1]) + problem.column - 1
    if not problem.found.endswith("…"):
        return start, start + len(problem.found)
    return start, next((piece.end for piece in pieces(text) if piece.start >= start), start)


def mended(text: str, problem: BadQuery) -> str:
    """Return the text with the problem's suggestion in place of what it is meant for; "" where that helps nothing.

    A suggestion may be meant for the word before, or for the next one too: whatever lets more of the text be read.
    """
    if not problem.suggestion or not is_readable(text):
        return ""
    start, end = place_of(text, problem)
    found = [text[:first] + problem.suggestion + text[last:] for first, last in _spots(text, start, end)]
    left, best = min(((_unread(one), one) for one in found), key=lambda told: told[0])
    return best if left < (len(text) - start, True) or left[0] == 0 else ""


def _spots(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    yield start, end
    around = list(pieces(text))
    before = next((piece for piece in reversed(around) if piece.end <= start), None)
    after = next((piece for piece in around if piece.start >= end), None)
    if before:
        yield before.start, before.end
    if after:
        yield start, after.end


def _unread(text: str) -> tuple[int, bool]:
    """Return how much of a text is behind the first thing that is wrong, and whether anything is."""
    try:
        parse(text)
    except BadQuery as problem:
        return len(text) - place_of(text, problem)[0], True
    return 0, False
