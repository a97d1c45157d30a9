"""Which passwords are refused when they are set: guessable ones, and those of a local list of breaches. No network."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

# How people dress up a common password: signs that stand for letters, and what is put before and after.
_SIGNS = str.maketrans("@430$51!7", "aaeossiit")
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_LINE_MAX = 128


@cache
def _common() -> frozenset[str]:
    """Return the commonest passwords: Django's list, made from public counts of leaked ones."""
    return frozenset(CommonPasswordValidator().passwords)


class NotGuessable:
    """Refuses common passwords that were only dressed up to be long enough: Password2026!!, qwertyqwerty."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError for one that is."""
        lowered = password.lower()
        bare = {_EDGES.sub("", lowered), _EDGES.sub("", lowered.translate(_SIGNS))}
        cores = {lowered.translate(_SIGNS), *bare, *map(_once, bare), _once(lowered)}
        if any(core in _common() or len(core) < 4 for core in cores):
            raise ValidationError(
                "This is a common password with something around it, which is guessed first. Take several unrelated "
                "words instead.",
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        """Say it before."""
        return "Not a common password with digits or signs around it."


class NotBreached:
    """Refuses passwords of the list that the setting names: sorted SHA-1, looked up by halving."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError for one that was found in a breach."""
        if settings.BREACHED_PASSWORDS and in_list(Path(settings.BREACHED_PASSWORDS), password):
            raise ValidationError(
                "This password was found in a breach somewhere, so attackers try it. Take another one.",
                code="password_breached",
            )

    def get_help_text(self) -> str:
        """Say it before."""
        return "Not one that is known from a breach."


def in_list(path: Path, password: str) -> bool:
    """Whether the list has the password. Raises OSError where it cannot be read: then no password is set."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        low, high = 0, file.seek(0, os.SEEK_END)
        # What begins before `low` is smaller than wanted; what begins at `high` or later is not.
        while low < high:
            middle = (low + high) // 2
            start, found = _line_from(file, middle)
            if found and found < wanted:
                low = start + 1
            else:
                high = middle
        return _line_from(file, low)[1] == wanted


def _line_from(file: BinaryIO, place: int) -> tuple[int, bytes]:
    """Return where the first line at or after `place` begins, and its hash; b"" after the last line."""
    file.seek(max(place - 1, 0))
    if place:
        file.readline(_LINE_MAX)
    start = file.tell()
    return start, file.readline(_LINE_MAX).strip()[:40].upper()


def _once(text: str) -> str:
    """Return what is repeated, when it is nothing but one thing again and again."""
    again = (text + text).find(text, 1)
    return text[:again] if 0 < again < len(text) else text
