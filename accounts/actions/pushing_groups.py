"""Verbs of a directory that pushes groups by SCIM: they are its own, and nobody changes their members here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Set
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone

from accounts.actions.rules import AlreadyThere, check, record, require, tell
from accounts.choices import ChangeKind, GroupSource
from accounts.models import Group, GroupMembership, PushedGroup, User
from accounts.scim.resources import key
from audit.actor import Actor

# Addresses per entry of the trail, and rows per statement.
_KEPT, _AT_ONCE = 200, 500


def push_group(
    name: str, external_id: str, members: Set[uuid.UUID], *, actor: Actor, at: datetime | None = None
) -> PushedGroup:
    """Make a group that a directory pushes for the first time. Raises NotAllowed, BadValue, AlreadyThere."""
    now = at or timezone.now()
    with transaction.atomic():
        require(actor, "accounts.add_group")
        group = Group(name=name, source=GroupSource.PUSHED)
        check(group, "name")
        # One that the directory forgot while something still depended on it is taken up again.
        forgotten = Group.objects.filter(source=GroupSource.PUSHED, name=name, pushed__isnull=True).first()
        pushed = PushedGroup(group=forgotten or group, external_id=external_id, name_key=key(name))
        pushed.created_at = pushed.changed_at = pushed.pushed_at = now
        pushed.pushed_by = actor.name[:200]
        try:
            with transaction.atomic():
                pushed.group.save()
                pushed.save(force_insert=True)
        except IntegrityError as error:
            raise AlreadyThere(f"There is already a pushed group with the name {name}.") from error
        record("group.pushed", pushed.group, actor, {"external_id": external_id}, now)
        _set_members(pushed.group, members, frozenset(), actor, now)
    return pushed


def change_pushed_group(
    pushed: PushedGroup,
    *,
    actor: Actor,
    name: str,
    external_id: str,
    joining: Set[uuid.UUID],
    leaving: Set[uuid.UUID],
    at: datetime | None = None,
) -> bool:
    """Take over what the directory says of a group now; return whether anything is otherwise than before.

    In the caller's transaction, with the row of `pushed` locked. Raises NotAllowed, BadValue, AlreadyThere.
    """
    now = at or timezone.now()
    require(actor, "accounts.change_group")
    renamed = _rename(pushed.group, name, actor, now)
    if pushed.external_id != external_id:
        record("group.pushed", pushed.group, actor, {"external_id": external_id}, now)
    changed = renamed or pushed.external_id != external_id
    changed = _set_members(pushed.group, joining, leaving, actor, now) or changed
    pushed.pushed_at, pushed.pushed_by = now, actor.name[:200]
    pushed.external_id, pushed.name_key = external_id, key(name)
    if changed:
        pushed.version, pushed.changed_at = pushed.version + 1, now
    pushed.save()
    return changed


def forget_pushed_group(pushed: PushedGroup, *, actor: Actor, at: datetime | None = None) -> None:
    """Empty and delete a group that the directory has no more; where something depends on it, it stays, empty.

    Raises NotAllowed.
    """
    now = at or timezone.now()
    with transaction.atomic():
        require(actor, "accounts.delete_group")
        group = Group.objects.select_for_update(of=("self",)).get(pk=pushed.group_id)
        members = frozenset(GroupMembership.objects.filter(group=group).values_list("user_id", flat=True))
        _set_members(group, frozenset(), members, actor, now)
        pushed.delete()
        record("group.push_forgotten", group, actor, {"members": len(members)}, now)
        tell(ChangeKind.GROUP_CHANGED, group, members)
        try:
            with transaction.atomic():
                group.delete()
        except (ProtectedError, RestrictedError):
            # It is empty, so it gives nobody anything; whoever depends on it names another one in their own time.
            return


def _rename(group: Group, name: str, actor: Actor, now: datetime) -> bool:
    """Give the group another name. Raises BadValue, AlreadyThere."""
    if group.name == name:
        return False
    before, group.name = group.name, name
    check(group, "name")
    try:
        with transaction.atomic():
            group.save(update_fields=["name"])
    except IntegrityError as error:
        raise AlreadyThere(f"There is already a pushed group with the name {name}.") from error
    record("group.renamed", group, actor, {"from": before}, now)
    tell(ChangeKind.GROUP_CHANGED, group, GroupMembership.objects.filter(group=group).values_list("user_id", flat=True))
    return True


def _set_members(group: Group, joining: Set[uuid.UUID], leaving: Set[uuid.UUID], actor: Actor, now: datetime) -> bool:
    """Begin and end memberships; who is in the group already, or is not, stays so. Return whether anybody moved."""
    there: set[uuid.UUID] = set()
    for some in _portions(joining | leaving):
        there.update(GroupMembership.objects.filter(group=group, user__in=some).values_list("user_id", flat=True))
    new, gone = joining - there, (leaving & there) - joining
    if not new and not gone:
        return False
    for some in _portions(gone):
        GroupMembership.objects.filter(group=group, user__in=some).delete()
    # In one order everywhere: of two pushes at once one waits for the other, and neither for ever.
    rows = [GroupMembership(group=group, user_id=pk) for pk in sorted(new)]
    GroupMembership.objects.bulk_create(rows, batch_size=_AT_ONCE, ignore_conflicts=True)
    details = {"added": _named(new), "removed": _named(gone)}
    record("group.members_pushed", group, actor, details, now)
    tell(ChangeKind.GROUP_CHANGED, group, sorted(new | gone))
    return True


def _named(people: Set[uuid.UUID]) -> list[str]:
    """Return the addresses as an entry keeps them: the first of very many, and how many more there are."""
    some = sorted(people)[:_KEPT]
    named = list(User.objects.filter(pk__in=some).order_by("email").values_list("email", flat=True))
    return [*named, f"… and {len(people) - _KEPT} more"] if len(people) > _KEPT else named


def _portions(people: Iterable[uuid.UUID]) -> Iterable[list[uuid.UUID]]:
    rows = sorted(people)
    return (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
