"""When a flow may be used: a pure function of a window and a moment, across time zones and changes of the clock.

A window is {"start", "end" ("HH:MM"), "days" (names of days), "time_zone"}. The clock on the wall of its zone decides,
and nothing else: an hour that comes twice is open twice, one that is left out is not there. A window that ends at or
before its start goes on into the next day, and belongs to the day on which it began.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
Window = dict[str, Any]


def is_open(window: Window | None, at: datetime | None) -> bool:
    """Whether the window is open at an instant. No window is always open; an unknown zone or instant never."""
    if window is None:
        return True
    zone = _zone(window)
    if zone is None or at is None:
        return False
    wall = at.astimezone(zone).replace(tzinfo=None)
    return any(_holds(window, day, wall) for day in (wall.date() - timedelta(days=1), wall.date()))


def opens_at(window: Window | None, at: datetime) -> datetime | None:
    """Return when the window opens next, in its own zone; None when it is open, or never opens."""
    zone = _zone(window) if window else None
    if window is None or zone is None or is_open(window, at):
        return None
    today = at.astimezone(zone).date()
    # Today's may be over; so a week from now there is the same day again.
    for number in range(9):
        day = today + timedelta(days=number)
        start = _instant(datetime.combine(day, time.fromisoformat(window["start"])), zone)
        if DAYS[day.weekday()] in window["days"] and start.timestamp() > at.timestamp():
            return start
    return None


def opening_words(window: Window, at: datetime) -> str:
    """Return when it opens, as people say it: "opens Monday 08:00 Europe/Berlin"."""
    opening = opens_at(window, at)
    if opening is None:
        return f"is open {window['start']}–{window['end']} {window['time_zone']}"
    day = "today" if opening.date() == at.astimezone(opening.tzinfo).date() else f"{opening:%A}"
    return f"opens {day} {opening:%H:%M} {window['time_zone']}"


def _zone(window: Window) -> ZoneInfo | None:
    try:
        return ZoneInfo(window["time_zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _holds(window: Window, day: date, wall: datetime) -> bool:
    """Whether the window that begins on a day is open when the clock on the wall says so."""
    if DAYS[day.weekday()] not in window["days"]:
        return False
    start, end = time.fromisoformat(window["start"]), time.fromisoformat(window["end"])
    last = day if end > start else day + timedelta(days=1)
    return datetime.combine(day, start) <= wall < datetime.combine(last, end)


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clock on the wall says this time or, if that is left out, a later one."""
    first, last = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    if first >= last or first.astimezone(zone).replace(tzinfo=None) >= wall:
        # Every ordinary time, and the first of two.
        return last.astimezone(zone)
    while last - first > timedelta(seconds=1):
        middle = first + (last - first) / 2
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            last = middle
        else:
            first = middle
    return last.replace(microsecond=0).astimezone(zone)
