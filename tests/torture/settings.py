"""The product's settings with one thing a test can turn while a process runs: its clock.

LATCHKEY_TORTURE_CLOCK names a file with seconds that are added to the time. Production code does not know it.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

from config.settings import *  # noqa: F403

_now = timezone.now
_CLOCK = os.environ.get("LATCHKEY_TORTURE_CLOCK", "")


def shifted_now() -> datetime:
    """Return the time as this process believes it to be."""
    try:
        return _now() + timedelta(seconds=int(Path(_CLOCK).read_text() or 0))
    except FileNotFoundError:
        return _now()


if _CLOCK:
    timezone.now = shifted_now
