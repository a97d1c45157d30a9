"""Reports as CSV, piece by piece, so that memory does not grow; each says behind which row the next begins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from django.db.models import QuerySet

from access_requests.models import AccessRequest
from access_requests.reports import fields, rows
from audit import export as trail

PAGE = 500


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows as text, and the cursor behind them. Without rows there is nothing more."""

    text: str
    rows: int
    cursor: str


class Sheet(Protocol):
    """A report that can be written piece by piece, and gone on with behind a cursor."""

    def header(self) -> str:
        """Return the first line."""
        ...

    def count(self) -> int:
        """Return how many rows there will be."""
        ...

    def piece(self, cursor: str) -> Piece:
        """Return the rows behind a cursor; the first ones behind an empty one."""
        ...


@dataclass(frozen=True, slots=True)
class ActivitySheet:
    """Requests with the fields of a report, newest first."""

    selected: QuerySet[AccessRequest]
    columns: Sequence[str] = fields.NAMES

    def header(self) -> str:
        """Return the names of the fields."""
        return trail.written([self.columns])

    def count(self) -> int:
        """Count in the database."""
        return self.selected.count()

    def piece(self, cursor: str) -> Piece:
        """Return the requests behind one that was written last."""
        page = list(rows.in_detail(rows.older(self.selected, rows.Place.read(cursor)))[:PAGE])
        text = trail.written([fields.cells(line, self.columns) for line in fields.lines(page)] if page else [])
        return Piece(text, len(page), str(rows.Place.of(page[-1])) if page else cursor)


@dataclass(frozen=True, slots=True)
class TrailSheet:
    """Entries of the audit trail with all their fields, oldest first, up to those there were at the beginning."""

    entries: QuerySet[Any]

    def header(self) -> str:
        """Return the names of the fields."""
        return trail.written([trail.HEADER])

    def count(self) -> int:
        """Count in the database."""
        return self.entries.count()

    def piece(self, cursor: str) -> Piece:
        """Return the entries behind "last/newest"; the first piece settles which entry is the newest."""
        last, _, newest = (cursor or f"0/{trail.newest(self.entries)}").partition("/")
        page = trail.page(self.entries, int(last), int(newest))
        return Piece(page.text, page.rows, f"{page.last}/{newest}")


def pieces(sheet: Sheet) -> Iterator[bytes]:
    """Yield a whole sheet."""
    yield sheet.header().encode()
    piece = sheet.piece("")
    while piece.rows:
        yield piece.text.encode()
        piece = sheet.piece(piece.cursor)


async def stream(waiting: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what an iterator yields, without holding up the event loop."""
    while piece := await sync_to_async(_next)(waiting):
        yield piece


def _next(waiting: Iterator[bytes]) -> bytes:
    """Return the next piece, or nothing after the last: StopIteration cannot pass through a coroutine."""
    return next(waiting, b"")
