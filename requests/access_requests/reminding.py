"""When an end is announced: the longer access lasts, the sooner and the oftener. Pure functions of times."""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# From this length on, so long before the end; nothing shorter than the first is announced.
SCALE: tuple[tuple[timedelta, tuple[timedelta, ...]], ...] = (
    (20 * _MINUTE, (5 * _MINUTE,)),
    (_HOUR, (10 * _MINUTE,)),
    (8 * _HOUR, (15 * _MINUTE,)),
    (_DAY, (_HOUR,)),
    (7 * _DAY, (_DAY, _HOUR)),
    (30 * _DAY, (7 * _DAY, _DAY, _HOUR)),
)


def reminders(length: timedelta) -> tuple[timedelta, ...]:
    """Return how long before its end access of this length is announced to end, the longest first."""
    found: tuple[timedelta, ...] = ()
    for least, before in SCALE:
        if length >= least:
            found = before
    return found


def next_reminder(began: datetime, ends: datetime | None, after: datetime) -> datetime | None:
    """Return when the next letter about an end is due, later than `after`; None when there is none, or no end."""
    if ends is None:
        return None
    due = sorted(ends - before for before in reminders(ends - began))
    return next((one for one in due if one > after), None)


def near(began: datetime, ends: datetime, at: datetime) -> bool:
    """Whether the end is so near that pages say so: from the last letter about it on, or the last five minutes."""
    last = min(reminders(ends - began), default=5 * _MINUTE)
    return at >= ends - last
