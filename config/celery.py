"""Celery: a doorbell. The truth of what is due is in the database."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("latchkey", task_cls="config.doorbell:DoorbellTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _refuse_bad_settings(**_: Any) -> None:
    """Stop a worker whose settings are wrong, before it does anything. Beat asks in its scheduler."""
    from config.checks import refuse_bad_settings  # noqa: PLC0415  # Django is not set up when this file is imported

    refuse_bad_settings()


worker_init.connect(_refuse_bad_settings)
