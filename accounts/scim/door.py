"""Who may come in: whoever brings a service token with the scope "scim"."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest

from accounts import tokens
from accounts.choices import TokenKind, TokenScope
from audit.actor import Actor
from audit.choices import ActorKind, Source


def caller(request: HttpRequest, *, at: datetime) -> Actor | None:
    """Return who pushes, or None for a token that is missing, unknown, over, or not meant for this.

    The scope is all that it may: it acts as the directory, not with the roles of the service that holds the token.
    """
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    token = tokens.holder(text.strip(), at=at) if scheme.lower() == "bearer" else None
    if token is None or token.kind != TokenKind.SERVICE or TokenScope.SCIM not in token.scopes:
        return None
    tokens.note_use(token, at=at)
    return Actor(ActorKind.SYSTEM, id=str(token.pk), name=f"SCIM: {token.name}", source=Source.API)
