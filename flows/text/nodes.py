"""The kinds of values a policy's text has: each is read with errors that say where, and written back.

`read` makes a plain value in one form only (lists whose order means nothing are sorted), so that equal policy is
equal. `tree` writes it anew; `merge` writes it over what an author wrote, and keeps what already says the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from flows.decision import words_for
from flows.text.loading import quoted, written
from flows.text.problems import Problem, nearest

Path = tuple[str | int, ...]
# Wrong; the book says why. Told apart from every value, also from None.
NOTHING: Any = object()
ENDLESS = "without an end"


@dataclass
class Book:
    """What is found while a file is read: where each part stands, and what is wrong."""

    file: str = ""
    # What may be named, by kind; nothing here means that it is not looked up.
    known: Mapping[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    marks: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def wrong(self, path: Path, text: str) -> Any:
        """Note a problem with the part; returns NOTHING."""
        self.problems.append(self.problem(path, text))
        return NOTHING

    def problem(self, path: Path, text: str) -> Problem:
        """Return a problem with the part, or with the nearest part around it that stands in the file."""
        while path and path not in self.marks:
            path = path[:-1]
        line, column = self.marks.get(path, (0, 0))
        return Problem(self.file, line + 1, column + 1, text)


def canonical(plain: Any) -> str:
    """Return one text for equal data; unlike Python's equality it tells 1, 1.0 and true apart."""
    return json.dumps(plain, sort_keys=True)


class Node:
    """A value; `default` is what is meant where nothing is said, `quiet` leaves the default unsaid."""

    def __init__(self, *, default: Any = NOTHING, quiet: bool = False) -> None:
        """Keep both."""
        self.default, self.quiet = default, quiet

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return the plain value, or NOTHING after telling the book why not."""
        raise NotImplementedError

    def tree(self, plain: Any) -> Any:
        """Return the value as YAML has it."""
        return plain

    def merge(self, old: Any, plain: Any) -> Any:
        """Return `old` if it says `plain`, or as much of it as does."""
        return old if self.says(old, plain) else self.tree(plain)

    def says(self, old: Any, plain: Any) -> bool:
        """Whether what an author wrote means `plain`."""
        book = Book()
        found = self.read(old, (), book)
        return not book.problems and canonical(found) == canonical(plain)


class Text(Node):
    """Text; `refers` is the kind of thing it names, `needed` that it must not be empty."""

    def __init__(self, length: int = 0, *, refers: str = "", needed: bool = False, **more: Any) -> None:
        """Keep what bounds it."""
        super().__init__(**more)
        self.length, self.refers, self.needed = length, refers, needed

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return the text. What YAML takes for a number, a date, true or false wants quotes."""
        if not isinstance(value, str):
            found = "nothing" if value is None else f"“{value}”, which YAML does not take for text"
            return book.wrong(path, f"Write text here, in quotes: found {found}.")
        text = str(value)
        if "\x00" in text or not _encodes(text):
            return book.wrong(path, "Remove the character that no text can hold (NUL, half a surrogate pair).")
        if self.needed and not text.strip():
            return book.wrong(path, "Write something here.")
        if self.length and len(text) > self.length:
            return book.wrong(path, f"This is longer than {self.length} characters.")
        names = book.known.get(self.refers)
        if names is not None and text not in names:
            return book.wrong(path, f"There is no {self.refers} “{text}”.{nearest(text, names)}")
        return text

    def tree(self, plain: Any) -> Any:
        """Return it as a block if it has several lines."""
        return written(plain)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Flag(Node):
    """True or false."""

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return it."""
        if isinstance(value, bool):
            return bool(value)
        return book.wrong(path, f"Write true or false here, not “{value}”.")


class Number(Node):
    """A whole number from `least` to `most`."""

    def __init__(self, least: int, most: int, **more: Any) -> None:
        """Keep the bounds."""
        super().__init__(**more)
        self.least, self.most = least, most

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return it."""
        if isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most:
            return int(value)
        return book.wrong(path, f"Write a whole number from {self.least} to {self.most} here, not “{value}”.")


class Choice(Node):
    """One of some words."""

    def __init__(self, *words: str, **more: Any) -> None:
        """Keep the words."""
        super().__init__(**more)
        self.words = words

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return the word."""
        if isinstance(value, str) and str(value) in self.words:
            return str(value)
        return book.wrong(path, f"“{value}” is none of {', '.join(self.words)}.{_meant(value, self.words)}")


def _meant(value: Any, words: tuple[str, ...]) -> str:
    told = nearest(str(value), words)
    return told if "mean" in told else ""


class Shaped(Text):
    """Text of a certain shape; `told` says which, and `right` looks closer than a pattern can."""

    def __init__(self, pattern: str, told: str, right: Callable[[str], bool] = bool, **more: Any) -> None:
        """Keep the pattern."""
        super().__init__(**more)
        self.pattern, self.told, self.right = re.compile(pattern), told, right

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return the text."""
        text = super().read(value, path, book)
        if text is NOTHING or (self.pattern.fullmatch(text) and self.right(text)):
            return text
        return book.wrong(path, f"“{text}” is not {self.told}.")


_UNITS = {"d": 86400, "h": 3600, "min": 60, "s": 1}
_WORDS = {
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("h", "hour", "hours"), "h"),
    **dict.fromkeys(("min", "minute", "minutes"), "min"),
    **dict.fromkeys(("s", "second", "seconds"), "s"),
}
_PIECE = re.compile(r"([0-9]{1,6}) ?([a-z]+)")


class Duration(Node):
    """A time as people write it: "8 h", "1 h 30 min"; in whole `step` seconds. `endless`: may be without an end."""

    def __init__(self, step: int = 60, *, endless: bool = False, most: int = 0, **more: Any) -> None:
        """Keep the bounds, in seconds."""
        super().__init__(**more)
        self.step, self.endless, self.most = step, endless, most

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return seconds, or None for without an end."""
        if self.endless and value == ENDLESS:
            return None
        seconds = _seconds(value) if isinstance(value, str) else 0
        if not seconds:
            end = f" or “{ENDLESS}”" if self.endless else ""
            return book.wrong(path, f"Write a time like “8 h” or “1 h 30 min”{end} here, not “{value}”.")
        if seconds % self.step:
            return book.wrong(path, f"“{value}” is not in whole {'hours' if self.step == 3600 else 'minutes'}.")
        if self.most and seconds > self.most:
            return book.wrong(path, f"“{value}” is longer than {words_for(self.most)}, which is the most.")
        return seconds

    def tree(self, plain: Any) -> Any:
        """Return it in words."""
        return ENDLESS if plain is None else words_for(plain)


def _seconds(text: str) -> int:
    """Return the seconds, or 0 for what is no time. Units go from long to short, each once."""
    pieces = _PIECE.findall(text)
    units = [_WORDS.get(unit, "") for _, unit in pieces]
    places = [list(_UNITS).index(unit) for unit in units if unit]
    whole = _PIECE.sub("", text).strip() == "" and len(places) == len(pieces)
    if not whole or places != sorted(set(places)):
        return 0
    return sum(int(number) * _UNITS[unit] for (number, _), unit in zip(pieces, units, strict=True))


class Json(Node):
    """Any plain data: what JSON can say."""

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return it as plain Python data."""
        if value is None or isinstance(value, bool):
            return value
        for plain in (str, int, float):
            if isinstance(value, plain):
                return self._scalar(plain(value), path, book)
        if isinstance(value, CommentedSeq):
            items = [self.read(one, _at(value, path, place, book), book) for place, one in enumerate(value)]
            return NOTHING if any(one is NOTHING for one in items) else items
        if isinstance(value, CommentedMap):
            found = {self._key(key, path, book): self.read(one, (*path, key), book) for key, one in value.items()}
            return NOTHING if NOTHING in (*found, *found.values()) else found
        return book.wrong(path, f"Write “{value}” in quotes: JSON knows no such value.")

    def _scalar(self, value: str | int | float, path: Path, book: Book) -> Any:
        if isinstance(value, str):
            return Text().read(value, path, book)
        if isinstance(value, float) and json.dumps(value) in {"NaN", "Infinity", "-Infinity"}:
            return book.wrong(path, "JSON knows no such number.")
        return value

    def _key(self, key: Any, path: Path, book: Book) -> Any:
        return str(key) if isinstance(key, str) else book.wrong(path, f"Write the key “{key}” in quotes.")

    def tree(self, plain: Any) -> Any:
        """Return the data as YAML has it."""
        if isinstance(plain, dict):
            return CommentedMap({quoted(key): self.tree(plain[key]) for key in plain})
        if isinstance(plain, list):
            return CommentedSeq([self.tree(one) for one in plain])
        return written(plain) if isinstance(plain, str) else plain


def _at(sequence: Any, path: Path, place: int, book: Book) -> Path:
    """Note where an item of a list stands."""
    if sequence.lc.data:
        book.marks[*path, place] = sequence.lc.item(place)
    return (*path, place)
