"""Spans of time as people name them: the last N hours, days or months, or between two days."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from accounts.models import User

HOUR, DAY, MONTH = "hour", "day", "month"
UNITS = ((HOUR, "hours"), (DAY, "days"), (MONTH, "months"))


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` to before `until`."""

    since: datetime
    until: datetime


def zone_of(user: User) -> ZoneInfo:
    """Return the person's time zone, or UTC."""
    try:
        return ZoneInfo(user.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def last(count: int, unit: str, at: datetime, zone: ZoneInfo, *, whole: bool = False) -> Span:
    """Return the last `count` hours, days or months before `at`.

    With `whole` only hours, days or months that are over count: "the last month" is then the calendar month before.
    Days and months are the zone's, so that a day in which the clocks change is one day.
    """
    end = _begin(at.astimezone(zone), unit) if whole else at.astimezone(zone)
    return Span(_back(end, count, unit).astimezone(UTC), end.astimezone(UTC))


def between(first: date | None, final: date | None, at: datetime, zone: ZoneInfo) -> Span:
    """Return the time between two days of the zone, both included; from one on until `at`, or a year up to one."""
    until = _midnight(final + timedelta(days=1), zone) if final else at
    since = _midnight(first, zone) if first else _back(until.astimezone(zone), 12, MONTH)
    return Span(since.astimezone(UTC), until.astimezone(UTC))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _begin(local: datetime, unit: str) -> datetime:
    """Return the beginning of the hour, day or month."""
    if unit == HOUR:
        return local.replace(minute=0, second=0, microsecond=0)
    day = local.date().replace(day=1) if unit == MONTH else local.date()
    return datetime.combine(day, time.min, local.tzinfo)


def _back(local: datetime, count: int, unit: str) -> datetime:
    """Return the same time of day so many days or months earlier; hours are counted as they pass."""
    if unit == HOUR:
        return (local.astimezone(UTC) - timedelta(hours=count)).astimezone(local.tzinfo)
    if unit == DAY:
        return local - timedelta(days=count)
    months = local.year * 12 + local.month - 1 - count
    year, month = divmod(months, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)
