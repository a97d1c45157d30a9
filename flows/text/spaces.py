"""Spaces as text: the boundary by the names of scopes, members by address or name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from accounts.choices import SpaceRole
from accounts.models import Group, User
from audit.actor import Actor
from flows.actions.rules import BadFlow
from flows.actions.spaces import add_member, define_space, remove_member
from flows.findings import Finding
from flows.models import AccessScope, Space, SpaceMember
from flows.text.nodes import canonical

Form = dict[str, Any]
# What forms from before there were spaces lack.
_SINCE: Mapping[str, Form] = {kind: {"space": ""} for kind in ("flow", "bundle", "scope")}


def grown(kind: str, form: Form) -> Form:
    """Return a form that was kept, with what forms say by now: it meant the whole account."""
    return {**_SINCE.get(kind, {}), **form}


def space_form(space: Space) -> Form:
    """Return what a space says; its rows are prefetched."""
    roles: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in space.members.all():
        roles[("user", one.user.email) if one.user else ("group", str(one.group))].add(one.role)
    members = [{"type": kind, "identity": who, "roles": sorted(mine)} for (kind, who), mine in roles.items()]
    return {
        "name": space.name,
        "scopes": sorted((one.name for one in space.scopes.all()), key=canonical),
        "members": sorted(members, key=canonical),
    }


def write_space(form: Form, row: Space | None, *, actor: Actor, at: datetime) -> Space:
    """Make a space what its form says, with its members. Raises BadFlow, NotAllowed, NeedsSecondAdmin."""
    scopes = list(AccessScope.objects.filter(name__in=form["scopes"]))
    saved = define_space(form["name"], scopes, actor=actor, space=row, at=at)
    wanted = {
        (who.pk, role): (who, SpaceRole(role))
        for one in form["members"]
        for who in [_who(one)]
        for role in one["roles"]
    }
    there: dict[Any, SpaceMember] = {
        (one.user_id or one.group_id, one.role): one for one in saved.members.select_related("user", "group")
    }
    for key, (who, role) in wanted.items():
        if key not in there:
            add_member(saved, who, role, actor=actor, at=at)
    for key, member in there.items():
        if key not in wanted:
            remove_member(member, actor=actor, at=at)
    return saved


def _who(member: Form) -> User | Group:
    identity, found = member["identity"], list[User | Group]()
    if member["type"] == "user":
        found += User.objects.filter(email=identity.lower())[:1]
    else:
        found += Group.objects.filter(name=identity)[:2]
    if len(found) != 1:
        told = "Several groups are called" if found else "Nobody has the address or name"
        raise BadFlow([Finding("members", f"{told} “{identity}”.")])
    return found[0]
