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


@shared_task
def run_exports() -> int:
    """Write exports that wait, for a while."""
    return actions.run_exports()


@shared_task
def sweep_reports() -> int:
    """Start the reports that are due."""
    return actions.sweep_reports()


@shared_task
def sweep_expired_exports() -> int:
    """Remove exports that were kept long enough."""
    return actions.sweep_expired()
