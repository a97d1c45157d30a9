"""How the database is asked what a query selects."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from django.db import connection

_told: WeakSet[Any] = WeakSet()


def ask(sql: str, values: list[Any]) -> list[Any]:
    """Return all rows of a statement."""
    with connection.cursor() as cursor:
        _do_not_compile()
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _do_not_compile() -> None:
    """Tell PostgreSQL, once per connection, to compile no statement: that takes a second to save milliseconds."""
    raw = connection.connection
    if connection.vendor == "postgresql" and raw not in _told:
        raw.execute("SET jit = off")
        _told.add(raw)
