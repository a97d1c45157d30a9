"""The only writers of the trail: declare what can be recorded, record it, seal it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from audit import chain
from audit import details as contents
from audit.actor import Actor
from audit.choices import ACTIONS
from audit.details import BadDetails
from audit.models import AuditEntry, AuditSeal, UnsealedEntry

__all__ = ["BadDetails", "NotInTransaction", "Subject", "UnknownAction", "declare", "record", "seal"]

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
# Any number will do, as long as nothing else takes this advisory lock ("audit" in ASCII).
_SEALER_LOCK = 0x6175646974
# Rows per statement, well under SQLite's limit of parameters.
_AT_ONCE = 1000


class UnknownAction(LookupError):
    """An action that no app has declared."""


class NotInTransaction(RuntimeError):
    """An entry was to be written outside the transaction of the change it tells of."""


@dataclass(frozen=True)
class Subject:
    """What an entry is about: a snapshot. `type` is a plain word such as "user" or "request"."""

    type: str
    id: str
    name: str


def declare(actions: Mapping[str, str]) -> None:
    """Add actions ("noun.verb") and their words to the register; called from an app's ready().

    Declaring the same again changes nothing. Raises ValueError for a badly formed name or for other words.
    """
    for name, words in actions.items():
        if not _NAME.fullmatch(name) or len(name) > 80:
            raise ValueError(f"An audit action is named noun.verb in lower case, not {name!r}.")
        if ACTIONS.setdefault(name, words) != words:
            raise ValueError(f"The audit action {name!r} is already declared as {ACTIONS[name]!r}.")


def record(
    action: str,
    *,
    actor: Actor,
    subject: Subject,
    details: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """Write one entry in the caller's transaction, so that change and entry stand or fall together.

    Raises UnknownAction, NotInTransaction, BadDetails (see audit.details).
    """
    if action not in ACTIONS:
        raise UnknownAction(f"No app has declared the audit action {action!r}; see audit.actions.declare.")
    if not connection.in_atomic_block:
        raise NotInTransaction(f"Recording {action!r} needs the transaction of the change: wrap both in atomic().")
    AuditEntry.objects.create(
        operation=actor.operation,
        at=at or timezone.now(),
        action=action,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=contents.clean_text(actor.name)[:200],
        actor_email=contents.clean_text(actor.email)[:254],
        source=actor.source,
        subject_type=subject.type,
        subject_id=subject.id,
        subject_name=contents.clean_text(subject.name)[:300],
        details=contents.checked(details or {}),
    )


def seal(*, at: datetime | None = None, limit: int = 5000) -> int:
    """Chain up to `limit` committed entries, oldest first, and return how many; 0 when another sealer is at work.

    The order of the chain is the order in which a sealer first saw the entries committed, then their number.
    """
    with transaction.atomic():
        if not _only_sealer():
            return 0
        entries = list(AuditEntry.objects.filter(unsealed__isnull=False).order_by("unsealed__entry_id")[:limit])
        last = AuditSeal.objects.order_by("-sequence").first()
        digest, sequence = (last.digest, last.sequence) if last else (chain.NO_DIGEST, 0)
        now = at or timezone.now()
        seals = []
        for entry in entries:
            sequence += 1
            digest = chain.link(digest, sequence, now, entry)
            seals.append(AuditSeal(sequence=sequence, entry=entry, digest=digest, sealed_at=now))
        AuditSeal.objects.bulk_create(seals, batch_size=_AT_ONCE)
        for start in range(0, len(entries), _AT_ONCE):
            UnsealedEntry.objects.filter(entry__in=entries[start : start + _AT_ONCE]).delete()
    return len(seals)


def _only_sealer() -> bool:
    """Whether this transaction may seal; the right ends with it."""
    if connection.vendor != "postgresql":
        # SQLite: atomic() began IMMEDIATE, so this transaction is the only writer.
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEALER_LOCK])
        return bool(cursor.fetchone()[0])
