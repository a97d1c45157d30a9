"""Doors for Celery: ten lines at most each."""

from __future__ import annotations

from celery import shared_task

from access_requests import actions


@shared_task
def sweep() -> int:
    """End, dispatch and lapse what is due."""
    return actions.sweep()


@shared_task
def sweep_cleanups() -> int:
    """Remove logins left behind."""
    return actions.sweep_cleanups()
