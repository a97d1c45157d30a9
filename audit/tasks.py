"""Doors for the timetable."""

from __future__ import annotations

from celery import shared_task

from audit import actions


@shared_task
def seal() -> int:
    """Chain up to 5000 entries and return how many; in small batches, for on SQLite nobody else writes meanwhile."""
    sealed = 0
    for _ in range(10):
        count = actions.seal(limit=500)
        sealed += count
        if count < 500:
            break
    return sealed
