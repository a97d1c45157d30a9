"""Redis commands as program files: complete JSON documents, one command each, with named slots.

    {
      "what": "Lets a login read the keys of one pattern.",
      "needs": "+acl|setuser",
      "command": ["ACL", "SETUSER", "{login}", "(resetchannels", "%R~{pattern}", "+@read", ")"]
    }

An argument is a string. A slot is a whole argument, or follows one of the prefixes that Redis' own rules glue to a
value, as in `~{pattern}` and `#{hash}`. The protocol sends every argument with its length, so a value never becomes a
second argument. Rules in parentheses are split again by the server, at white space and by quotes: a value that stands
behind a prefix must have none of these, nor parentheses, backslashes and control characters.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.toolkit.program_files import ProgramFile
from connectors.toolkit.redaction import HIDDEN

Value = str | Secret

KEYS = {"what", "needs", "command"}
ARGUMENT = re.compile(r"(?P<prefix>%RW~|%R~|%W~|[~&#>]|)\{(?P<slot>[a-z][a-z0-9_]*)\}|(?P<plain>[^{}]*)")
GLUED = re.compile(r"[^\s\"'\\()\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Slot:
    """An argument that a value fills, behind a prefix that may be empty."""

    prefix: str
    name: str


def can_be_glued(value: str) -> bool:
    """Say whether a value may stand behind a prefix without changing what the rule means."""
    return bool(GLUED.fullmatch(value))


class CommandFile(ProgramFile):
    """One Redis command."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the parsed file. Raises Misconfigured for what is no such document."""
        try:
            found = json.loads(self.text)
        except ValueError as error:
            raise Misconfigured(f"{self.path.name} is no JSON: {error}") from error
        if not isinstance(found, dict) or not KEYS.issuperset(found) or not {"what", "command"} <= found.keys():
            raise Misconfigured(f"{self.path.name}: a command has what and command, and may have needs.")
        return found

    @cached_property
    def needs(self) -> str:
        """Return the privilege that the command needs, in its own words; may be empty."""
        return str(self.document.get("needs", ""))

    @cached_property
    def arguments(self) -> tuple[str | Slot, ...]:
        """Return the arguments. Raises Misconfigured for what is not part of the language."""
        command = self.document["command"]
        if not isinstance(command, list) or not command or not all(isinstance(part, str) for part in command):
            raise Misconfigured(f"{self.path.name}: a command is a list of strings.")
        parsed = tuple(self._argument(part) for part in command)
        if isinstance(parsed[0], Slot):
            raise Misconfigured(f"{self.path.name}: the name of the command is no slot.")
        return parsed

    @cached_property
    def slots(self) -> frozenset[str]:
        """Return the names of the slots that the file has."""
        return frozenset(part.name for part in self.arguments if isinstance(part, Slot))

    def compose(self, values: Mapping[str, Value], *, hide_secrets: bool = False) -> list[str]:
        """Return the arguments with their slots filled. Raises Misconfigured for values that would change the rule."""
        if values.keys() != self.slots:
            raise Misconfigured(f"{self.path.name} has the slots {sorted(self.slots)}, not {sorted(values)}.")
        return [
            self._fill(part, values[part.name], hide_secrets) if isinstance(part, Slot) else part
            for part in self.arguments
        ]

    def _argument(self, text: str) -> str | Slot:
        """Return one argument of the file, parsed."""
        found = ARGUMENT.fullmatch(text)
        if found is None:
            raise Misconfigured(f"{self.path.name}: {text!r} is neither plain, nor a slot, nor a prefix and a slot.")
        return Slot(found["prefix"], found["slot"]) if found["slot"] else found["plain"]

    def _fill(self, slot: Slot, value: Value, hide_secrets: bool) -> str:
        """Return one argument, filled."""
        if isinstance(value, Secret):
            if hide_secrets:
                return slot.prefix + HIDDEN
            value = value.reveal()
        if not value or "\0" in value or (slot.prefix and not can_be_glued(value)):
            raise Misconfigured(f"{self.path.name}: the value of {slot.name} cannot stand behind {slot.prefix!r}.")
        return slot.prefix + value


class Commands:
    """The command files of one provider."""

    def __init__(self, folder: Path) -> None:
        """Look in `folder`."""
        self._folder = folder

    def program(self, name: str, *slots: str) -> CommandFile:
        """Declare a command: its file's name without .json, and its slots. `connectors.vet` compares both."""
        return CommandFile(self._folder / f"{name}.json", *slots)


def in_words(arguments: list[str]) -> str:
    """Return a command as redis-cli would be given it."""
    return shlex.join(arguments)
