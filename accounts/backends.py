"""Signs people in by e-mail and password. Permissions come from roles (accounts.roles), so none are looked up here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts.models import User


class PeopleBackend(BaseBackend):
    """E-mail and password, for people who are active; nobody where password sign-in is off."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the person, or None. Takes the same time whether or not the address is known."""
        if not settings.PASSWORD_SIGN_IN:
            return None
        email = (username or kwargs.get("email") or "").strip().lower()
        user = User.objects.filter(email=email).first()
        if user is None:
            User().set_password(password)
            return None
        return user if user.check_password(password or "") and user.is_active and not user.is_service else None

    def get_user(self, user_id: Any) -> User | None:
        """Return the active person of a session, or None: who is disabled is signed out at the next click."""
        return User.objects.filter(pk=user_id, is_active=True, is_service=False).first()
