"""My access: what I hold, what waits, what is over."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from access_requests import queries
from access_requests.views.common import me, page, page_number
from access_requests.views.rules import may_of

ENDED_AT_ONCE = 10


@page("GET", "HEAD")
def my_access(http: HttpRequest) -> HttpResponse:
    """Show what I hold now, what waits, and what ended."""
    return render_home(http)


def render_home(http: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    """Return the page; `problem` says why what was asked for was not done."""
    user = me(http)
    held = [(access, may_of(user, access, ())) for access in queries.held_by(user)]
    waiting = [(access, may_of(user, access, ())) for access in queries.waiting_of(user)]
    ended = queries.page_of(queries.ended_of(user), page_number(http), ENDED_AT_ONCE)
    context = {
        "now": timezone.now(),
        "held": held,
        "waiting": waiting,
        "ended": ended,
        "overdue": [access for access, _ in held if access.overdue_since],
        # Not of what is being revoked already: its end is due, and told as such.
        "next_end": next((access for access, may in held if access.ends_at and may.hand_back), None),
        "problem": problem,
    }
    return render(http, "portal/my_access.html", context, status=status)
