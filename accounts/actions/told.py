"""Verbs on people and groups that another place tells of: a directory, a shift schedule. Each says who told it.

What is told never gives a role, and never touches groups that were made here.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts.actions.people import create_user, edit_user
from accounts.actions.rules import BadValue, check, record, require, tell
from accounts.choices import ChangeKind, GroupSource, Role
from accounts.models import Attribute, Group, GroupMembership, User
from audit.actor import Actor

_EMAIL_MAX, _NAME_MAX, _GROUP_MAX = 254, 150, 200
# Rows per statement, and people named in one entry of the trail.
_AT_ONCE, _NAMED = 500, 50


@dataclass(frozen=True, slots=True)
class ToldPerson:
    """What a directory says of a person, as it is taken over. An empty name stays what it is."""

    email: str
    name: str = ""


def take_person(
    user: User | None, told: ToldPerson, *, create: bool, actor: Actor, at: datetime | None = None
) -> User | None:
    """Return who is meant, with address and name as told: `user` where they are known, else who has the address.

    With `create` somebody new is made, without a role; without, None is returned for who is not here.
    Raises NotAllowed, BadValue, AlreadyThere.
    """
    email, name = clean_email(told.email), _shown(told.name, _NAME_MAX)
    with transaction.atomic():
        require(actor, "accounts.change_user")
        found = user or User.objects.filter(email=email).first()
        if found is None:
            return create_user(email, name or email.partition("@")[0], actor=actor, at=at) if create else None
        if found.is_outside:
            raise BadValue(f"{found.email} was invited from outside: end that stay first.")
        if (found.email, found.name) == (email, name or found.name):
            return found
        if email != found.email and Role.ADMIN in found.role_set():
            raise BadValue(f"{found.name} administers Latchkey: their address is changed there and nowhere else.")
        return edit_user(found, actor=actor, email=email, name=name or found.name)


def clean_email(text: str) -> str:
    """Return an address in lower case. Raises BadValue for what is none.

    Beyond ASCII it must be in lower case already: some signs become plain letters when lowered, and an address must not
    turn into somebody else's.
    """
    email = text.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise BadValue(f"{email[:80]!r} is no e-mail address.") from error
    if len(email) > _EMAIL_MAX or not (email.isascii() or email == email.lower()):
        raise BadValue(f"{email[:80]!r} is no e-mail address that can be kept.")
    return email.lower()


def change_attributes(
    user: User, *, added: Iterable[tuple[str, str]], removed: Iterable[tuple[str, str]], actor: Actor
) -> None:
    """Add and remove (type, value) pairs of a person, and leave all others alone. Raises NotAllowed, BadValue."""
    with transaction.atomic():
        require(actor, "accounts.change_attribute")
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        there = {(row.type, row.value): row for row in Attribute.objects.filter(user=user)}
        new = [Attribute(user=user, type=kind, value=value) for kind, value in sorted(set(added) - there.keys())]
        gone = sorted(there.keys() & set(removed))
        if not new and not gone:
            return
        for row in new:
            check(row, "type", "value")
        Attribute.objects.filter(pk__in=[there[pair].pk for pair in gone]).delete()
        Attribute.objects.bulk_create(new)
        details = {"added": [[row.type, row.value] for row in new], "removed": [list(pair) for pair in gone]}
        record("user.attributes_set", user, actor, details)
        tell(ChangeKind.PERSON_CHANGED, user, [user])


def make_told_group(name: str, *, source: GroupSource, actor: Actor, at: datetime | None = None) -> Group:
    """Create a group that `source` answers for. Raises NotAllowed, BadValue."""
    group = Group(name=_shown(name, _GROUP_MAX), source=source)
    with transaction.atomic():
        require(actor, "accounts.add_group")
        check(group, "name")
        group.save()
        record("group.created", group, actor, {"source": str(source)}, at)
    return group


def rename_told_group(group: Group, name: str, *, actor: Actor) -> None:
    """Give a group from elsewhere the name it has there. Raises NotAllowed, BadValue, ValueError for one of ours."""
    with transaction.atomic():
        require(actor, "accounts.change_group")
        stored = _told(group)
        before, stored.name = stored.name, _shown(name, _GROUP_MAX)
        check(stored, "name")
        if before == stored.name:
            return
        stored.save(update_fields=["name"])
        record("group.renamed", stored, actor, {"from": before})
        tell(
            ChangeKind.GROUP_CHANGED,
            stored,
            GroupMembership.objects.filter(group=stored).values_list("user", flat=True),
        )


def change_members(
    group: Group, *, joined: Collection[uuid.UUID], left: Collection[uuid.UUID], actor: Actor
) -> tuple[int, int]:
    """Put people into a group from elsewhere and take others out; return how many that changed.

    One entry for all. Raises NotAllowed, ValueError for a group of ours.
    """
    with transaction.atomic():
        require(actor, "accounts.change_group")
        stored = _told(group)
        held = set(GroupMembership.objects.filter(group=stored).values_list("user_id", flat=True))
        new, gone = sorted(set(joined) - held), sorted(held & set(left))
        if not new and not gone:
            return 0, 0
        rows = [GroupMembership(group=stored, user_id=pk) for pk in new]
        GroupMembership.objects.bulk_create(rows, batch_size=_AT_ONCE)
        for start in range(0, len(gone), _AT_ONCE):
            GroupMembership.objects.filter(group=stored, user_id__in=gone[start : start + _AT_ONCE]).delete()
        details = {"joined": len(new), "left": len(gone)}
        record("group.members_told", stored, actor, details | {"some": _addresses([*gone, *new][:_NAMED])})
        tell(ChangeKind.GROUP_CHANGED, stored, [*new, *gone])
    return len(new), len(gone)


def keep_told_group(group: Group, *, actor: Actor) -> None:
    """Make a group from elsewhere one of ours, members and all: nobody tells of it any more. Raises NotAllowed."""
    with transaction.atomic():
        require(actor, "accounts.change_group")
        stored = _told(group)
        before, stored.source = stored.source, GroupSource.LOCAL
        stored.save(update_fields=["source"])
        record("group.kept", stored, actor, {"from": before})


def _told(group: Group) -> Group:
    """Return the group as stored, locked. Raises ValueError for one that was made here."""
    stored = Group.objects.select_for_update().get(pk=group.pk)
    if stored.source == GroupSource.LOCAL:
        raise ValueError("Groups made here are not told by anybody.")
    return stored


def _addresses(ids: list[uuid.UUID]) -> list[str]:
    return sorted(User.objects.filter(pk__in=ids).values_list("email", flat=True))


def _shown(text: str, most: int) -> str:
    """Return a name fit to be shown and kept."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(plain.split())[:most].rstrip()
