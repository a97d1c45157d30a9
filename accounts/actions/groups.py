"""Verbs on groups."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError

from accounts.actions.rules import InUse, KeptElsewhere, check, record, require, subject_of, tell
from accounts.choices import ChangeKind, GroupSource
from accounts.models import Group, GroupMembership, User
from audit.actor import Actor


def create_group(name: str, *, actor: Actor, at: datetime | None = None) -> Group:
    """Create an empty group. Raises NotAllowed, BadValue."""
    group = Group(name=name.strip())
    with transaction.atomic():
        require(actor, "accounts.add_group")
        check(group, "name")
        group.save()
        record("group.created", group, actor, at=at)
    return group


def rename_group(group: Group, name: str, *, actor: Actor) -> None:
    """Give the group another name; who names it in policy is asked again.

    Raises NotAllowed, BadValue, KeptElsewhere.
    """
    with transaction.atomic():
        require(actor, "accounts.change_group")
        stored = Group.objects.select_for_update().get(pk=group.pk)
        _require_local(stored)
        before, stored.name = stored.name, name.strip()
        check(stored, "name")
        if before == stored.name:
            return
        stored.save(update_fields=["name"])
        record("group.renamed", stored, actor, {"from": before})
        tell(ChangeKind.GROUP_CHANGED, stored, _member_ids(stored))
    group.name = stored.name


def delete_group(group: Group, *, actor: Actor) -> None:
    """Delete the group. Raises NotAllowed, InUse when policy depends on it."""
    with transaction.atomic():
        require(actor, "accounts.delete_group")
        stored = Group.objects.select_for_update().get(pk=group.pk)
        members = _member_ids(stored)
        record("group.deleted", stored, actor, {"members": len(members)})
        tell(ChangeKind.GROUP_CHANGED, stored, members)
        try:
            with transaction.atomic():
                stored.delete()
        except (ProtectedError, RestrictedError) as error:
            blocking = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
            names = ", ".join(sorted(str(thing) for thing in blocking)[:5])
            raise InUse(f"{subject_of(group).name} is still used by {names}.") from error


def add_member(group: Group, user: User, *, actor: Actor, at: datetime | None = None) -> None:
    """Put the person into the group; nothing happens to who is in it. Raises NotAllowed, KeptElsewhere."""
    with transaction.atomic():
        require(actor, "accounts.change_group")
        _require_local(group)
        _, is_new = GroupMembership.objects.get_or_create(group=group, user=user)
        if is_new:
            details = {"user": {"id": str(user.pk), "email": user.email}}
            record("group.member_added", group, actor, details, at=at)
            tell(ChangeKind.GROUP_CHANGED, group, [user])


def remove_member(group: Group, user: User, *, actor: Actor) -> None:
    """Take the person out of the group; nothing happens to who is not in it. Raises NotAllowed, KeptElsewhere."""
    with transaction.atomic():
        require(actor, "accounts.change_group")
        _require_local(group)
        removed, _ = GroupMembership.objects.filter(group=group, user=user).delete()
        if removed:
            record("group.member_removed", group, actor, {"user": {"id": str(user.pk), "email": user.email}})
            tell(ChangeKind.GROUP_CHANGED, group, [user])


def _require_local(group: Group) -> None:
    """Raise KeptElsewhere for a group that comes from elsewhere."""
    source = GroupSource(group.source)
    if source != GroupSource.LOCAL:
        raise KeptElsewhere(f"{group.name} comes from {str(source.label).lower()}: change it there.")


def _member_ids(group: Group) -> list[str]:
    """Return the ids of the group's members."""
    return [str(pk) for pk in GroupMembership.objects.filter(group=group).values_list("user_id", flat=True)]
