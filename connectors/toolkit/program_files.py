"""Program files of every language: read on first use, known by name and digest, never made of text at run time."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from pathlib import Path
from typing import Self

from connectors.contract.errors import Misconfigured

NEEDS = re.compile(r"needs: ([^\n\"]+)")


class ProgramFile:
    """One program file. `slots` are the values that the provider's code says it will give it."""

    def __init__(self, path: Path, *slots: str) -> None:
        """Name a file and its slots."""
        self.path = path
        self.name = path.stem
        self.declared = frozenset(slots)

    @cached_property
    def text(self) -> str:
        """Return the file's text. Raises Misconfigured when it cannot be read."""
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise Misconfigured(f"The program {self.path.name} cannot be read: {error}") from error

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the text, hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def needs(self) -> str:
        """Return the privilege that the program needs, in its own words: what follows "needs:"; may be empty."""
        found = NEEDS.search(self.text)
        return found[1].strip() if found else ""

    def replaced(self, path: Path) -> Self:
        """Return the same program, read from another file."""
        other = type(self)(path, *self.declared)
        other.name = self.name
        return other
