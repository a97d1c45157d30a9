"""The clocks of a session in a browser. They stand in the session itself, on the server."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.choices import SessionEnd

# Holds the id of the session's row, when it began and when something was done in it last.
CLOCK = "accounts.session"


def why_over(session: Any, at: datetime) -> SessionEnd | None:
    """Return why a session is over by its clocks, None for one that goes on."""
    clock = session.get(CLOCK)
    if not isinstance(clock, dict):
        return None
    if at >= datetime.fromisoformat(clock["began"]) + timedelta(hours=settings.SESSION_HOURS):
        return SessionEnd.TIME
    if at >= datetime.fromisoformat(clock["seen"]) + timedelta(minutes=settings.SESSION_IDLE_MINUTES):
        return SessionEnd.IDLE
    return None
