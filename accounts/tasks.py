"""Doors for the timetable."""

from __future__ import annotations

from celery import shared_task

from accounts import events
from accounts.models import Change


@shared_task
def deliver_changes() -> int:
    """Tell the news of people and groups that was not told on commit."""
    return events.deliver(Change)
