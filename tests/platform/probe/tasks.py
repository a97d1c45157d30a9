"""Tasks that leave a file behind: its name says which, its content when they began."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from asgiref.sync import async_to_sync
from celery import shared_task
from channels.layers import get_channel_layer
from django.conf import settings


def folder() -> Path:
    """Return where the files are."""
    path = Path(settings.DATA) / "probe"
    path.mkdir(exist_ok=True)
    return path


@shared_task
def mark(name: str, seconds: float = 0) -> None:
    """Write when it began, and in which kind of thread, after `seconds`."""
    began = time.time()
    time.sleep(seconds)
    (folder() / name).write_text(f"{began} {threading.current_thread().name}")


@shared_task
def tick() -> None:
    """Count rings of the timetable."""
    with (folder() / "ticks").open("a") as file:
        file.write(f"{time.time()}\n")


@shared_task
def shout(count: int) -> None:
    """Send the time to the group `probe`, a few times, with pauses in which the server falls asleep."""
    for _ in range(count):
        layer = get_channel_layer()
        assert layer is not None
        async_to_sync(layer.group_send)("probe", {"type": "shout", "at": time.time()})
        time.sleep(0.13)
