"""What people read while the database cannot do its work: in words, with what to do, and nothing half done.

Every change is one transaction, so what was not acknowledged was not kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

RETRY_SECONDS = 30
# SQLite, PostgreSQL (class 53100).
_FULL = ("disk is full", "disk full", "no space left on device")
log = logging.getLogger(__name__)


class Outage:
    """Answers 503 with a page that asks the database for nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next one."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; what a view raises comes to `process_exception`."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for the database being away, or full; leave everything else to others."""
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        log.error("the database cannot do its work: %s", error)
        full = any(word in str(error).lower() for word in _FULL)
        if hasattr(request, "session"):
            # Saving it would fail as well, and hide this answer.
            request.session.modified = False
        page = get_template("503.html").render({"full": full, "wrote": request.method not in {"GET", "HEAD"}})
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"})
