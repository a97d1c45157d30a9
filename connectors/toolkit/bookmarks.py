"""Where a sync stands in an inventory that the target answers in parts and pages, so that it can go on from there.

A page of ours is a page of the target's, or a piece of one: a bookmark is the part, the target's own token for the
page, and how many of what is on it were handed on already.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place in an inventory."""

    part: str
    token: str | None = None
    skip: int = 0

    def written(self) -> str:
        """Return it as a page's `resume`."""
        return json.dumps([self.part, self.token, self.skip], ensure_ascii=False, separators=(",", ":"))


def read(resume: str, parts: Collection[str]) -> Bookmark | None:
    """Return what was written; None for what cannot be understood, or is in a part that is no more."""
    with suppress(ValueError, TypeError):
        part, token, skip = json.loads(resume)
        if part in parts and isinstance(skip, int) and skip >= 0 and (token is None or isinstance(token, str)):
            return Bookmark(part, token, skip)
    return None


def pieces(
    answers: Iterable[dict[str, Any]],
    following: str,
    rows: Callable[[dict[str, Any]], list[Row]],
    here: Bookmark,
    size: int,
) -> Iterator[tuple[list[Row], str]]:
    """Yield at most `size` rows at a time, each with where to go on after them.

    `answers` begin with the page at `here.token`; each has the token of the next in its key `following`.
    """
    token, skip = here.token, here.skip
    for answer in answers:
        found, after = rows(answer), answer.get(following) or None
        for first in range(skip, len(found), size):
            few = found[first : first + size]
            last = first + size >= len(found) and after is not None
            resume = Bookmark(here.part, after) if last else Bookmark(here.part, token, first + len(few))
            yield few, resume.written()
        token, skip = after, 0
