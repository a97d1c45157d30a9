"""One's tokens: which there are, making one, changing when it ends, revoking it."""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions
from accounts.choices import TokenKind
from accounts.forms import TokenEndForm, TokenForm
from accounts.models import ApiToken, User
from accounts.queries import all_tokens_of
from audit.actor import person
from audit.choices import Source


@sensitive_variables("text")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def tokens(http: HttpRequest) -> HttpResponse:
    """Show one's tokens; by POST make one, and show its text this once."""
    user = cast(User, http.user)
    form = TokenForm(http.POST or None, zone_of=user)
    if http.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            token, text = actions.issue_token(
                user,
                given["name"],
                scopes=given["scopes"],
                expires_at=given.get("ends_at"),
                actor=person(user, Source.PORTAL),
            )
        except actions.Refused as refused:
            form.add_error(None, str(refused))
        else:
            return render(http, "account/token_made.html", {"token": token, "text": text})
    return _show(http, user, form)


@require_POST
@never_cache
@login_required
def expiry(http: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Change when one of one's tokens ends."""
    user, row = cast(User, http.user), _own(http, token)
    form = TokenEndForm(http.POST, zone_of=user, prefix=str(row.pk))
    if not form.is_valid():
        messages.error(http, "Say until which day the token is to last.")
        return redirect("account_tokens")
    try:
        changed = actions.change_expiry(row, form.cleaned_data["ends_at"], actor=person(user, Source.PORTAL))
    except actions.Refused as refused:
        messages.error(http, str(refused))
    else:
        messages.success(http, f"{changed.name} lasts until that day now.")
    return redirect("account_tokens")


@require_POST
@never_cache
@login_required
def revoke(http: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Revoke one of one's tokens."""
    row = _own(http, token)
    if actions.revoke_token(row, actor=person(http.user, Source.PORTAL)):
        messages.success(http, f"{row.name} is revoked. Whatever used it gets nothing any more.")
    return redirect("account_tokens")


def _own(http: HttpRequest, token: uuid.UUID) -> ApiToken:
    """Return the person's token that is good for something. Somebody else's does not exist here."""
    row = all_tokens_of(cast(User, http.user), timezone.now()).filter(pk=token).first()
    if row is None:
        raise Http404
    return row


def _show(http: HttpRequest, user: User, form: TokenForm) -> HttpResponse:
    found = list(all_tokens_of(user, timezone.now()))
    own = [(row, TokenEndForm(zone_of=user, prefix=str(row.pk))) for row in found if row.kind == TokenKind.PERSONAL]
    # A client gets a new token every hour; people know it by the one it got last.
    clients = {row.grant_id: row for row in reversed(found) if row.kind == TokenKind.CLIENT}
    context = {"form": form, "own": own, "clients": list(clients.values()), "now": timezone.now()}
    return render(http, "account/tokens.html", context, status=422 if form.errors else 200)
