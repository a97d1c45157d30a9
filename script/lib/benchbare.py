"""The bare way of what we do: the very statements of one call, sent again by raw psycopg on a connection of its own.

What one call did is rolled back, and so is each time it is sent again: the same rows can be written again and again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext


def statements(do: Callable[[], Any]) -> list[str]:
    """Return what `do` sends to the database, with what follows a commit; nothing of it stays."""
    with CaptureQueriesContext(connection) as sent, transaction.atomic():
        with TestCase.captureOnCommitCallbacks(execute=True):
            do()
        transaction.set_rollback(True)
    # The first and the last are of the transaction around it.
    return [one["sql"] for one in sent.captured_queries][1:-1]


def replay(sent: list[str], times: int) -> float:
    """Send the statements so many times, each in a transaction that is rolled back; return the seconds it took."""
    chosen = connection.settings_dict
    with psycopg.connect(
        host=chosen["HOST"], port=chosen["PORT"], user=chosen["USER"], dbname=chosen["NAME"], autocommit=True
    ) as bare:
        began = time.perf_counter()
        for _ in range(times):
            bare.execute("BEGIN")
            for text in sent:
                bare.execute(text.encode())
            bare.execute("ROLLBACK")
        return time.perf_counter() - began


def seconds(do: Callable[[], Any]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
