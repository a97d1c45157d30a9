"""People from outside prove a second factor in every session, before anything else in it works for them."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import resolve, reverse
from django.urls.exceptions import Resolver404

from accounts import factors
from accounts.models import User

# What works before: to set up and prove a factor, to sign in afresh for that, and to leave.
OPEN = frozenset(
    {
        *("second_factor", "factor_app", "factor_key", "factor_prove", "fresh_sign_in"),
        *("account_login", "account_logout", "account_reauthenticate", "sign_in_link", "oidc_start", "oidc_callback"),
        *("oidc_callback_of", "oidc_back_channel", "oidc_back_channel_of"),
        *("account_theme", "healthz", "readyz", "favicon"),
    }
)


class SecondFactorGate:
    """Sends people from outside to their second factor until they have proven it in this session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand before the views."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let through, or send to the second factor."""
        user = request.user
        if not isinstance(user, User) or not user.is_outside or _is_open(request.path_info):
            return self.get_response(request)
        if factors.proven_in(request.session, user) is not None:
            return self.get_response(request)
        if not factors.has_factor(user):
            return redirect("second_factor")
        after = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("my_access")
        return redirect(f"{reverse('factor_prove')}?{urlencode({'next': after})}")


def _is_open(path: str) -> bool:
    try:
        return resolve(path).url_name in OPEN
    except Resolver404:
        return False
