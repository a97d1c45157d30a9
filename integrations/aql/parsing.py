"""Text into a query, or into what is wrong with it and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

from lark import Lark, Token, Transformer, UnexpectedToken, v_args
from lark.lexer import Lexer

from integrations.aql import advice
from integrations.aql.errors import at, shortened, spoken
from integrations.aql.fields import FIELDS, RISK_VALUES
from integrations.aql.scan import Piece, pieces
from integrations.aql.tree import Node, Query, Term, all_of, any_of, negated

# No query can hurt: what is longer, deeper or wider is refused, long before Python or a database would stumble over it.
LENGTH_MAX, DEPTH_MAX, TERMS_MAX, VALUES_MAX = 10_000, 30, 500, 1_000
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = re.compile(r"\\(.)")
# No database keeps these in a text.
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
_SAID = {
    "FIELD": ("a field",), "KEYED": (), "NOT": ("not",), "LPAR": ("(",), "RPAR": (")",), "LSQB": ("[",),
    "RSQB": ("]",), "COMMA": (",",), "AND": ("and",), "OR": ("or",), "STRING": ('a value in "double quotes"',),
    "COMPARE": ("=", "!=", "contains", "not_contains", "starts_with", "ends_with"), "LIST": ("in", "not_in"),
    "$END": ("the end of the query",),
}  # fmt: skip


class Reading(Protocol):
    """What is used of lark's interactive parser."""

    def feed_token(self, token: Token) -> Any:
        """Take the next word. Raises UnexpectedToken."""

    def feed_eof(self) -> Node:
        """Return the tree. Raises UnexpectedToken."""

    def accepts(self) -> set[str]:
        """Return which terminals may come next."""


def parse(text: str) -> Query:
    """Read a query. Raises BadQuery at the first thing that is wrong."""
    _check_text(text)
    found = list(pieces(text))
    _check_size(text, found)
    try:
        query = Query(_read(text, found))
    except _Wrong as wrong:
        raise at(text, wrong.start, wrong.found, wrong.expected, wrong.suggestion, wrong.why) from None
    if len(query.text()) > LENGTH_MAX:
        raise at(text, 0, "", why=f"The query is too long: at most {LENGTH_MAX:,} characters.")
    return query


def _read(text: str, found: list[Piece]) -> Node:
    reading = _begun()
    for number, piece in enumerate(found):
        try:
            reading.feed_token(_token(piece))
        except UnexpectedToken:
            _refuse(text, found, number, expected_by(reading))
    try:
        return reading.feed_eof()
    except UnexpectedToken:
        raise at(text, len(text), "", expected_by(reading), _last_word(found)) from None


def is_readable(text: str) -> bool:
    """Whether a text is short enough, and of characters that a database keeps."""
    return len(text) <= LENGTH_MAX and not _UNKEEPABLE.search(text)


def terminals_after(before: list[Piece]) -> set[str]:
    """Return which terminals may come behind some words; none where they are wrong already."""
    reading = _begun()
    try:
        for piece in before:
            reading.feed_token(_token(piece))
    except (UnexpectedToken, _Wrong):
        return set()
    return reading.accepts()


def expected_by(reading: Reading) -> tuple[str, ...]:
    """Return what may come next, in words."""
    accepted = reading.accepts()
    return tuple(word for kind, words in _SAID.items() if kind in accepted for word in words)


def _token(piece: Piece) -> Token:
    return Token(piece.kind, piece.text, start_pos=piece.start)


class _NoLexer(Lexer):
    """Words come from scan.py, one by one."""

    def __init__(self, _: Any) -> None:
        """Take what lark hands over."""

    def lex(self, _: Any) -> Iterator[Token]:  # type: ignore[override]
        """Return nothing."""
        return iter(())


@cache
def _grammar() -> Lark:
    grammar = (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=_NoLexer, transformer=_Tree())


def _begun() -> Reading:
    return cast(Reading, _grammar().parse_interactive())


def _check_text(text: str) -> None:
    if len(text) > LENGTH_MAX:
        raise at(text, LENGTH_MAX, "", why=f"The query is too long: at most {LENGTH_MAX:,} characters.")
    unkeepable = _UNKEEPABLE.search(text)
    if unkeepable:
        raise at(text, unkeepable.start(), "", why="A character here can be in no text: take it out.")


def _check_size(text: str, found: list[Piece]) -> None:
    depth = terms = values = 0
    for before, piece in zip([None, *found], found, strict=False):
        if piece.kind in {"COMPARE", "LIST"}:
            terms, values = terms + 1, 0
        elif piece.kind == "STRING":
            values += before is not None and before.kind != "LSQB"
        elif piece.kind == "LPAR" and (before is None or before.kind != "LIST"):
            depth += 1
        elif piece.kind == "RPAR":
            depth -= 1
        for what, number, most in (
            ("The query is nested too deeply: at most {} parentheses within each other.", depth, DEPTH_MAX),
            ("The query is too large: at most {} comparisons.", terms, TERMS_MAX),
            ("The list is too long: at most {:,} values.", values, VALUES_MAX),
        ):
            if number > most:
                raise at(text, piece.start, piece.text, why=what.format(most))


def _last_word(found: list[Piece]) -> str:
    """Return what to write where a text ends in the middle."""
    return advice.with_key(found[-1].text) if found and found[-1].kind == "KEYED" else ""


def _refuse(text: str, found: list[Piece], number: int, expected: tuple[str, ...]) -> NoReturn:
    """Raise what is wrong with a word that cannot stand where it does."""
    piece, after = found[number], found[number + 1] if number + 1 < len(found) else None
    before = found[number - 1] if number else None
    why = ""
    if piece.kind == "SINGLE":
        why = f"values are written in double quotes, not {piece.text}."
    elif piece.kind == "OPEN":
        why = f"the value {piece.text} does not end: a closing double quote is missing on its line."
    meant = _suggestion(piece, before, after, expected)
    raise at(text, piece.start, piece.text, expected, meant if meant != piece.text else "", why) from None


def _suggestion(piece: Piece, before: Piece | None, after: Piece | None, expected: tuple[str, ...]) -> str:
    """Return what was meant by a word, by what may stand in its place."""
    if piece.kind in {"OPEN", "SINGLE"} or (expected == _SAID["STRING"] and piece.kind != "LPAR"):
        meant = advice.value_for(piece)
    elif "a field" in expected:
        word = piece.kind in {"WORD", "FIELD", "KEYED"}
        meant = advice.field_for(piece.text) if word else advice.logic_for(piece.text)
    elif "=" in expected:
        meant = advice.operator_for(piece.text, after)
    elif before is not None and "[" in expected:
        meant = advice.with_key(before.text)
    elif before is not None and piece.kind == "LPAR":
        meant = {"=": "in", "!=": "not_in"}.get(before.text, "")
    elif expected == ("(",) and piece.kind == "STRING":
        meant = f"({piece.text})"
    else:
        meant = advice.logic_for(piece.text) if "and" in expected else ""
    return meant


class _Wrong(Exception):
    """Something that the grammar cannot say is wrong; as the arguments of errors.at."""

    def __init__(self, start: int, found: str, why: str, expected: tuple[str, ...] = (), suggestion: str = "") -> None:
        """Keep what is said."""
        super().__init__(why)
        self.start, self.found, self.why, self.expected, self.suggestion = start, found, why, expected, suggestion


@v_args(inline=True)
class _Tree(Transformer[Token, Node]):
    """Builds the tree while the text is read. What the grammar cannot say is checked here."""

    def start(self, root: Node) -> Node:
        """Return the whole."""
        return root

    def either(self, *parts: Any) -> Node:
        """Join by or."""
        return any_of(parts[::2])

    def both(self, *parts: Any) -> Node:
        """Join by and."""
        return all_of(parts[::2])

    def negated(self, _: Token, part: Node) -> Node:
        """Return the complement."""
        return negated(part)

    def grouped(self, _: Token, part: Node, __: Token) -> Node:
        """Parentheses need no node: the tree has its shape."""
        return part

    def field(self, name: Token, *key: Token) -> tuple[str, str]:
        """Return name and key of a field."""
        return str(name), _value(key[1]) if key else ""

    def compared(self, field: tuple[str, str], operator: Token, value: Token) -> Node:
        """Return a term with one value."""
        return _term(field, operator, [value])

    def listed(self, field: tuple[str, str], operator: Token, *rest: Token) -> Node:
        """Return a term with a list."""
        return _term(field, operator, [one for one in rest if one.type == "STRING"])


def _term(field: tuple[str, str], operator: Token, values: list[Token]) -> Term:
    known = FIELDS[field[0]]
    if operator not in known.operators:
        why = f"{operator} asks for parts, and a risk level has none: expected {spoken(known.operators)}."
        raise _Wrong(operator.start_pos or 0, str(operator), why, known.operators, "=")
    read = tuple(_value(value) for value in values)
    for token, value in zip(values, read, strict=True):
        if known.risk and value not in RISK_VALUES:
            why = f"{shortened(token)} is no risk level: expected low, medium, high or a digit from 1 to 9."
            raise _Wrong(token.start_pos or 0, str(token), why, RISK_VALUES, advice.risk_for(value))
    return Term(field[0], str(operator), read, field[1])


def _value(token: Token) -> str:
    """Return what a text in quotes says."""
    for match in _ESCAPE.finditer(token, 1, len(token) - 1):
        if match[1] not in _ESCAPED:
            expected = tuple(f"\\{one}" for one in _ESCAPED)
            why = f"{match[0]} means nothing: expected {spoken(expected)}."
            raise _Wrong((token.start_pos or 0) + match.start(), match[0], why, expected, f"\\{match[0]}")
    return value_of(token)


def value_of(text: str) -> str:
    """Return what a text in quotes says; an escape that means nothing is passed over."""
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text[1:-1])
