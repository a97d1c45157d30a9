"""Verbs of signing in: one-time links, and what the trail keeps of sign-ins through any door."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

import audit.actions
from accounts.actions.rules import BadValue, LinkRefused, record, require
from accounts.choices import NOT_RECORDED, SignInRefusal
from accounts.claims import Told
from accounts.models import SignInLink, User
from audit.actions import Subject
from audit.actor import Actor, person, system
from audit.choices import ActorKind, Source

_LONGEST_MINUTES = 24 * 60
# A link in a letter is made when the letter leaves: this stands in its place until then.
LINK_IN_LETTERS, LINK_LASTS = "made-when-the-letter-leaves", _LONGEST_MINUTES


def make_sign_in_link(user: User, *, minutes: int = 15, at: datetime | None = None, actor: Actor | None = None) -> str:
    """Return the token of a link that signs `user` in once; only its digest is kept. No actor: the platform itself.

    Raises NotAllowed, BadValue for a disabled person or a time outside 1 minute to 24 hours.
    """
    actor, now = actor or system(), at or timezone.now()
    if not 1 <= minutes <= _LONGEST_MINUTES:
        raise BadValue(f"A sign-in link lasts 1 to {_LONGEST_MINUTES} minutes, not {minutes}.")
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        require(actor, "accounts.change_user")
        if not User.objects.filter(pk=user.pk, is_active=True).exists():
            raise BadValue(f"{user.name} is disabled and cannot sign in.")
        if user.is_service:
            raise BadValue(f"{user.name} is a service and never signs in.")
        SignInLink.objects.create(
            user=user, token_digest=_digest(token), created_at=now, expires_at=now + timedelta(minutes=minutes)
        )
        record("user.link_made", user, actor, {"minutes": minutes})
    return token


def use_sign_in_link(token: str, *, at: datetime | None = None) -> User:
    """Use the link up and return its person. Raises LinkRefused, alike for unknown, used, expired and disabled."""
    now = at or timezone.now()
    link = SignInLink.objects.select_related("user").filter(token_digest=_digest(token)).first()
    if link is not None:
        with transaction.atomic():
            active = User.objects.filter(pk=link.user_id, is_active=True).exists()
            # The link's own columns alone: a condition on the person would become a subquery, which PostgreSQL does
            # not ask again after waiting for another who uses the link, and both would win.
            usable = SignInLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=now)
            if active and usable.update(used_at=now):
                record("user.link_used", link.user, person(link.user, Source.PORTAL))
                return link.user
    _record_failure(link.user if link else None, {"how": "link"})
    raise LinkRefused("This sign-in link was used already or has expired. Ask for a new one.")


def record_sign_in(user: User, *, source: Source, how: str, address: str = "") -> None:
    """Record that the person signed in."""
    with transaction.atomic():
        record("user.signed_in", user, person(user, source), {"how": how, "address": address})


def record_sign_out(user: User, *, source: Source) -> None:
    """Record that the person signed out."""
    with transaction.atomic():
        record("user.signed_out", user, person(user, source))


def record_failed_sign_in(email: str, *, address: str = "") -> None:
    """Record that a password was refused.

    An address nobody has is not kept: people type passwords into that field, and the trail cannot forget.
    """
    user = User.objects.filter(email=email.strip().lower()).first()
    _record_failure(user, {"how": "password", "address": address})


def record_refused_sign_in(
    refusal: SignInRefusal, *, told: Told | None = None, user: User | None = None, address: str = ""
) -> None:
    """Record that a sign-in by the identity provider came to nothing; what says nothing of anybody is not recorded.

    An address that the provider has verified is kept: it is how an admin learns who stands at the door.
    """
    if refusal in NOT_RECORDED:
        return
    details = {"how": "oidc", "reason": str(refusal.label), "address": address}
    if told is not None:
        details |= {"issuer": told.issuer, "subject": told.subject, "email": told.email if told.verified else ""}
    _record_failure(user, details)


def _record_failure(user: User | None, details: dict[str, str]) -> None:
    """Record a failed attempt, by nobody in particular."""
    nobody = Actor(kind=ActorKind.SYSTEM, name="Somebody not signed in", source=Source.PORTAL)
    about = Subject("user", str(user.pk), f"{user.name} <{user.email}>") if user else Subject("user", "", "unknown")
    with transaction.atomic():
        audit.actions.record("user.sign_in_failed", actor=nobody, subject=about, details=details)


def _digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
