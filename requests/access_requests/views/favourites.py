"""Keeping a request as a favourite, or no more."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from access_requests import actions
from access_requests.views.answers import act
from access_requests.views.common import actor_of, find, me, page


@page("POST")
def favourite(http: HttpRequest, pk: int) -> HttpResponse:
    """Keep a request among one's favourites, or with keep=0 drop it."""
    access = find(http, pk)
    if http.POST.get("keep") == "0":
        drop = actions.drop_favourite
        return act(
            http, access, lambda: drop(access, user=me(http), actor=actor_of(http)), f"{access} is not kept any more."
        )
    keep, said = actions.keep_favourite, f"{access} is among your favourites."
    return act(http, access, lambda: keep(access, user=me(http), actor=actor_of(http)), said)
