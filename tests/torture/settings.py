"""The product's settings with two things a test can turn while a process runs: its clock, and the size of its disk.

LATCHKEY_TORTURE_CLOCK names a file with seconds that are added to the time; LATCHKEY_TORTURE_PAGES one with the number
of pages SQLite may have. Production code knows neither.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db.backends.signals import connection_created
from django.utils import timezone

from config.settings import *  # noqa: F403

_now = timezone.now
_CLOCK = os.environ.get("LATCHKEY_TORTURE_CLOCK", "")
_PAGES = os.environ.get("LATCHKEY_TORTURE_PAGES", "")
PLENTY = 2**30


def _number(path: str, otherwise: int) -> int:
    """Return the number in a file, or what is usual where there is none."""
    try:
        return int(Path(path).read_text() or otherwise)
    except (FileNotFoundError, ValueError):
        return otherwise


def shifted_now() -> datetime:
    """Return the time as this process believes it to be."""
    return _now() + timedelta(seconds=_number(_CLOCK, 0))


def _limit(execute: Any, statement: Any, params: Any, many: Any, context: Any) -> Any:
    """Tell SQLite before each statement how many pages it may have."""
    context["connection"].connection.execute(f"PRAGMA max_page_count = {_number(_PAGES, PLENTY)}")
    return execute(statement, params, many, context)


def _watch(connection: Any, **_: Any) -> None:
    if _limit not in connection.execute_wrappers:
        connection.execute_wrappers.append(_limit)


if _CLOCK:
    timezone.now = shifted_now
if _PAGES:
    connection_created.connect(_watch, weak=False)
