"""allauth's door to us: nobody signs up by themselves."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """People come from the admin or a directory, never from a sign-up form."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Send who was disabled in the very moment of signing in back to the sign-in page, which says nothing of it."""
        return redirect("account_login")
