"""Tasks of the platform itself."""

from __future__ import annotations

from celery import shared_task

from config import alarms


@shared_task
def wake() -> None:
    """Do nothing: a worker that was asked to stop looks up when a message comes."""


@shared_task
def sweep_late_jobs() -> int:
    """Write to the admins of jobs that are late."""
    return alarms.warn()
