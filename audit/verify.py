"""Walks the trail and says whether anything was changed behind its back. Reads only, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Exists, OuterRef

from audit import chain, queries, triggers
from audit.models import AuditEntry, AuditSeal, UnsealedEntry

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Break:
    """Something that is not as it was written; `sequence` and `entry_id` where they are known."""

    what: str
    sequence: int | None = None
    entry_id: int | None = None

    def __str__(self) -> str:
        """Say where and what."""
        places = [("link", self.sequence), ("entry", self.entry_id)]
        where = ", ".join(f"{name} {number}" for name, number in places if number is not None)
        return f"{where}: {self.what}" if where else self.what


@dataclass(slots=True)
class Report:
    """What a walk found. `breaks` begins with the first broken link, if one is broken."""

    links: int = 0
    head: tuple[int, str] = (0, chain.NO_DIGEST)
    unsealed: int = 0
    breaks: list[Break] = field(default_factory=list)


def verify(expected_head: tuple[int, str] | None = None) -> Report:
    """Walk the whole chain and what surrounds it.

    Without `expected_head`, a head noted earlier and kept elsewhere, a tail that was cut off together with its entries
    and a chain that was computed anew from some link on cannot be told from a shorter or a different history.
    """
    report = Report(head=queries.head(), unsealed=queries.unsealed_count())
    found = [_walk(report), _outside(), _lost_while_waiting(), _unguarded()]
    if expected_head is not None:
        found.append(_compare_head(*expected_head))
    report.breaks = [problem for problem in found if problem is not None]
    return report


def _links() -> Iterator[tuple[AuditSeal, AuditEntry | None]]:
    """Yield the seals in order, each with its entry, or None where that is gone."""
    last = None
    while True:
        later = AuditSeal.objects.order_by("sequence")
        page = list(later[:_PAGE] if last is None else later.filter(sequence__gt=last)[:_PAGE])
        if not page:
            return
        # Not by a join, which would pass over a seal whose entry is gone.
        entries = AuditEntry.objects.in_bulk([seal.entry_id for seal in page])
        for seal in page:
            yield seal, entries.get(seal.entry_id)
        last = page[-1].sequence


def _walk(report: Report) -> Break | None:
    """Count the links and return the first that is broken."""
    previous, expected, links = chain.NO_DIGEST, 1, _links()
    for seal, entry in links:
        if seal.sequence != expected:
            what = "the seal is missing" if seal.sequence > expected else "a seal that was never made here"
            return Break(what, min(seal.sequence, expected))
        if entry is None:
            return Break("the entry was deleted", seal.sequence, seal.entry_id)
        if chain.link(previous, seal.sequence, seal.sealed_at, entry) != seal.digest:
            return Break(_difference(previous, seal, entry, next(links, None)), seal.sequence, seal.entry_id)
        previous, expected = seal.digest, expected + 1
        report.links += 1
    return None


def _difference(
    previous: str, seal: AuditSeal, entry: AuditEntry, following: tuple[AuditSeal, AuditEntry | None] | None
) -> str:
    """Say what was changed at a broken link, as far as the link after it tells."""
    if following is not None and following[1] is not None:
        after, neighbour = following[0], following[1]
        computed = chain.link(previous, seal.sequence, seal.sealed_at, entry)
        if chain.link(computed, after.sequence, after.sealed_at, neighbour) == after.digest:
            return "the digest of the seal was changed"
        if chain.link(previous, seal.sequence, seal.sealed_at, neighbour) == seal.digest:
            return f"the order was changed: entry {neighbour.pk} belongs here"
    return "the content of the entry, its number in the chain or the time of its seal was changed"


def _outside() -> Break | None:
    """Return the first entry that is neither sealed nor waiting: its seal, or its place in the queue, was removed."""
    seal, waiting = AuditSeal.objects.filter(entry=OuterRef("pk")), UnsealedEntry.objects.filter(entry=OuterRef("pk"))
    entry = AuditEntry.objects.filter(~Exists(seal), ~Exists(waiting)).order_by("id").first()
    return None if entry is None else Break("neither sealed nor waiting: its seal was deleted", entry_id=entry.pk)


def _lost_while_waiting() -> Break | None:
    """Return the first waiting entry that is gone."""
    entries = AuditEntry.objects.filter(pk=OuterRef("entry_id"))
    lost = UnsealedEntry.objects.filter(~Exists(entries)).order_by("entry_id").first()
    return None if lost is None else Break("the entry was deleted before it was sealed", entry_id=lost.entry_id)


def _unguarded() -> Break | None:
    """Return a break when the database would let entries be changed."""
    absent = triggers.missing(connection)
    return Break(f"the append-only triggers are missing or altered: {', '.join(absent)}") if absent else None


def _compare_head(sequence: int, digest: str) -> Break | None:
    """Return a break when the chain does not run through the link that was noted earlier."""
    if (sequence, digest) == (0, chain.NO_DIGEST):
        # Noted before the first link.
        return None
    seal = AuditSeal.objects.filter(sequence=sequence).first()
    if seal is None:
        last, _ = queries.head()
        return Break(f"the link that was noted is gone: the chain was cut off behind link {last}", sequence)
    if seal.digest != digest:
        return Break("the digest is not the one that was noted: the chain was computed anew", sequence, seal.entry_id)
    return None
