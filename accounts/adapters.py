"""allauth's door to us: nobody signs up by themselves."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """People come from the admin or a directory, never from a sign-up form."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """No."""
        return False
