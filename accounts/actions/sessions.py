"""Verbs of sessions in browsers: they begin, are moved to another key, and end."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions.rules import is_self, record, require
from accounts.choices import SessionEnd
from accounts.models import BrowserSession, Identity, User
from accounts.queries import open_sessions
from audit.actor import Actor, system

KEPT = timedelta(days=30)
_AT_ONCE = 500


def begin_session(
    user: User, key: str, *, how: str, address: str = "", agent: str = "", at: datetime | None = None
) -> BrowserSession:
    """Note that a session began under `key`; that somebody signed in is recorded by `record_sign_in`."""
    now = at or timezone.now()
    agent = "".join(sign if sign.isprintable() else " " for sign in agent)[:300]
    return BrowserSession.objects.create(
        user=user, session_key=key, began_at=now, seen_at=now, how=how[:20], address=address[:45], agent=agent
    )


def name_provider(session: uuid.UUID | str, *, issuer: str, sid: str) -> None:
    """Note which identity provider's session this one came of, so that it can end this one too."""
    BrowserSession.objects.filter(pk=session).update(issuer=issuer, sid=sid)


def note_seen(session: uuid.UUID | str, *, at: datetime) -> None:
    """Note that something is done in a session."""
    BrowserSession.objects.filter(pk=session, ended_at=None).update(seen_at=at)


def move_session(session: uuid.UUID | str, key: str) -> bool:
    """Note the new key of a session; False when it has ended meanwhile: then the new key must not count either."""
    return bool(BrowserSession.objects.filter(pk=session, ended_at=None).update(session_key=key))


def note_end(session: uuid.UUID | str, *, how: SessionEnd, at: datetime | None = None) -> None:
    """Note how a session ended that is over already: signed out, or over by the clock."""
    _end(BrowserSession.objects.filter(pk=session), how, at or timezone.now())


def end_session(session: BrowserSession, *, actor: Actor, at: datetime | None = None) -> bool:
    """End one session; False for one that is over. One's own, or with accounts.change_user. Raises NotAllowed."""
    with transaction.atomic():
        own = _may(session.user, actor)
        how = SessionEnd.ENDED if own else SessionEnd.BY_ADMIN
        ended = _end(BrowserSession.objects.filter(pk=session.pk), how, at or timezone.now())
        if ended:
            record("user.sessions_ended", session.user, actor, {"sessions": ended, "how": how.value})
    return bool(ended)


def end_sessions(user: User, *, actor: Actor, but: str = "", at: datetime | None = None) -> int:
    """End all sessions of a person, but the one with the id `but`; return how many. As `end_session`."""
    with transaction.atomic():
        own = _may(user, actor)
        ended = end_all(user, SessionEnd.ENDED if own else SessionEnd.BY_ADMIN, but=but, at=at or timezone.now())
        if ended:
            record("user.sessions_ended", user, actor, {"sessions": ended, "how": "all"})
    return ended


def end_sessions_told(
    issuer: str, *, subject: str, sid: str, at: datetime | None = None, actor: Actor | None = None
) -> int:
    """End what a provider's logout token names: its one session, or all that came of the subject's sign-ins.

    Returns how many. A session and a subject that do not belong together end nothing.
    """
    now, actor = at or timezone.now(), actor or system("Single sign-on")
    with transaction.atomic():
        require(actor, "accounts.change_user")
        rows = BrowserSession.objects.filter(issuer=issuer, ended_at=None)
        if subject:
            rows = rows.filter(user__in=Identity.objects.filter(issuer=issuer, subject=subject).values("user"))
        if sid:
            rows = rows.filter(sid=sid)
        people = list(User.objects.filter(pk__in=rows.values("user")).order_by("pk"))
        ended = 0
        for user in people:
            count = _end(rows.filter(user=user), SessionEnd.PROVIDER, now)
            record("user.sessions_ended", user, actor, {"sessions": count, "how": SessionEnd.PROVIDER.value})
            ended += count
    return ended


def end_all(user: User, how: SessionEnd, *, at: datetime, but: str = "") -> int:
    """End all open sessions of a person and return how many there were; for other verbs, which record it."""
    rows = BrowserSession.objects.filter(user=user)
    open_now = open_sessions(user, at)
    counted = (open_now.exclude(pk=but) if but else open_now).count()
    _end(rows.exclude(pk=but) if but else rows, how, at)
    return counted


def sweep_sessions(at: datetime | None = None) -> int:
    """Note the end of sessions whose time was over unseen, forget those that ended a month ago; return how many."""
    now = at or timezone.now()
    gone = BrowserSession.objects.filter(ended_at=None, began_at__lt=now - timedelta(minutes=5)).exclude(
        session_key__in=Session.objects.filter(expire_date__gt=now).values("session_key")
    )
    ids = list(gone.values_list("pk", flat=True)[:_AT_ONCE])
    BrowserSession.objects.filter(pk__in=ids, ended_at=None).update(ended_at=now, ended_how=SessionEnd.TIME)
    BrowserSession.objects.filter(ended_at__lt=now - KEPT).delete()
    return len(ids)


def _may(user: User, actor: Actor) -> bool:
    """Return whether it is the actor's own; raise NotAllowed unless it is, or they may change people."""
    own = is_self(actor, user)
    if not own:
        require(actor, "accounts.change_user")
    return own


def _end(rows: QuerySet[BrowserSession], how: SessionEnd, at: datetime) -> int:
    """End those of the rows that are open. Locks them, so that a key that is changing is seen as it becomes."""
    with transaction.atomic():
        found = list(rows.filter(ended_at=None).select_for_update(of=("self",)).order_by("pk"))
        for start in range(0, len(found), _AT_ONCE):
            some = found[start : start + _AT_ONCE]
            Session.objects.filter(session_key__in=[one.session_key for one in some]).delete()
            BrowserSession.objects.filter(pk__in=[one.pk for one in some]).update(ended_at=at, ended_how=how)
    return len(found)
