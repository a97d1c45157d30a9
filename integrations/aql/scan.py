"""Tells the words and signs of a query apart: for the parser, and for an editor, of whatever text there is so far."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from integrations.aql.fields import FIELDS, MEMBERSHIP, OPERATORS

# A run of signs is one piece: == is not = twice. A text in quotes ends with its line, closed or not.
_PIECE = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<string>"(?:[^"\\\n\r]|\\[^\n\r])*")
    | (?P<open>"[^\n\r]*)
    | (?P<single>'(?:[^'\\\n\r]|\\[^\n\r])*'? | [`‘’“”„«][^`‘’“”„»"\n\r]*[`’”“»]?)
    | (?P<sign>[()\[\],])
    | (?P<word>[\w.\-]+)
    | (?P<run>[=!<>~&|]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGNS = {"(": "LPAR", ")": "RPAR", "[": "LSQB", "]": "RSQB", ",": "COMMA"}
_LOGIC = {"and": "AND", "AND": "AND", "or": "OR", "OR": "OR", "not": "NOT", "NOT": "NOT"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One word or sign. `kind` is a terminal of the grammar, or what it is instead: WORD, OPEN, SINGLE, OTHER."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


def pieces(text: str) -> Iterator[Piece]:
    """Return the words and signs of a text, without the white space. Raises nothing."""
    for match in _PIECE.finditer(text):
        if match.lastgroup != "space":
            yield Piece(_kind(match.lastgroup or "", match.group()), match.group(), match.start())


def _kind(group: str, text: str) -> str:
    if group in {"string", "open", "single"}:
        return group.upper()
    if text in _SIGNS or text in _LOGIC:
        return _SIGNS.get(text) or _LOGIC[text]
    if text in OPERATORS:
        return "LIST" if text in MEMBERSHIP else "COMPARE"
    if text in FIELDS:
        return "KEYED" if FIELDS[text].keyed else "FIELD"
    return "WORD" if group == "word" else "OTHER"
