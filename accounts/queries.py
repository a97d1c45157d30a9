"""Named reads of people and groups."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils.crypto import constant_time_compare

from accounts import post
from accounts.choices import FACTOR_LASTS, LETTERS_WAITING, LetterState, Role, SessionEnd, TokenKind
from accounts.clock import why_over
from accounts.models import ApiToken, Attribute, BrowserSession, Delegation, GroupMembership, Letter, User
from accounts.roles import allowed
from accounts.tokens import live

# People per query, under SQLite's limit of parameters.
_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """All that policy may know of a person, read once."""

    id: str
    email: str
    name: str
    active: bool
    group_ids: frozenset[str]
    group_names: frozenset[str]
    attributes: tuple[tuple[str, str], ...]
    manager_id: str | None
    manager_email: str | None
    # Not in the directory; given only what names them.
    outside: bool = False


def facts_of(users: Iterable[User | uuid.UUID]) -> dict[uuid.UUID, PersonFacts]:
    """Return the facts of each person that exists, in three queries per ten thousand people."""
    ids = list({user.pk if isinstance(user, User) else user for user in users})
    facts: dict[uuid.UUID, PersonFacts] = {}
    for start in range(0, len(ids), _AT_ONCE):
        facts.update(_facts_of(ids[start : start + _AT_ONCE]))
    return facts


def attributes_of(user: User) -> dict[str, list[str]]:
    """Return what directories say of a person: the values by type, in order. One query."""
    found: dict[str, list[str]] = defaultdict(list)
    for kind, value in user.attributes.order_by("type", "value").values_list("type", "value"):
        found[kind].append(value)
    return dict(found)


def active_users() -> QuerySet[User]:
    """Return who may sign in and be given access, by address."""
    return User.objects.filter(is_active=True, is_service=False).order_by("email")


def admins() -> QuerySet[User]:
    """Return who administers Latchkey now, by address."""
    return active_users().filter(roles__role=Role.ADMIN)


def find_users(text: str) -> QuerySet[User]:
    """Return the people whose name or address contains `text`, by address; whether they may be seen is the caller's."""
    return User.objects.filter(Q(email__icontains=text) | Q(name__icontains=text)).order_by("email")


def _facts_of(ids: list[uuid.UUID]) -> dict[uuid.UUID, PersonFacts]:
    """Return the facts of at most ten thousand people."""
    groups: dict[uuid.UUID, list[tuple[str, str]]] = defaultdict(list)
    for user_id, group_id, name in GroupMembership.objects.filter(user__in=ids).values_list(
        "user_id", "group_id", "group__name"
    ):
        groups[user_id].append((str(group_id), name))
    attributes: dict[uuid.UUID, list[tuple[str, str]]] = defaultdict(list)
    for user_id, kind, value in Attribute.objects.filter(user__in=ids).values_list("user_id", "type", "value"):
        attributes[user_id].append((kind, value))
    return {
        user.pk: PersonFacts(
            id=str(user.pk),
            email=user.email,
            name=user.name,
            active=user.is_active and not user.is_service,
            group_ids=frozenset(group_id for group_id, _ in groups[user.pk]),
            group_names=frozenset(name for _, name in groups[user.pk]),
            attributes=tuple(sorted(attributes[user.pk])),
            manager_id=str(user.manager_id) if user.manager_id else None,
            manager_email=user.manager.email if user.manager else None,
            outside=user.is_outside,
        )
        for user in User.objects.filter(pk__in=ids).select_related("manager")
    }


@dataclass(frozen=True, slots=True)
class Mail:
    """Where mail goes, in words; letters that were tried and wait, since when, why; how many were given up of late."""

    place: str
    to_folder: bool
    waiting: int
    oldest_at: datetime | None
    last_error: str
    failed: int


def mail(at: datetime) -> Mail:
    """Return how mail stands. Two queries, each over a part of the table that has an index of its own."""
    waiting = Letter.objects.filter(state__in=LETTERS_WAITING, tries__gt=0)
    told = waiting.aggregate(waiting=Count("pk"), oldest_at=Min("created_at"), last_error=Max("last_error"))
    failed = Letter.objects.filter(state=LetterState.FAILED, settled_at__gt=at - timedelta(days=30)).count()
    return Mail(post.where(), post.to_folder(), told["waiting"], told["oldest_at"], told["last_error"] or "", failed)


def people_with(permission: str) -> list[User]:
    """Return active people one of whose roles allows `permission`, by name: whom to turn to. One query."""
    able = [role for role in Role if role in allowed(permission)]
    return list(active_users().filter(roles__role__in=able).distinct().order_by("name", "email"))


def delegations_of(user: User, at: datetime) -> list[Delegation]:
    """Return the person's absences that run or are to come, the first first. One query."""
    return list(Delegation.objects.filter(user=user, ends_at__gt=at).select_related("user", "delegate"))


def running(at: datetime) -> Q:
    """Return the condition on a delegation that it runs at `at`, to somebody who can answer.

    Who is disabled answers no more, so nobody does in their stead.
    """
    return Q(starts_at__lte=at, ends_at__gt=at, user__is_active=True, delegate__is_active=True)


def invited_by(user: User) -> QuerySet[User]:
    """Return the people from outside that a person answers for, who leaves first comes first; who left comes last."""
    return User.objects.filter(invited_by=user, is_outside=True).order_by("-is_active", "leaves_at", "email")


def unanswered_for() -> QuerySet[User]:
    """Return the people from outside whose inviter is disabled: an admin takes them over."""
    gone = User.objects.filter(is_outside=True, is_active=True, invited_by__is_active=False)
    return gone.select_related("invited_by").order_by("email")


def factor_counts(when: datetime, at: datetime) -> bool:
    """Whether a second factor proven then counts now."""
    return when <= at < when + FACTOR_LASTS


def tokens_of(user: User, at: datetime) -> QuerySet[ApiToken]:
    """Return the person's own tokens that are good for something, newest first: not those of command-line clients."""
    return live(at).filter(owner=user, kind=TokenKind.PERSONAL).select_related("owner", "grant")


def all_tokens_of(user: User, at: datetime) -> QuerySet[ApiToken]:
    """Return what acts as the person now, newest first: their tokens, and those of clients they signed in."""
    return live(at).filter(owner=user).select_related("owner", "grant")


def why_cannot_ask(user: User) -> str:
    """Return why somebody from outside can ask for nothing now; "" for everybody else."""
    if not user.is_outside or (user.invited_by is not None and user.invited_by.is_active):
        return ""
    name = user.invited_by.name if user.invited_by else "Nobody"
    return f"{name}, who invited {user.name}, is not here any more. Ask an admin to answer for {user.name}."


def holding(role: Role, most: int) -> tuple[int, list[User]]:
    """Return how many active people hold a role, and the first of them by name. Two queries."""
    found = User.objects.filter(is_active=True, roles__role=role)
    return found.count(), list(found.order_by("name", "email")[:most])


def open_sessions(user: User, at: datetime) -> QuerySet[BrowserSession]:
    """Return where a person is signed in at `at`, what was used last comes first."""
    return BrowserSession.objects.filter(
        user=user,
        ended_at=None,
        began_at__gt=at - timedelta(hours=settings.SESSION_HOURS),
        seen_at__gt=at - timedelta(minutes=settings.SESSION_IDLE_MINUTES),
        session_key__in=Session.objects.filter(expire_date__gt=at).values("session_key"),
    ).order_by("-seen_at", "pk")


def sessions_ended_with(user: User) -> int:
    """Return how many sessions ended when the person was disabled the last time. One query."""
    if user.disabled_at is None:
        return 0
    return BrowserSession.objects.filter(user=user, ended_at=user.disabled_at, ended_how=SessionEnd.DISABLED).count()


def signed_in_by(key: str | None, at: datetime) -> User | None:
    """Return who is signed in, now, by the session with this key; for lines that outlast the request they began with.

    Two queries.
    """
    said = SessionStore(key).load() if key else {}
    if (
        SESSION_KEY not in said
        or why_over(said, at) is not None
        or said.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS
    ):
        return None
    user = User.objects.filter(pk=str(said.get(SESSION_KEY)), is_active=True).first()
    if user is None:
        return None
    bound = constant_time_compare(str(said.get(HASH_SESSION_KEY, "")), user.get_session_auth_hash())
    return user if bound else None
