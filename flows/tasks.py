"""Doors for Celery."""

from __future__ import annotations

from celery import shared_task

from accounts import events
from flows.models import Change


@shared_task
def deliver_changes() -> int:
    """Deliver news that a lost message left behind."""
    return events.deliver(Change)
