"""Verbs on tokens of the API, and on the services that hold some."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import audit.actions
from accounts import tokens
from accounts.actions.people import put_user
from accounts.actions.rules import BadValue, NotAllowed, check, is_self, require
from accounts.choices import Role, TokenKind, TokenScope
from accounts.models import ApiToken, User
from audit.actions import Subject
from audit.actor import Actor
from audit.choices import ActorKind

# Nobody looks through more; a program that makes one per run is stopped.
MOST_TOKENS = 50
# The address of a service: of a domain that cannot exist, so nobody can ever prove it is theirs.
SERVICE_DOMAIN = "service.invalid"


def issue_token(
    owner: User,
    name: str,
    *,
    scopes: Iterable[str] | None = None,
    expires_at: datetime | None = None,
    actor: Actor,
    at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token and return it with its text, which is never seen again.

    One's own, or with accounts.add_apitoken a service's. No scopes: all that its owner can make use of. No end: as
    long as the setting allows. Raises NotAllowed, BadValue.
    """
    now = at or timezone.now()
    with transaction.atomic():
        _may_issue(owner, actor)
        # The row of the owner orders two who make tokens at once, for the count; and shows a disabled owner.
        stored = User.objects.select_for_update(of=("self",)).get(pk=owner.pk)
        if not stored.is_active:
            raise BadValue(f"{stored.name} is disabled; a token would be good for nothing.")
        if tokens.live(now).filter(owner=stored).exclude(kind=TokenKind.CLIENT).count() >= MOST_TOKENS:
            raise BadValue(f"There are {MOST_TOKENS} tokens already. Revoke those that nobody needs.")
        text = tokens.new_text()
        token = ApiToken(
            kind=TokenKind.SERVICE if stored.is_service else TokenKind.PERSONAL,
            owner=stored,
            name=name.strip(),
            digest=tokens.digest_of(text),
            tail=text[-4:],
            scopes=_scopes(stored, scopes),
            created_by=User.objects.get(pk=actor.id) if actor.kind == ActorKind.USER else None,
            created_at=now,
            expires_at=_end(expires_at, now),
            session_round=stored.session_round,
        )
        check(token, "name")
        token.save(force_insert=True)
        details = {"scopes": token.scopes, "expires_at": token.expires_at.isoformat()}
        record_token("token.issued", token, actor, details, now)
    return token, text


def revoke_token(token: ApiToken, *, actor: Actor, at: datetime | None = None) -> bool:
    """Make the token good for nothing, now and for ever; False when it was revoked already. Raises NotAllowed.

    One's own, or with accounts.delete_apitoken anybody's. Of a command-line client: all that its sign-in gave.
    """
    now = at or timezone.now()
    with transaction.atomic():
        if not is_self(actor, token.owner):
            require(actor, "accounts.delete_apitoken")
        if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            return False
        if token.grant is not None:
            type(token.grant).objects.filter(pk=token.grant.pk, revoked_at=None).update(revoked_at=now)
        record_token("token.revoked", token, actor, at=now)
    token.revoked_at = now
    return True


def change_expiry(
    token: ApiToken, expires_at: datetime | None, *, actor: Actor, at: datetime | None = None
) -> ApiToken:
    """Have the token last until `expires_at`, or as long as is allowed from now, and return it as stored.

    Raises NotAllowed, and BadValue for what is over, or a command-line client's: those come and go by themselves.
    """
    now = at or timezone.now()
    with transaction.atomic():
        _may_issue(token.owner, actor)
        stored = ApiToken.objects.select_for_update(of=("self",)).select_related("owner").get(pk=token.pk)
        if stored.revoked_at is not None or stored.expires_at <= now:
            raise BadValue("This token is over. Make another.")
        if stored.kind == TokenKind.CLIENT:
            raise BadValue("This token belongs to a sign-in by command line. Sign in there again instead.")
        before, stored.expires_at = stored.expires_at, _end(expires_at, now)
        if before != stored.expires_at:
            stored.save(update_fields=["expires_at"])
            details = {"from": before.isoformat(), "to": stored.expires_at.isoformat()}
            record_token("token.expiry_changed", stored, actor, details, now)
    return stored


def create_service(name: str, *, roles: Iterable[Role], actor: Actor, at: datetime | None = None) -> User:
    """Create a service: a program of the organisation that holds tokens and roles, and never signs in.

    It is changed and disabled like a person. Raises NotAllowed, BadValue, AlreadyThere.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    if not slug:
        raise BadValue("Give the service a name with letters or digits.")
    service = User(email=f"{slug}@{SERVICE_DOMAIN}", name=name.strip(), is_service=True)
    with transaction.atomic():
        require(actor, "accounts.add_apitoken")
        put_user(service, "service.created", {}, actor=actor, roles=roles, at=at)
    return service


def record_token(
    action: str, token: ApiToken, actor: Actor, details: Mapping[str, Any] | None = None, at: datetime | None = None
) -> None:
    """Write the audit entry of an action on a token; its text is in none."""
    told = {"kind": token.kind, "owner": str(token.owner), **(details or {})}
    audit.actions.record(action, actor=actor, subject=Subject("token", str(token.pk), token.name), details=told, at=at)


def _may_issue(owner: User, actor: Actor) -> None:
    """Raise NotAllowed unless it is the actor's own, or a service's and the actor may make those."""
    if owner.is_service:
        require(actor, "accounts.add_apitoken")
    elif not is_self(actor, owner):
        raise NotAllowed("A personal token is made by its owner only.")
    elif owner.is_outside:
        raise NotAllowed("People from outside sign in each time; they have no tokens.")


def _scopes(owner: User, wanted: Iterable[str] | None) -> list[str]:
    """Return the scopes in order. Raises BadValue for one that is none, or that the owner has no use for."""
    useful = set(tokens.useful_scopes(owner))
    given = useful if wanted is None else set(wanted)
    known = {str(scope) for scope in TokenScope}
    if unknown := sorted(given - known):
        raise BadValue(f"There is no scope {unknown[0]!r}.")
    if useless := sorted(given - {str(scope) for scope in useful}):
        raise BadValue(f"{owner.name} cannot make use of the scope {useless[0]}.")
    if not given:
        raise BadValue("Choose at least one scope; a token without any is good for nothing.")
    return [str(scope) for scope in TokenScope if scope in given]


def _end(wanted: datetime | None, now: datetime) -> datetime:
    """Return when a token ends. Raises BadValue for what is past, or later than the setting allows."""
    latest = now + timedelta(days=settings.TOKEN_DAYS)
    if wanted is None:
        return latest
    if wanted <= now:
        raise BadValue("A token must end in the future.")
    if wanted > latest:
        raise BadValue(f"A token lasts {settings.TOKEN_DAYS} days at most.")
    return wanted
