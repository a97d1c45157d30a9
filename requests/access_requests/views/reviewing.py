"""A review of broken glass: whoever was told says whether it was right."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from access_requests import actions
from access_requests.forms import ReviewForm
from access_requests.views.answers import act, refused
from access_requests.views.common import actor_of, find, me, page


@page("POST")
def review(http: HttpRequest, pk: int) -> HttpResponse:
    """Review: who was named for it, or may revoke anybody's access."""
    access, form = find(http, pk), ReviewForm(http.POST)
    if not form.is_valid():
        problem = (
            "Say whether it was justified." if "justified" in form.errors else "A note has at most 2000 characters."
        )
        return refused(http, pk, problem, 422)
    given = form.cleaned_data
    return act(
        http,
        access,
        lambda: actions.review(
            access, user=me(http), actor=actor_of(http), justified=given["justified"] == "yes", note=given["note"]
        ),
        f"{access} was reviewed.",
    )
