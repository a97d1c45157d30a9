"""Who may come in: whoever brings a service token with the scope "scim"."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest

from audit.actor import Actor

TOKEN_MAX = 500


def caller(request: HttpRequest, *, at: datetime) -> Actor | None:
    """Return who pushes, or None for a token that is missing, unknown, over, or not meant for this."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text or len(text) > TOKEN_MAX:
        return None
    return _holder(text.strip(), at=at)


def _holder(text: str, *, at: datetime) -> Actor | None:
    raise NotImplementedError
