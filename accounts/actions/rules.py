"""What all actions on people share: errors, permission, the trail and the news."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models

import audit.actions
from accounts import events, zones
from accounts.choices import ChangeKind, SignInRefusal
from accounts.models import Change, Group, User
from audit.actions import Subject
from audit.actor import Actor
from audit.choices import ActorKind

# How many people one piece of news names at most.
_PER_CHANGE = 1000


class Refused(Exception):
    """An action was refused and nothing was changed; the message is one sentence for a person."""


class NotAllowed(Refused, PermissionDenied):
    """The actor may not do this."""


class BadValue(Refused):
    """A value that cannot be: a malformed address, an unknown time zone, a password too weak."""


class AlreadyThere(Refused):
    """Another person has this e-mail address."""


class LastAdmin(Refused):
    """Nobody would be left who may administer Latchkey."""


class InUse(Refused):
    """Something still depends on it; the message names what."""


class LinkRefused(Refused):
    """The sign-in link is unknown, used or expired; it never says which."""


class KeptElsewhere(Refused):
    """The group is changed where it comes from; here the next sign-in would undo it."""


class SignInRefused(Refused):
    """The identity provider's word lets nobody in; `refusal` says why, `user` whom it is about, where that is known."""

    def __init__(self, refusal: SignInRefusal, user: User | None = None) -> None:
        super().__init__(f"The sign-in was refused: {refusal.label}.")
        self.refusal, self.user = refusal, user


def require(actor: Actor, permission: str, about: Any = None) -> None:
    """Raise NotAllowed unless the actor is the platform itself or a person who has the permission right now.

    With `about` it is enough to have it in the space that this lies in.
    """
    if actor.kind == ActorKind.SYSTEM:
        return
    user = User.objects.filter(pk=actor.id).first() if actor.kind == ActorKind.USER else None
    if user is None or not user.has_perm(permission, about):
        raise NotAllowed(f"{actor.name or 'This actor'} may not do this: it needs the permission {permission}.")


def is_self(actor: Actor, user: User) -> bool:
    """Whether the actor is the person, active right now."""
    same = actor.kind == ActorKind.USER and actor.id == str(user.pk)
    return same and User.objects.filter(pk=user.pk, is_active=True).exists()


def subject_of(thing: User | Group) -> Subject:
    """Return the snapshot of a person or a group that an audit entry keeps."""
    if isinstance(thing, User):
        return Subject("user", str(thing.pk), f"{thing.name} <{thing.email}>")
    return Subject("group", str(thing.pk), thing.name)


def record(
    action: str,
    thing: User | Group,
    actor: Actor,
    details: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """Write the audit entry of an action on a person or a group."""
    audit.actions.record(action, actor=actor, subject=subject_of(thing), details=details, at=at)


def tell(kind: ChangeKind, thing: User | Group, users: Iterable[User | Any], *, new: bool = False) -> None:
    """Publish news; the payload's `users` lists the ids of the people it affects, split so that no list grows long.

    `new` says that they were not there before, so that nothing can have been open for them.
    """
    ids = [str(user.pk if isinstance(user, User) else user) for user in users]
    for start in range(0, len(ids) or 1, _PER_CHANGE):
        told = {"users": ids[start : start + _PER_CHANGE]}
        events.publish(Change, kind, str(thing.pk), told | ({"new": True} if new else {}))


def check(thing: models.Model, *fields: str) -> None:
    """Raise BadValue when one of the named fields of `thing` holds what its definition does not allow."""
    others = [field.name for field in thing._meta.fields if field.name not in fields]
    try:
        thing.clean_fields(exclude=others)
    except ValidationError as error:
        raise BadValue(" ".join(sentences(error))) from error


def check_time_zone(name: str) -> None:
    """Raise BadValue unless `name` is empty or a time zone."""
    if name and name not in zones.names():
        raise BadValue(f"There is no time zone {name!r}; write one such as Europe/Berlin.")


def sentences(error: ValidationError) -> Sequence[str]:
    """Return the messages of a validation error, each with the field it is about."""
    if not hasattr(error, "error_dict"):
        return error.messages
    return [f"{name}: {message}" for name, messages in error.message_dict.items() for message in messages]
