"""Takes over what a directory tells of groups. Groups made here are never touched."""

from __future__ import annotations

from django.db import transaction

import accounts.actions
from accounts.actions import Refused
from accounts.choices import GroupSource
from accounts.models import Group, GroupMembership, User
from integrations.actions.people.work import Work
from integrations.choices import Told
from integrations.models import Origin, StagedFact


def take(work: Work, rows: list[StagedFact]) -> None:
    """Make and rename groups."""
    known = work.groups(row.key for row in rows)
    for row in rows:
        try:
            with transaction.atomic():
                known[row.key] = _take(work, row, known.get(row.key))
        except Refused as refused:
            work.warn(f"{row.data['name'] or row.key}: {refused}")


def _take(work: Work, row: StagedFact, origin: Origin | None) -> Origin:
    """Take over one group. Raises Refused."""
    digest = work.digest(row.data)
    if origin is not None and origin.present and origin.digest == digest:
        return origin
    name = row.data["name"]
    if origin is None or origin.group is None:
        group = accounts.actions.make_told_group(name, source=GroupSource.DIRECTORY, actor=work.actor, at=work.at)
        origin = Origin(integration=work.integration, group=group, source_id=row.key)
    else:
        accounts.actions.rename_told_group(origin.group, name, actor=work.actor)
    origin.present, origin.digest, origin.told_at = True, digest, work.at
    origin.told = {"name": name[:200]}
    origin.save()
    return origin


def take_members(work: Work, rows: list[StagedFact]) -> None:
    """Take over who is in one group: all that is told of it, the last word on each person counts."""
    origin = work.groups([rows[0].key]).get(rows[0].key)
    if origin is None or origin.group is None:
        return
    last = {row.other: row.kind for row in rows if row.kind != Told.MEMBERS}
    people = work.people(last)
    # Who is in it and not a person of this directory (a machine, somebody out of sight) is passed over.
    joined = {people[key].user_id for key, kind in last.items() if kind == Told.JOINED and key in people}
    left = {people[key].user_id for key, kind in last.items() if kind == Told.LEFT and key in people}
    if any(row.kind == Told.MEMBERS for row in rows):
        held = GroupMembership.objects.filter(group=origin.group).values_list("user_id", flat=True)
        left |= set(held) - joined
    wanted = [pk for pk in joined if pk is not None]
    gone = [pk for pk in left if pk is not None]
    new, old = accounts.actions.change_members(origin.group, joined=wanted, left=gone, actor=work.actor)
    if new or old:
        work.run.changed += 1
        Origin.objects.filter(pk=origin.pk).update(told_at=work.at)


def leave(work: Work, rows: list[StagedFact]) -> None:
    """Delete groups that are gone; one that policy names stays, empty, and the run says so."""
    known = work.groups(row.key for row in rows)
    for row in rows:
        origin = known.get(row.key)
        if origin is not None and origin.group is not None and origin.present:
            _leave(work, origin, origin.group)


def _leave(work: Work, origin: Origin, group: Group) -> None:
    members = list(GroupMembership.objects.filter(group=group).values_list("user_id", flat=True))
    accounts.actions.change_members(group, joined=(), left=members, actor=work.actor)
    work.run.changed += 1
    try:
        with transaction.atomic():
            accounts.actions.delete_group(group, actor=work.actor)
    except Refused as refused:
        origin.present, origin.told_at = False, work.at
        origin.save(update_fields=["present", "told_at"])
        work.warn(f"The group {group.name} is gone, so it has no members any more. {refused}")


def leave_all(work: Work, user: User) -> None:
    """Take somebody who is gone out of every group of this directory."""
    for group in Group.objects.filter(origins__integration=work.integration, members=user):
        accounts.actions.change_members(group, joined=(), left=[user.pk], actor=work.actor)
