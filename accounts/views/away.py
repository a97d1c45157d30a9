"""Who stands in while one is away: a panel of the account page, and the forms it posts."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import actions
from accounts.forms import AwayForm
from accounts.models import Delegation, User
from audit.actor import person
from audit.choices import Source


@require_POST
@never_cache
@login_required
def delegate(http: HttpRequest) -> HttpResponse:
    """Name a stand-in for a time. What was typed comes back with what is wrong with it."""
    from accounts.views import render_account  # noqa: PLC0415  # the page that holds the form

    user, form = cast(User, http.user), AwayForm(http.POST, zone_of=cast(User, http.user))
    if form.is_valid():
        given = form.cleaned_data
        try:
            actor = person(user, Source.PORTAL)
            made = actions.delegate(user, given["to"], given["starts_at"], given["ends_at"], actor=actor)
        except actions.Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(http, f"{made.delegate.name} is asked as well while you are away.")
            return redirect("account")
    return render_account(http, away=form, status=422)


@require_POST
@never_cache
@login_required
def end_delegation(http: HttpRequest, delegation: int) -> HttpResponse:
    """End one's own absence. Somebody else's does not exist here."""
    user = cast(User, http.user)
    row = Delegation.objects.select_related("user").filter(pk=delegation, user=user).first()
    if row is None:
        raise Http404
    if actions.end_delegation(row, actor=person(user, Source.PORTAL)):
        messages.success(http, "Nobody stands in for you by that any more.")
    return redirect("account")
