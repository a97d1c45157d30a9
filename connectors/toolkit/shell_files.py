"""Shell programs as files: complete POSIX scripts that get their values through the environment, and in no other way.

    #!/bin/sh
    # Puts a login into a group.
    # needs: root, through latchkey-run
    # takes: LOGIN GROUP
    set -eu

The line "takes:" names the values. A value is data to the shell that runs the script: it is never part of a command
line or of the script, so there is nothing to quote and nothing to escape from.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.toolkit.program_files import ProgramFile
from connectors.toolkit.redaction import HIDDEN

Value = str | int | Secret | Sequence[str]

TAKES = re.compile(r"^# takes:(.*)$", re.MULTILINE)
NAME = re.compile(r"[A-Z][A-Z0-9_]*")
# What a shell, a loader or sudo reads for itself.
RESERVED = re.compile(r"PATH|IFS|ENV|HOME|SHELL|PWD|OLDPWD|OPTARG|OPTIND|PPID|PS[0-9]|TMPDIR|LANG|(LC|LD|BASH|SUDO)_.*")
# What the kernel takes as one variable.
VALUE_MAX = 100_000


class ShellFile(ProgramFile):
    """One shell program."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of the values that the file takes, in order. Raises Misconfigured."""
        found = TAKES.findall(self.text)
        if len(found) > 1:
            raise Misconfigured(f"{self.path.name}: says more than once what it takes.")
        names = tuple(found[0].split()) if found else ()
        for name in names:
            if not NAME.fullmatch(name) or RESERVED.fullmatch(name) or names.count(name) > 1:
                raise Misconfigured(f"{self.path.name}: {name!r} is no name for a value.")
        return names

    @property
    def slots(self) -> frozenset[str]:
        """Return the same names, in no order."""
        return frozenset(self.names)

    def compose(self, values: Mapping[str, Value], *, hide_secrets: bool = False) -> tuple[str, ...]:
        """Return the values as text, in the order of the file. Raises Misconfigured for those no variable can hold."""
        if values.keys() != self.slots:
            raise Misconfigured(f"{self.path.name} takes {sorted(self.slots)}, not {sorted(values)}.")
        return tuple(_text(name, values[name], hide_secrets) for name in self.names)

    def parcel(self, values: Mapping[str, Value], seconds: float) -> bytes:
        """Return what latchkey-run reads: how many seconds there are, the program, its values; base64, a line each."""
        lines = [str(max(1, int(seconds))).encode()]
        lines += [base64.b64encode(text.encode()) for text in (self.text, *self.compose(values))]
        return b"\n".join(lines) + b"\n"

    def in_words(self, values: Mapping[str, Value]) -> str:
        """Return the program as a dry run shows it: its values, without secrets, and its text."""
        pairs = zip(self.names, self.compose(values, hide_secrets=True), strict=True)
        return "\n".join([*(f"{name}={shlex.quote(value)}" for name, value in pairs), self.text])


class Scripts:
    """The shell programs of one provider."""

    def __init__(self, folder: Path) -> None:
        """Look in `folder`."""
        self._folder = folder

    def program(self, name: str, *slots: str) -> ShellFile:
        """Declare a program: its file's name without .sh, and the values it takes. `connectors.vet` compares both."""
        return ShellFile(self._folder / f"{name}.sh", *slots)


def unquoted(text: str, names: frozenset[str]) -> list[int]:
    """Return the lines in which a value stands where the shell would split it or read a pattern from it.

    Outside of double quotes a value may stand after `case` and `=` only; there the shell does neither.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for use in re.finditer(r"\$\{?([A-Z][A-Z0-9_]*)", line):
            before = line[: use.start()]
            safe = before.count('"') % 2 or re.search(r"(\bcase |\b\w+=)$", before) or before.count("'") % 2
            if use[1] in names and not safe:
                found.append(number)
    return found


def _text(name: str, value: Value, hide: bool) -> str:
    """Return one value as text; a list is written a line each."""
    if isinstance(value, Secret):
        return HIDDEN if hide else _checked(name, value.reveal())
    if isinstance(value, str | int):
        return _checked(name, str(value))
    if any("\n" in one for one in value):
        raise Misconfigured(f"An entry of {name} has more than one line.")
    return _checked(name, "\n".join(value))


def _checked(name: str, text: str) -> str:
    """Return a text that a variable can hold."""
    if "\0" in text or len(text.encode()) > VALUE_MAX:
        raise Misconfigured(f"The value of {name} contains a NUL character, or is longer than {VALUE_MAX} bytes.")
    return text
