"""Listens to Django's signals of signing in and out, so that the trail has them whichever page they come through."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import actions, factors, sessions
from accounts.choices import SessionEnd
from accounts.models import User
from audit.choices import Source

# How people sign in, by the name of the address; all others take a password.
WAYS = {"sign_in_link": "link", "oidc_callback": "oidc", "oidc_callback_of": "oidc"}


def connect() -> None:
    """Begin to listen; called when the app is ready."""
    user_logged_in.connect(_signed_in, dispatch_uid="accounts.trail")
    user_logged_out.connect(_signed_out, dispatch_uid="accounts.trail")
    user_login_failed.connect(_failed, dispatch_uid="accounts.trail")


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    """Record it; when that fails, the sign-in fails."""
    match = request.resolver_match
    how = WAYS.get(str(match.url_name), "password") if match else "password"
    actions.record_sign_in(user, source=Source.PORTAL, how=how, address=address_of(request))
    sessions.begin(request, user, how, address_of(request))
    if how != "oidc":
        # When somebody signed in at a provider is for the provider to say: the page notes it.
        factors.note_sign_in(request, user, how)


def _signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    """Record it, if somebody was signed in."""
    if user is not None:
        sessions.end(request, SessionEnd.SIGNED_OUT)
        actions.record_sign_out(user, source=Source.PORTAL)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Record it."""
    email = str(credentials.get("email") or credentials.get("username") or "")
    actions.record_failed_sign_in(email, address=address_of(request) if request else "")


def address_of(request: HttpRequest) -> str:
    """Return the client's network address, through as many proxies as the settings trust; "" where there is none."""
    try:
        return str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        # allauth refuses to count attempts of nobody; the trail can do without.
        return ""
