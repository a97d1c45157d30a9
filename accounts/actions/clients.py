"""Verbs of command-line clients: OAuth 2 with a code and PKCE (RFC 6749, 7636, 8252), for public clients only.

The client's name proves nothing, for anybody can ship a program that says it. What keeps a code for its client is that
it goes to the person's own computer, and takes the verifier that only the program which began can have.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import audit.actions
from accounts import tokens
from accounts.actions.rules import NotAllowed, Refused, is_self
from accounts.choices import END_USER_SCOPES, TokenKind
from accounts.models import ApiToken, ClientGrant, IdempotentAnswer, RefreshToken, User
from audit.actions import Subject
from audit.actor import Actor, person
from audit.choices import Source

CODE_LASTS, ACCESS_LASTS, REFRESH_LASTS = timedelta(seconds=60), timedelta(hours=1), timedelta(days=30)
# Answers of POSTs are kept so long for the same POST again.
ANSWERS_KEPT = timedelta(hours=24)
# Of a client's tokens, one an hour, nobody wants to read for long; of others the admin's page tells for a year.
_CLIENTS_SHOWN, _SHOWN = timedelta(days=7), timedelta(days=365)
_REDIRECT = re.compile(
    r"http://(?:localhost|127\.0\.0\.1)(?::(\d{1,5}))?(?:/[\w.~!$&'()*+,;=:@%/-]*)?(?:\?[\w.~!$&'()*+,;=:@%/?-]*)?",
    re.A,
)
_CLIENT, _CHALLENGE = re.compile(r"[\w.-]{1,100}", re.A), re.compile(r"[\w-]{43}", re.A)
_VERIFIER = re.compile(r"[\w.~-]{43,128}", re.A)


class GrantRefused(Refused):
    """A code or refresh token gives nothing; `error` is the word of RFC 6749 for it."""

    def __init__(self, error: str, words: str) -> None:
        super().__init__(words)
        self.error = error


@dataclass(frozen=True, slots=True)
class Given:
    """What a client gets: an access token, and a refresh token for the next one."""

    access: str
    refresh: str
    scopes: list[str]
    seconds: int


def is_client(text: str) -> bool:
    """Whether it can be a client's id: a word that means the same wherever it is shown."""
    return _CLIENT.fullmatch(text) is not None


def is_loopback(text: str) -> bool:
    """Whether an address leads to a program on the person's own computer, on any port, and nowhere else."""
    found = _REDIRECT.fullmatch(text)
    return found is not None and len(text) <= 500 and int(found[1] or 80) <= 65535


def is_challenge(text: str) -> bool:
    """Whether it can be an S256 challenge."""
    return _CHALLENGE.fullmatch(text) is not None


def allow_client(
    user: User,
    *,
    client_id: str,
    redirect_uri: str,
    challenge: str,
    scopes: Iterable[str],
    actor: Actor,
    at: datetime | None = None,
) -> str:
    """Allow a client to act as `user`, and return the code for it. Raises NotAllowed, GrantRefused."""
    now, wanted = at or timezone.now(), set(scopes)
    given = [str(scope) for scope in END_USER_SCOPES if scope in wanted]
    if not (is_client(client_id) and is_loopback(redirect_uri) and is_challenge(challenge)):
        raise GrantRefused("invalid_request", "The client did not ask as it should.")
    if not given:
        raise GrantRefused("invalid_scope", "There is no scope among those that a command-line client can have.")
    code = secrets.token_urlsafe(32)
    with transaction.atomic():
        if not is_self(actor, user):
            raise NotAllowed("A client is allowed by the person it acts for.")
        stored = User.objects.get(pk=user.pk)
        grant = ClientGrant.objects.create(
            user=stored,
            client_id=client_id,
            scopes=given,
            redirect_uri=redirect_uri,
            code_digest=tokens.digest_of(code),
            challenge=challenge,
            created_at=now,
            code_expires_at=now + CODE_LASTS,
            ends_at=now + _lasts(stored),
            session_round=stored.session_round,
        )
        _record("client.allowed", grant, actor, now)
    return code


def redeem_code(code: str, *, client_id: str, redirect_uri: str, verifier: str, at: datetime | None = None) -> Given:
    """Return what a code gives, once. Raises GrantRefused; a second use also revokes what the first one gave."""
    now = at or timezone.now()
    grant = ClientGrant.objects.select_related("user").filter(code_digest=tokens.digest_of(code)).first()
    if grant is None:
        raise GrantRefused("invalid_grant", "This code is unknown or too old.")
    if grant.code_used_at is not None:
        _revoke_reused(grant, now)
        raise GrantRefused("invalid_grant", "This code was used already. What it gave is revoked; sign in again.")
    if client_id != grant.client_id or redirect_uri != grant.redirect_uri or not _fits(verifier, grant.challenge):
        raise GrantRefused("invalid_grant", "This code was given to another client, address or verifier.")
    if now >= grant.code_expires_at or not _stands(grant, now):
        raise GrantRefused("invalid_grant", "This code is unknown or too old.")
    with transaction.atomic():
        won = ClientGrant.objects.filter(pk=grant.pk, code_used_at=None, revoked_at=None).update(code_used_at=now)
        if won:
            _record("client.signed_in", grant, person(grant.user, Source.API), now)
            return _give(grant, now)
    _revoke_reused(grant, now)
    raise GrantRefused("invalid_grant", "This code was used already. What it gave is revoked; sign in again.")


def refresh_client(text: str, *, client_id: str, at: datetime | None = None) -> Given:
    """Return the next tokens for a refresh token, once. Raises GrantRefused; used again it revokes all."""
    now = at or timezone.now()
    row = RefreshToken.objects.select_related("grant__user").filter(digest=tokens.digest_of(text)).first()
    if row is None or row.grant.client_id != client_id:
        raise GrantRefused("invalid_grant", "This refresh token is unknown, or another client's.")
    if row.used_at is None:
        if now >= row.expires_at or not _stands(row.grant, now):
            raise GrantRefused("invalid_grant", "This refresh token is over. Sign in again.")
        with transaction.atomic():
            if RefreshToken.objects.filter(pk=row.pk, used_at=None).update(used_at=now):
                return _give(row.grant, now)
    _revoke_reused(row.grant, now)
    raise GrantRefused("invalid_grant", "This refresh token was used already. Everything is revoked; sign in again.")


def tidy_tokens(*, at: datetime | None = None) -> int:
    """Remove tokens and grants that are long over, and answers kept for repeats; return how many."""
    now = at or timezone.now()
    old = ApiToken.objects.filter(kind=TokenKind.CLIENT, expires_at__lt=now - _CLIENTS_SHOWN).delete()[0]
    old += ApiToken.objects.filter(expires_at__lt=now - _SHOWN).delete()[0]
    old += ClientGrant.objects.filter(ends_at__lt=now - _CLIENTS_SHOWN).delete()[0]
    return old + IdempotentAnswer.objects.filter(created_at__lt=now - ANSWERS_KEPT).delete()[0]


def _lasts(user: User) -> timedelta:
    """Return how long a sign-in by a client lasts: of people from outside no longer than a session of theirs."""
    return timedelta(seconds=settings.SESSION_COOKIE_AGE) if user.is_outside else timedelta(days=settings.TOKEN_DAYS)


def _stands(grant: ClientGrant, now: datetime) -> bool:
    user = grant.user
    same = user.is_active and user.session_round == grant.session_round
    return same and grant.revoked_at is None and now < grant.ends_at


def _fits(verifier: str, challenge: str) -> bool:
    """Whether this verifier makes that challenge, by S256."""
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return secrets.compare_digest(made, challenge)


def _give(grant: ClientGrant, now: datetime) -> Given:
    """Write the next pair of tokens. In the caller's transaction."""
    access, refresh = tokens.new_text(), tokens.new_text(tokens.REFRESH_PREFIX)
    ends = min(now + ACCESS_LASTS, grant.ends_at)
    ApiToken.objects.create(
        kind=TokenKind.CLIENT,
        owner=grant.user,
        name=grant.client_id,
        digest=tokens.digest_of(access),
        tail=access[-4:],
        scopes=grant.scopes,
        created_by=grant.user,
        created_at=now,
        expires_at=ends,
        session_round=grant.session_round,
        grant=grant,
    )
    RefreshToken.objects.create(
        grant=grant,
        digest=tokens.digest_of(refresh),
        created_at=now,
        expires_at=min(now + REFRESH_LASTS, grant.ends_at),
    )
    return Given(access, refresh, grant.scopes, int((ends - now).total_seconds()))


def _revoke_reused(grant: ClientGrant, now: datetime) -> None:
    """Revoke all that a grant gave: of two who used the same one is a thief, and nobody knows which."""
    with transaction.atomic():
        if ClientGrant.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=now):
            _record("client.reuse_found", grant, person(grant.user, Source.API), now)


def _record(action: str, grant: ClientGrant, actor: Actor, at: datetime) -> None:
    about = Subject("client", str(grant.pk), grant.client_id)
    details = {"person": str(grant.user), "scopes": grant.scopes}
    audit.actions.record(action, actor=actor, subject=about, details=details, at=at)
