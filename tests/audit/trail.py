"""Writes a trail, and tampers with it as somebody who owns the database could."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from audit import triggers
from audit.actions import Subject, record
from audit.actor import Actor, system

ACTION = "audit.exported"


def write(count: int = 1, *, actor: Actor | None = None, **details: Any) -> None:
    """Write `count` entries, numbered in their subjects."""
    with transaction.atomic():
        for number in range(1, count + 1):
            subject = Subject("thing", str(number), f"Thing {number}")
            record(ACTION, actor=actor or system(), subject=subject, details=details)


@contextmanager
def as_owner() -> Iterator[CursorWrapper]:
    """Yield a cursor without triggers and foreign keys in its way; needs `fresh_database`."""
    postgresql = connection.vendor == "postgresql"
    triggers.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica" if postgresql else "PRAGMA foreign_keys = OFF")
        try:
            yield cursor
        finally:
            cursor.execute("SET session_replication_role = DEFAULT" if postgresql else "PRAGMA foreign_keys = ON")
    triggers.install(connection)
