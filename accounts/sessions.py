"""Sessions in browsers, as requests and web sockets carry them: their clock, their key, and whose they are.

A session ends so many minutes after the last thing that was done in it, and so many hours after signing in whatever was
done. Both clocks stand in the session, on the server; what a page fetches by itself is not something that was done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import actions
from accounts.choices import SessionEnd
from accounts.clock import CLOCK, why_over
from accounts.models import BrowserSession, User

# How often what is done is written down.
_NOTED_EVERY = timedelta(minutes=1)


def begin(request: HttpRequest, user: User, how: str, address: str, at: datetime | None = None) -> None:
    """Begin the clock of a session in which somebody has just signed in."""
    now, before = at or timezone.now(), id_of(request)
    if before:
        # The same person signed in again. Django keeps the key then; it may be somebody's who planted it.
        request.session.cycle_key()
        actions.note_end(before, how=SessionEnd.REPLACED, at=now)
    key = str(request.session.session_key)
    row = actions.begin_session(
        user, key, how=how, address=address, agent=request.META.get("HTTP_USER_AGENT", ""), at=now
    )
    request.session[CLOCK] = {"id": str(row.pk), "began": now.isoformat(), "seen": now.isoformat()}


def id_of(request: HttpRequest) -> str:
    """Return the id of the session's row, "" where nobody is signed in."""
    clock = request.session.get(CLOCK)
    return str(clock["id"]) if isinstance(clock, dict) else ""


def end(request: HttpRequest, how: SessionEnd, at: datetime | None = None) -> None:
    """Note that somebody signed out, or was."""
    if id_of(request):
        actions.note_end(id_of(request), how=how, at=at)


def rotate(request: HttpRequest, change: Callable[[], Any] | None = None) -> None:
    """Give the session another key, as whenever it may do more than before; the old one is worth nothing.

    `change` is what changes the key, where something else does that. One that was ended meanwhile stays ended.
    """
    with transaction.atomic():
        mine = id_of(request)
        if mine:
            list(BrowserSession.objects.select_for_update(of=("self",)).filter(pk=mine))
        (change or request.session.cycle_key)()
        if mine and not actions.move_session(mine, str(request.session.session_key)):
            request.session.flush()
            request.user = AnonymousUser()


class SessionClock:
    """Signs out who did nothing for too long, or has been signed in for too long, before anything is done for them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand before the views."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let through, as whom the session says or as nobody."""
        if SESSION_KEY in request.session:
            self._look(request, timezone.now())
        return self.get_response(request)

    def _look(self, request: HttpRequest, now: datetime) -> None:
        over = why_over(request.session, now)
        if over is not None:
            end(request, over, now)
            request.session.flush()
            request.user = AnonymousUser()
            messages.info(request, _WORDS[over]())
            return
        clock = request.session.get(CLOCK)
        if not isinstance(clock, dict):
            # Signed in before there were clocks: it begins now.
            if isinstance(user := request.user, User):
                begin(request, user, "password", "", now)
        elif _is_done(request) and now >= datetime.fromisoformat(clock["seen"]) + _NOTED_EVERY:
            request.session[CLOCK] = {**clock, "seen": now.isoformat()}
            actions.note_seen(clock["id"], at=now)


_WORDS: dict[SessionEnd, Callable[[], str]] = {
    SessionEnd.TIME: lambda: f"You were signed out: a session lasts {settings.SESSION_HOURS} hours.",
    SessionEnd.IDLE: lambda: f"You were signed out: nothing was done here for {settings.SESSION_IDLE_MINUTES} minutes.",
}


def _is_done(request: HttpRequest) -> bool:
    """Whether a person does this: what a page's script fetches by itself keeps no session open."""
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    return request.method not in {"GET", "HEAD"} or mode == "navigate"
