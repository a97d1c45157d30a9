"""People you invited: who they are, until when, and what to do about them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions
from accounts.forms import InviteForm, StayForm
from accounts.inviting import may_invite
from accounts.models import User
from accounts.queries import invited_by
from audit.actor import Actor, person
from audit.choices import Source

AT_ONCE = 20


def _actor(http: HttpRequest) -> Actor:
    return person(http.user, Source.PORTAL)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def invited(http: HttpRequest) -> HttpResponse:
    """Show the people one answers for; by POST invite another."""
    user = cast(User, http.user)
    if not may_invite(user) and not invited_by(user).exists():
        raise PermissionDenied
    form = InviteForm(http.POST or None, zone_of=user)
    if http.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = actions.invite(
                given["email"], given["name"], given["leaves_at"], note=given["note"], actor=_actor(http)
            )
        except actions.NotAllowed:
            raise
        except actions.Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(http, f"{made.name} is invited. The letter is on its way to {made.email}.")
            return redirect("invited")
    return _show(http, user, form)


def _show(http: HttpRequest, user: User, form: InviteForm) -> HttpResponse:
    page = Paginator(invited_by(user), AT_ONCE).get_page(http.GET.get("page"))
    context = {
        "form": form,
        "may_invite": may_invite(user),
        "page": page,
        "now": timezone.now(),
        "people": [(one, StayForm(zone_of=user, prefix=str(one.pk))) for one in page],
    }
    return render(http, "account/invited.html", context, status=422 if form.errors else 200)


@require_POST
@never_cache
@login_required
def extend_stay(http: HttpRequest, person: uuid.UUID) -> HttpResponse:
    """Let somebody one answers for stay longer."""
    user = _theirs(http, person)
    form = StayForm(http.POST, zone_of=cast(User, http.user), prefix=str(user.pk))
    if not form.is_valid():
        messages.error(http, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("invited")
    until = form.cleaned_data["leaves_at"]
    return _do(
        http,
        lambda: actions.extend_stay(user, until, actor=_actor(http)),
        f"{user.name} may stay until {until:%-d %b %Y}.",
    )


@require_POST
@never_cache
@login_required
def end_stay(http: HttpRequest, person: uuid.UUID) -> HttpResponse:
    """Shut somebody one answers for out, now."""
    user = _theirs(http, person)
    said = f"{user.name} is signed out, and what they hold ends."
    return _do(http, lambda: actions.end_stay(user, actor=_actor(http)), said)


@require_POST
@never_cache
@login_required
def invite_again(http: HttpRequest, person: uuid.UUID) -> HttpResponse:
    """Send somebody one answers for a new link to sign in."""
    user = _theirs(http, person)
    said = f"A letter with a new link is on its way to {user.email}."
    return _do(http, lambda: actions.send_invitation(user, actor=_actor(http)), said)


def _theirs(http: HttpRequest, pk: uuid.UUID) -> User:
    """Return somebody the reader answers for. Raises Http404 alike for others and for nobody."""
    found = invited_by(cast(User, http.user)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _do(http: HttpRequest, do: Callable[[], Any], said: str) -> HttpResponse:
    try:
        do()
    except actions.Refused as refused:
        messages.error(http, str(refused))
    else:
        messages.success(http, said)
    return redirect("invited")
