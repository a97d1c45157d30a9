"""Where one is signed in, and ending it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions
from accounts.models import BrowserSession, User
from accounts.queries import open_sessions
from accounts.sessions import id_of
from audit.actor import person
from audit.choices import Source

AT_ONCE = 25
_HOW = {"password": "with a password", "link": "by a one-time link", "oidc": "by single sign-on"}
# The first that fits: browsers name those they descend from as well.
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@require_http_methods(["GET", "HEAD"])
@never_cache
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """List where one is signed in, this session first."""
    user, now, mine = cast(User, request.user), timezone.now(), id_of(request)
    page = Paginator(open_sessions(user, now), AT_ONCE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": sorted((_shown(one, mine) for one in page), key=lambda row: not row["this"]),
        "others": page.paginator.count - 1,
        "idle": settings.SESSION_IDLE_MINUTES,
        "hours": settings.SESSION_HOURS,
        "now": now,
    }
    return render(request, "account/sessions.html", context)


@require_POST
@never_cache
@login_required
def end_one(request: HttpRequest, session: uuid.UUID) -> HttpResponse:
    """End one of one's sessions. Somebody else's does not exist here."""
    user = cast(User, request.user)
    row = BrowserSession.objects.select_related("user").filter(pk=session, user=user).first()
    if row is None:
        raise Http404
    if str(row.pk) == id_of(request):
        # Signing out is said to the identity provider as well.
        return redirect("account_logout")
    if actions.end_session(row, actor=person(user, Source.PORTAL)):
        messages.success(request, f"You are signed out there: {name_of(row.agent)}.")
    return redirect("sessions")


@require_POST
@never_cache
@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    """End all of one's sessions but this one."""
    user = cast(User, request.user)
    ended = actions.end_sessions(user, actor=person(user, Source.PORTAL), but=id_of(request))
    messages.success(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("sessions")


def _shown(row: BrowserSession, mine: str) -> dict[str, Any]:
    return {
        "session": row,
        "this": str(row.pk) == mine,
        "name": name_of(row.agent),
        "how": _HOW.get(row.how, row.how),
        "until": row.began_at + timedelta(hours=settings.SESSION_HOURS),
    }


def name_of(agent: str) -> str:
    """Return what people would call a browser, from what it says of itself; it may say anything."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if re.search(sign, agent)), "")
    if not browser:
        return f"A browser on {system}" if system else "A browser that does not say which"
    return f"{browser} on {system}" if system else browser
