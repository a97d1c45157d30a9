"""PowerShell programs: complete static scripts, whose values arrive as the parameters of their `param()` block.

A script is sent as it is and its parameters beside it (MS-PSRP), so a value can never become a part of the script. What
would make text a program again (Invoke-Expression and the like) has no place in one. A comment `# needs: …` says in
words which right the program needs. It answers with JSON texts, one object each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.toolkit.program_files import ProgramFile
from connectors.toolkit.redaction import HIDDEN

Value = str | int | bool | Secret

TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\n]* )
    | (?P<string> '(?:[^']|'')*' | "(?:[^"`]|`.|"")*" )
    | (?P<open> [\[({] | \$\( | @[({] )
    | (?P<close> [\])}] )
    | (?P<plain> [^\#'"\[\](){}] )
    """,
    re.VERBOSE | re.DOTALL,
)
CLOSES = {"[": "]", "(": ")", "{": "}"}
# Ways in which text, or a name in a variable, is run.
FORBIDDEN = re.compile(
    r"\b(Invoke-Expression|iex|Add-Type|Invoke-Command|Start-Process|New-PSSession|EncodedCommand)\b"
    r"|\[scriptblock\]|InvokeScript|NewScriptBlock|\.Invoke\(|(^|[\s;|({])[&.]\s*[$\"'(]",
    re.IGNORECASE | re.MULTILINE,
)
HEAD = "Set-StrictMode -Version 1", "$ErrorActionPreference = 'Stop'"


class PowerShellFile(ProgramFile):
    """One script."""

    @cached_property
    def slots(self) -> frozenset[str]:
        """Return the names of its parameters, in Python's spelling. Raises Misconfigured for what is no script."""
        bare = _without_comments(self.text, self.path.name)
        if self.text[:2] != "# ":
            raise Misconfigured(f"{self.path.name}: does not begin with a comment that says what it does.")
        block = re.match(r"\s*param\(", bare)
        if block is None:
            raise Misconfigured(f"{self.path.name}: does not begin with param().")
        lacking = [line for line in HEAD if line not in bare]
        if lacking:
            raise Misconfigured(f"{self.path.name}: lacks {lacking[0]}.")
        if found := FORBIDDEN.search(bare):
            raise Misconfigured(f"{self.path.name}: {found[0].strip()!r} could make a program of a value.")
        return frozenset(_snake(name) for name in _parameters(bare[block.end() :]))

    def compose(self, values: Mapping[str, Value], *, hide_secrets: bool = False) -> dict[str, Any]:
        """Return the parameters of a call by their names in the script. Raises Misconfigured for other values."""
        if values.keys() != self.slots:
            raise Misconfigured(f"{self.path.name} has the slots {sorted(self.slots)}, not {sorted(values)}.")
        return {_pascal(name): _revealed(value, hide_secrets) for name, value in values.items()}

    def in_words(self, values: Mapping[str, Value]) -> str:
        """Return the call as a dry run shows it: the script, and its parameters without secrets."""
        parameters = self.compose(values, hide_secrets=True)
        lines = [f"# -{name} {_quoted(value)}" for name, value in sorted(parameters.items())]
        return "\n".join([*lines, self.text])


class Scripts:
    """The scripts of one provider."""

    def __init__(self, folder: Path) -> None:
        """Look in `folder`."""
        self._folder = folder

    def program(self, name: str, *slots: str) -> PowerShellFile:
        """Declare a script: its file's name without .ps1, and its parameters. `connectors.vet` compares both."""
        return PowerShellFile(self._folder / f"{name}.ps1", *slots)


def _without_comments(text: str, name: str) -> str:
    """Return a script without comments. Raises Misconfigured where brackets or quotes do not match."""
    kept, waiting, position = [], [""], 0
    while position < len(text):
        token = TOKEN.match(text, position)
        if token is None or (token["close"] and token[0] != waiting.pop()):
            line = text.count("\n", 0, position) + 1
            raise Misconfigured(f"{name}, line {line}: {text[position : position + 20]!r} matches nothing.")
        position = token.end()
        if token["open"]:
            waiting.append(CLOSES[token[0][-1]])
        if not token["comment"]:
            kept.append(token[0])
    if len(waiting) > 1:
        raise Misconfigured(f"{name}: a {waiting[-1]} is missing at the end.")
    return "".join(kept)


def _parameters(text: str) -> Iterator[str]:
    """Yield the names in a param() block, of which `text` is what follows the first bracket."""
    depth, position = 0, 0
    while depth >= 0 and (token := TOKEN.match(text, position)) is not None:
        depth += bool(token["open"]) - bool(token["close"])
        found = re.match(r"\$([A-Za-z]\w*)", text[position:]) if depth == 0 else None
        if found and token["plain"]:
            yield found[1]
        position = token.end()


def _snake(name: str) -> str:
    """Return a parameter's name as Python spells it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _pascal(name: str) -> str:
    """Return a slot's name as PowerShell spells it."""
    return "".join(part.capitalize() for part in name.split("_"))


def _revealed(value: Value, hide: bool) -> Any:
    """Return a value as it travels, or hidden."""
    if isinstance(value, Secret):
        return HIDDEN if hide else value.reveal()
    return value


def _quoted(value: Any) -> str:
    """Return a value in PowerShell's own spelling, on one line."""
    if isinstance(value, bool):
        return f"${str(value).lower()}"
    text = str(value).replace("'", "''").replace("\n", " ")
    return text if isinstance(value, int) else f"'{text}'"
