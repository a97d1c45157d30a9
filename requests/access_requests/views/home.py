"""My access: what I hold, what waits, what is over, and what I want to find again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from access_requests import queries
from access_requests.choices import RequestState
from access_requests.models import AccessRequest, Extension
from access_requests.views.choosing import Time, times_to_add
from access_requests.views.common import me, page, page_number
from access_requests.views.connecting import Grant, connect_of
from access_requests.views.rules import May, may_of
from access_requests.views.words import why_held
from accounts.models import User

ENDED_AT_ONCE = 10


@page("GET", "HEAD")
def my_access(http: HttpRequest) -> HttpResponse:
    """Show what I hold now, what waits, and what ended."""
    return render_home(http)


def render_home(http: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    """Return the page; `problem` says why what was asked for was not done."""
    user = me(http)
    held = queries.page_of(queries.held_by(user), page_number(http, "held"))
    waiting = queries.page_of(queries.waiting_of(user), page_number(http, "waiting"))
    ended = queries.page_of(queries.ended_of(user), page_number(http), ENDED_AT_ONCE)
    favourites = [one.request for one in queries.favourites_of(user)]
    others = queries.page_of(queries.held_for(user), page_number(http, "others"))
    queries.complete([*held.rows, *waiting.rows, *others.rows, *ended.rows, *favourites])
    mine = [_held(user, access) for access in held.rows]
    context = {
        "now": timezone.now(),
        "held": held,
        "mine": mine,
        "waiting": waiting,
        "asked": [(access, may_of(user, access, ())) for access in waiting.rows],
        "others": others,
        "for_others": [(access, may_of(user, access, ())) for access in others.rows],
        "ended": ended,
        "favourites": favourites,
        "kept": {access.pk for access in favourites},
        # Not of what is being revoked already: its end is due, and told as such.
        "next_end": next((one.access for one in mine if one.access.ends_at and _goes_on(one)), None),
        "problem": problem,
    }
    return render(http, "portal/my_access.html", context, status=status)


def _goes_on(one: Held) -> bool:
    return one.may.hand_back and one.access.due_at is None


@dataclass(frozen=True, slots=True)
class Held:
    """A request that holds access, with what its row needs."""

    access: AccessRequest
    may: May
    grants: Sequence[Grant]
    times: Sequence[Time]
    extension: Extension | None
    why: str


def _held(user: User, access: AccessRequest) -> Held:
    may, active = may_of(user, access, ()), access.state == RequestState.ACTIVE
    grants = [Grant(one, {}, connect_of(one) if active else None) for one in access.access_groups.all()]
    return Held(
        access=access,
        may=may,
        grants=[grant for grant in grants if grant.connect],
        times=times_to_add(may.extend.seconds) if may.extend else [],
        extension=next((one for one in access.extensions.all() if one.waits), None),
        why=why_held(access, user),
    )
