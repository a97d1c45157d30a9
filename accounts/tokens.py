"""The text of tokens: making it, its digest, and whose it is."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.choices import END_USER_SCOPES, STAFF_SCOPES, TokenScope
from accounts.models import ApiToken, User

# By this, people and programs that look for leaked secrets know a token of ours. The second is a refresh token.
PREFIX, REFRESH_PREFIX = "lk_", "lkr_"
_BYTES = 32
# Longer than any token; nothing longer is digested.
_LONGEST = 200
_NOTED_EVERY = timedelta(minutes=1)


def new_text(prefix: str = PREFIX) -> str:
    """Return the text of a new token: the prefix and 256 random bits."""
    return prefix + secrets.token_urlsafe(_BYTES)


def digest_of(text: str) -> str:
    """Return what is kept of a token. It needs no salt and no slow hash: nobody guesses 256 random bits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def useful_scopes(owner: User) -> tuple[TokenScope, ...]:
    """Return the scopes that a token of this owner can be good for, in order.

    Pushing people takes no role: the scope is all of it, and it is a program's.
    """
    staff = set(STAFF_SCOPES if owner.is_staff else ()) - {TokenScope.SCIM}
    useful = staff | ({TokenScope.SCIM} if owner.is_service else set(END_USER_SCOPES))
    return tuple(scope for scope in TokenScope if scope in useful)


def holder(text: str, *, at: datetime | None = None) -> ApiToken | None:
    """Return the token with this text, with its owner, if it is good for anything at `at`. One query.

    It is dead once revoked or expired, and as soon as its owner is disabled or has every session ended.
    """
    if not text.startswith(PREFIX) or len(text) > _LONGEST:
        return None
    good = live(at or timezone.now())
    return good.filter(digest=digest_of(text)).select_related("owner", "grant").first()


def live(at: datetime) -> QuerySet[ApiToken]:
    """Return the tokens that are good for something at `at`."""
    return ApiToken.objects.filter(
        Q(grant__isnull=True) | Q(grant__revoked_at__isnull=True),
        revoked_at__isnull=True,
        expires_at__gt=at,
        owner__is_active=True,
        owner__session_round=F("session_round"),
    )


def note_use(token: ApiToken, *, at: datetime | None = None) -> None:
    """Keep when the token was last used; written at most once a minute, however often it is used."""
    now = at or timezone.now()
    since = now - _NOTED_EVERY
    if token.last_used_at is not None and token.last_used_at > since:
        return
    old = Q(last_used_at__isnull=True) | Q(last_used_at__lte=since)
    ApiToken.objects.filter(old, pk=token.pk).update(last_used_at=now)
    token.last_used_at = now
