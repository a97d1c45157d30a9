"""What every template may ask of the platform."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from config import watchdog


def system(request: HttpRequest) -> dict[str, Any]:
    """Give templates `system_warnings`, jobs of the timetable that are late (read only by pages that show them).

    And `version`, which version of Latchkey this is.
    """
    return {"system_warnings": SimpleLazyObject(watchdog.late), "version": _version()}


@cache
def _version() -> str:
    """Return the version that is installed, or nothing where it is not known."""
    try:
        return metadata.version("latchkey")
    except metadata.PackageNotFoundError:
        return ""
