"""What is wrong with a text, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong. Lines and columns count from 1; 0 means the file as a whole."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        """Say it as compilers do, so that editors jump there."""
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.text}" if where else self.text


class BadText(ValueError):
    """Policy that cannot be read or applied; `problems` says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems in the order in which a person reads them."""
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean …?", or what there is, so that whoever wrote `word` can go on."""
    words = sorted(set(known))
    lower = {each.lower(): each for each in words}
    close = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    if close:
        return f" Did you mean “{lower[close[0]]}”?"
    if not words:
        return " There is none yet."
    more = f" and {len(words) - 12} more" if len(words) > 12 else ""
    return f" There {'is' if len(words) == 1 else 'are'} {', '.join(words[:12])}{more}."
