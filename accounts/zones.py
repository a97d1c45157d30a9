"""The time zones there are. Python walks its files for them at every call, which takes milliseconds."""

from __future__ import annotations

import zoneinfo
from functools import cache


@cache
def names() -> frozenset[str]:
    """Return the names of all time zones, as they were when this process first asked."""
    return frozenset(zoneinfo.available_timezones())
