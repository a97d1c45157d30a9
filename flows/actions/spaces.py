"""Spaces: drawn, deleted; who belongs to them. A flow's version carries its space's boundary."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.actions import require
from accounts.choices import SpaceRole
from accounts.models import Group, User
from audit.actions import Subject, record
from audit.actor import Actor
from flows import document as documents
from flows.actions.places import hold
from flows.actions.revisions import keep_revision
from flows.actions.rules import BadFlow, Overtaken, Second, StillNeeded, add_versions
from flows.choices import PolicyKind
from flows.findings import Finding
from flows.models import AccessFlow, AccessScope, Space, SpaceMember, SpaceScope
from flows.models.spaces import NAME_MAX


def define_space(
    name: str,
    scopes: Iterable[AccessScope],
    *,
    actor: Actor,
    space: Space | None = None,
    at: datetime | None = None,
    after: str | None = None,
    second: Second | None = None,
) -> Space:
    """Make a space, or make `space` anew; every flow in it gets a version with the new boundary.

    A boundary that becomes narrower takes access away, and is never refused. `after` is the digest of compose_space
    that the writer has read. Raises BadFlow, Overtaken, and NeedsSecondAdmin where a wider one would open production.
    """
    require(actor, "flows.change_space" if space else "flows.add_space")
    moment, chosen = at or timezone.now(), list(scopes)
    with transaction.atomic():
        row = _held(space) if space else Space()
        _refuse(name, chosen, row)
        before = documents.compose_space(row) if space else None
        if after is not None and before is not None and documents.digest(before) != after:
            raise Overtaken("Somebody saved this space meanwhile.")
        row.name = name
        row.save()
        row.boundary.exclude(scope__in=chosen).delete()
        there = set(row.boundary.values_list("scope", flat=True))
        SpaceScope.objects.bulk_create(SpaceScope(space=row, scope=one) for one in chosen if one.pk not in there)
        content = documents.compose_space(row)
        if before != content:
            keep_revision(PolicyKind.SPACE, row.pk, content, actor=actor, at=moment)
            details = {"after": content} | ({"before": before} if before else {})
            record("space.saved", actor=actor, subject=subject_of_space(row), details=details, at=moment)
            _carry(row, content, actor=actor, at=moment, second=second)
    return row


def _held(space: Space) -> Space:
    """Return the space's row, locked after the flows in it: who writes one of them locks in this order, too."""
    list(AccessFlow.objects.select_for_update(of=("self",)).filter(space=space).order_by("pk"))
    row = Space.objects.select_for_update().get(pk=space.pk)
    hold(row.pk)
    return row


def _refuse(name: str, scopes: list[AccessScope], row: Space) -> None:
    """Raise BadFlow with all that is wrong."""
    found: list[Finding] = []
    if not name.strip() or len(name) > NAME_MAX:
        found.append(Finding("name", f"Give the space a name of at most {NAME_MAX} characters."))
    if Space.objects.filter(name=name).exclude(pk=row.pk).exists():
        found.append(Finding("name", "Another space has this name."))
    kept = list(AccessScope.objects.select_for_update().filter(pk__in=[one.pk for one in scopes]).order_by("pk"))
    if len(kept) != len({one.pk for one in scopes}):
        found.append(Finding("scopes", "An access scope is not there any more: choose anew."))
    for one in kept:
        if one.space_id:
            told = f"The access scope {one.name} lies in a space itself: who writes there could move the boundary."
            found.append(Finding("scopes", told))
    if found:
        raise BadFlow(found)


def _carry(row: Space, content: dict[str, Any], *, actor: Actor, at: datetime, second: Second | None = None) -> None:
    """Give every flow in the space a version with its boundary."""
    flows = AccessFlow.objects.filter(space=row, current__isnull=False).select_related("current").order_by("pk")
    written = [
        (flow, flow.current.document | {"space": content})
        for flow in flows.select_for_update(of=("self",))
        if flow.current
    ]
    add_versions(written, actor=actor, at=at, reason=f"The space {row.name} changed.", second=second)


def delete_space(space: Space, *, actor: Actor, at: datetime | None = None) -> None:
    """Delete a space in which nothing lies. Raises StillNeeded otherwise, with what does."""
    require(actor, "flows.delete_space")
    subject = subject_of_space(space)
    try:
        with transaction.atomic():
            space.delete()
            record("space.deleted", actor=actor, subject=subject, at=at)
    except ProtectedError as error:
        flows = list(space.flows.order_by("name"))
        names = [*flows, *space.bundles.order_by("name"), *space.own_scopes.order_by("name")]
        told = f"In this space lie {', '.join(map(str, names))}. Delete them, or move them, first."
        raise StillNeeded(told, flows) from error


def add_member(
    space: Space, who: User | Group, role: SpaceRole, *, actor: Actor, at: datetime | None = None
) -> SpaceMember:
    """Give a person, or everybody in a group, a role in a space. Again changes nothing."""
    moment = at or timezone.now()
    with transaction.atomic():
        row = SpaceMember(space=space, role=role, created_at=moment, **_identity(who))
        require(actor, "flows.add_spacemember", row)
        if isinstance(who, User) and not who.is_active:
            raise BadFlow([Finding("who", f"{who.name} is disabled.")])
        found, made = SpaceMember.objects.get_or_create(
            space=space, role=role, **_identity(who), defaults={"created_at": moment}
        )
        if made:
            _record("space.member_added", found, actor, moment)
    return found


def remove_member(member: SpaceMember, *, actor: Actor, at: datetime | None = None) -> None:
    """Take a role in a space away. Who is gone already stays gone."""
    moment = at or timezone.now()
    with transaction.atomic():
        require(actor, "flows.delete_spacemember", member)
        row = SpaceMember.objects.select_for_update().filter(pk=member.pk).first()
        if row is not None:
            _record("space.member_removed", row, actor, moment)
            row.delete()


def _identity(who: User | Group) -> dict[str, User | Group | None]:
    return {"user": who, "group": None} if isinstance(who, User) else {"user": None, "group": who}


def _record(action: str, row: SpaceMember, actor: Actor, at: datetime) -> None:
    who = row.user.email if row.user else str(row.group)
    details = {"kind": "user" if row.user else "group", "who": who, "role": row.role}
    record(action, actor=actor, subject=subject_of_space(row.space), details=details, at=at)


def subject_of_space(space: Space) -> Subject:
    """Return the snapshot of a space that an audit entry keeps."""
    return Subject("space", str(space.pk), space.name)
