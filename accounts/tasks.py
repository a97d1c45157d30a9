"""Doors for the timetable."""

from __future__ import annotations

from importlib import import_module

from celery import shared_task
from django.conf import settings

from accounts import actions, events
from accounts.models import Change


@shared_task
def deliver_changes() -> int:
    """Tell the news of people and groups that was not told on commit."""
    return events.deliver(Change)


@shared_task
def sweep_letters() -> int:
    """Send the letters that are due."""
    return actions.send_letters()


@shared_task
def sweep_old_letters() -> int:
    """Empty the letters that are old."""
    return actions.tidy_letters()


@shared_task
def sweep_tokens() -> int:
    """Remove tokens that are long over, and answers kept for repeats."""
    return actions.tidy_tokens()


@shared_task
def sweep_leaving() -> int:
    """Disable the people from outside who were to leave by now."""
    return actions.sweep_leaving()


@shared_task
def sweep_sessions() -> None:
    """Delete the sessions that are over: also of strangers, who get one by beginning to sign in."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    actions.sweep_sessions()
