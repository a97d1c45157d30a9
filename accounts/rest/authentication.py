"""Who calls: `Authorization: Bearer <token>`, and nothing else. A browser's session counts for nothing here."""

from __future__ import annotations

from typing import cast

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens
from accounts.models import ApiToken, User
from accounts.rest import limits
from audit.actor import Actor, person
from audit.choices import Source

CHALLENGE = 'Bearer realm="Latchkey"'


class BearerToken(BaseAuthentication):
    """Finds the token; then `request.user` is its owner and `request.auth` the token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return owner and token, or None where none is brought.

        Raises AuthenticationFailed for a bad one, Throttled for too many of them.
        """
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        now = timezone.now()
        token = tokens.holder(text.strip(), at=now) if scheme.lower() == "bearer" else None
        if token is None:
            limits.count_bad(request._request)
            # Alike for unknown, expired, revoked and a disabled owner: a thief learns nothing.
            raise AuthenticationFailed("This token is not good, or not any more. Make another on your account page.")
        tokens.note_use(token, at=now)
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return CHALLENGE


def user_of(request: Request) -> User:
    """Return the token's owner."""
    return cast(User, request.user)


def token_of(request: Request) -> ApiToken:
    """Return the token the request came with."""
    return cast(ApiToken, request.auth)


def actor_of(request: Request) -> Actor:
    """Return the token's owner acting through the API."""
    return person(request.user, Source.API)
