"""What every template may ask of the platform."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from config import watchdog


def system(request: HttpRequest) -> dict[str, Any]:
    """Give templates `system_warnings`: jobs of the timetable that are late. Read only by pages that show it."""
    return {"system_warnings": SimpleLazyObject(watchdog.late)}
