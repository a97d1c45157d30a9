"""Tasks of the platform itself."""

from __future__ import annotations

from celery import shared_task


@shared_task
def wake() -> None:
    """Do nothing: a worker that was asked to stop looks up when a message comes."""
