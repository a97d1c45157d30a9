"""A client that brings a token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from accounts import actions
from accounts.choices import TokenScope
from accounts.models import ApiToken, User
from audit.actor import person
from audit.choices import Source


@pytest.fixture(autouse=True)
def counted_afresh() -> Iterator[None]:
    """Limits are counted in the cache."""
    cache.clear()
    yield
    cache.clear()


def token_for(user: User, *scopes: str) -> tuple[ApiToken, str]:
    """Return a personal token of the user with the scopes (none: all that are of use), and its text."""
    return actions.issue_token(user, "for a test", scopes=scopes or None, actor=person(user, Source.PORTAL))


def bearer(user: User, *scopes: str) -> dict[str, str]:
    """Return the header of a new token, as the test client takes it."""
    return {"HTTP_AUTHORIZATION": f"Bearer {token_for(user, *scopes)[1]}"}


__all__ = ["TokenScope", "bearer", "counted_afresh", "token_for"]
