"""What is said of a query that is none."""

from __future__ import annotations


class BadQuery(ValueError):
    """A text that is no query; the message says it all in one or two sentences.

    `line` and `column` count from 1. `found` is what stands there, "" at the end of the text. `expected` is what may
    stand there, as words; `suggestion` is what to write instead, "" where nothing is near.
    """

    def __init__(  # noqa: PLR0917  # one caller: at()
        self, line: int, column: int, found: str, expected: tuple[str, ...], suggestion: str, message: str
    ) -> None:
        """Keep what is said."""
        super().__init__(message)
        self.line, self.column = line, column
        self.found, self.expected, self.suggestion = found, expected, suggestion
        self.message = message


FOUND_MAX = 60


def at(  # noqa: PLR0917  # as it is read: where, what, instead of what
    text: str, start: int, found: str, expected: tuple[str, ...] = (), suggestion: str = "", why: str = ""
) -> BadQuery:
    """Return the error at a place of the text. `why` is a sentence in place of "found …, expected …"."""
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    shown = shortened(found)
    what = why or f"found {shown or 'the end of the query'}, expected {spoken(expected)}."
    advice = f" Did you mean {suggestion}?" if suggestion else ""
    message = f"Line {line}, column {column}: {what}{advice}"
    return BadQuery(line, column, shown, expected, suggestion, message)


def shortened(found: str) -> str:
    """Return what was found, cut to what one reads."""
    return found if len(found) <= FOUND_MAX else f"{found[:FOUND_MAX]}…"


def spoken(words: tuple[str, ...]) -> str:
    """Return words as a list that people read."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"
