"""allauth's doors to us: nobody signs up by themselves, and what second factors rest on is kept as ciphertext."""

from __future__ import annotations

from typing import Any

import qrcode  # type: ignore[import-untyped]
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from qrcode.image.svg import SvgPathFillImage  # type: ignore[import-untyped]

from accounts import keeping


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """People come from the admin or a directory, never from a sign-up form."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count by the account alone: allauth counts anew for each host name that is asked for."""
        return f"login:{(credentials.get('email') or credentials.get('username') or '').strip().lower()}"

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Send who was disabled in the very moment of signing in back to the sign-in page, which says nothing of it."""
        return redirect("account_login")

    def get_login_stages(self) -> list[str]:
        """Leave out the second factor: people sign in by password, link or provider, and it is asked of them the same
        after each of these, where it is owed (accounts.gate, a request's second factor)."""
        return [stage for stage in super().get_login_stages() if not stage.startswith("allauth.mfa.")]


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Seeds lie in the database as ciphertext only."""

    def build_totp_svg(self, url: str) -> str:
        """Draw it on white, whatever ground the page has: cameras want dark on light."""
        picture = qrcode.make(url, image_factory=SvgPathFillImage)
        return str(picture.to_string(encoding="unicode"))

    def encrypt(self, text: str) -> str:
        """Seal it with the newest key."""
        return keeping.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open it. Raises keeping.Unreadable."""
        return keeping.unseal(encrypted_text)
