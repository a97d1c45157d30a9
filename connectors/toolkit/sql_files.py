"""SQL programs: complete static files with named slots, in the spelling of psql's own variables.

`:"name"` is filled by a quoted identifier, `:'name'` by a quoted literal, and nothing else can be filled in. So a file
can be run by hand (`psql -v name=value -f file.sql`) and read by any tool that knows psql. Several statements in one
file are all or nothing. A comment `-- needs: …` says in words which privilege the program needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.toolkit.program_files import ProgramFile
from connectors.toolkit.redaction import HIDDEN

Plain = str | int | float | bool | list[str] | None
Value = Plain | Secret

# Dollar quotes, E'' strings and block comments are not part of this small language: psql would not look for its
# variables there either, and none of our programs needs them.
TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* )
    | (?P<cast> :: )
    | :"(?P<identifier> [a-z][a-z0-9_]* )"
    | :'(?P<literal> [a-z][a-z0-9_]* )'
    | (?P<quoted> '[^'\\]*' | "[^"]*" )
    | (?P<end> ; )
    | (?P<plain> [^'":;$\\/-]+ | -(?!-) | /(?!\*) )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a statement that a value fills."""

    name: str
    literal: bool


Statement = tuple["str | Slot", ...]


class Quoting(Protocol):
    """How one server, or its driver, writes names and values."""

    def identifier(self, name: str) -> str:
        """Return a name, quoted. Raises Misconfigured for one that no such server could have."""

    def literal(self, value: Plain) -> str:
        """Return a value, quoted."""


class SqlFile(ProgramFile):
    """One SQL program."""

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Return the statements, in order. Raises Misconfigured for what is not part of the language."""
        return parse(self.text, self.path.name)

    @cached_property
    def slots(self) -> frozenset[str]:
        """Return the names of the slots that the file has."""
        return frozenset(piece.name for statement in self.statements for piece in statement if isinstance(piece, Slot))

    def compose(self, values: Mapping[str, Value], quoting: Quoting, *, hide_secrets: bool = False) -> list[str]:
        """Return the statements with their slots filled. Raises Misconfigured for values no server could take."""
        if values.keys() != self.slots:
            raise Misconfigured(f"{self.path.name} has the slots {sorted(self.slots)}, not {sorted(values)}.")
        return [
            "".join(
                piece if isinstance(piece, str) else _fill(piece, values[piece.name], quoting, hide_secrets)
                for piece in statement
            )
            for statement in self.statements
        ]


class Programs:
    """The program files of one provider."""

    def __init__(self, folder: Path) -> None:
        """Look in `folder`."""
        self._folder = folder

    def program(self, name: str, *slots: str) -> SqlFile:
        """Declare a program: its file's name without .sql, and its slots. `connectors.vet` compares both."""
        return SqlFile(self._folder / f"{name}.sql", *slots)


def parse(text: str, name: str) -> tuple[Statement, ...]:
    """Split a program into statements and those into text and slots. Raises Misconfigured naming file and line."""
    statements: list[Statement] = []
    pieces: list[str | Slot] = []
    position = 0
    while position < len(text):
        token = TOKEN.match(text, position)
        if token is None:
            line = text.count("\n", 0, position) + 1
            raise Misconfigured(f"{name}, line {line}: {text[position : position + 20]!r} is not understood here.")
        position = token.end()
        if token["identifier"] or token["literal"]:
            pieces.append(Slot(token["identifier"] or token["literal"], literal=bool(token["literal"])))
        elif token["end"]:
            statements.append(_tidy(pieces))
            pieces = []
        elif not token["comment"]:
            pieces.append(token[0])
    if any(isinstance(piece, Slot) or piece.strip() for piece in pieces):
        raise Misconfigured(f"{name}: the last statement does not end with a semicolon.")
    if not all(statements) or not statements:
        raise Misconfigured(f"{name}: there is an empty statement, or none at all.")
    return tuple(statements)


def _tidy(pieces: list[str | Slot]) -> Statement:
    """Join neighbouring texts and take away the white space around the statement."""
    tidy: list[str | Slot] = []
    for piece in pieces:
        if isinstance(piece, str) and tidy and isinstance(tidy[-1], str):
            tidy[-1] += piece
        else:
            tidy.append(piece)
    if tidy and isinstance(tidy[0], str):
        tidy[0] = tidy[0].lstrip()
    if tidy and isinstance(tidy[-1], str):
        tidy[-1] = tidy[-1].rstrip()
    return tuple(piece for piece in tidy if piece != "")


def _fill(slot: Slot, value: Value, quoting: Quoting, hide_secrets: bool) -> str:
    """Return the value as a quoted identifier or literal."""
    if isinstance(value, Secret):
        value = HIDDEN if hide_secrets else value.reveal()
    if slot.literal:
        if any("\0" in text for text in _texts(value)):
            raise Misconfigured(f"The value of {slot.name} contains a NUL character.")
        return quoting.literal(value)
    if not isinstance(value, str) or not value or "\0" in value:
        raise Misconfigured(f"{value!r} is no name that a server could have.")
    return quoting.identifier(value)


def _texts(value: Plain) -> list[str]:
    """Return the strings in a value."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, str) else []
