"""Spaces and who belongs to them, for programs: an extension of our own, in the words that clients use elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import require
from accounts.choices import SpaceRole
from accounts.models import Group, User
from accounts.rest.authentication import actor_of
from accounts.rest.permissions import Scopes
from audit.actor import Actor
from flows import actions
from flows.api import space_shapes as shapes
from flows.api.parts import Part
from flows.api.space_shapes import ROLES
from flows.api.views import NAMED, READ, WRITE, Collection, Item, one_of, page_of
from flows.api.writing import checked, free_name, refusals
from flows.models import AccessScope, Space, SpaceMember
from flows.reach import uuids

# Which field a finding is about.
_FIELDS = {"scopes": "space_scope_references", "who": "members"}
_NAMES = {ours: theirs for theirs, ours in ROLES.items()}
_OF_NAME: list[OpenApiParameter] = [one for one in NAMED if one.name != "space_references"]


def spaces() -> QuerySet[Space]:
    """Return spaces with all that is shown of them: three queries."""
    members = SpaceMember.objects.select_related("user", "group").order_by("pk")
    return Space.objects.prefetch_related(
        Prefetch("scopes", AccessScope.objects.order_by("name")), Prefetch("members", members)
    )


def shown(row: Space) -> Part:
    """Return a space (of `spaces()`) as it is answered."""
    return {
        "id": str(row.pk),
        "name": row.name,
        "space_scope_references": [one.name for one in row.scopes.all()],
        "members": members_shown(row.members.all()),
        "creation_date": row.created_at,
    }


def members_shown(rows: Iterable[SpaceMember]) -> list[Part]:
    """Return members as they are answered: each once, with all roles."""
    found: dict[tuple[str, Any], Part] = {}
    for one in rows:
        kind, who = ("user", one.user.email) if one.user else ("group", str(one.group))
        fresh = {"identity_reference": who, "identity_type": kind, "space_roles": []}
        found.setdefault((kind, one.user_id or one.group_id), fresh)["space_roles"].append(_NAMES[SpaceRole(one.role)])
    return list(found.values())


def _scopes(references: list[str]) -> list[AccessScope]:
    """Return the scopes with these names or ids. Raises ValidationError."""
    rows = AccessScope.objects.filter(Q(pk__in=uuids(references)) | Q(name__in=references))
    known = {key: one for one in rows for key in (str(one.pk), one.name)}
    if missing := [one for one in references if one not in known]:
        raise ValidationError({"space_scope_references": [f"There is no access scope “{missing[0]}”."]})
    return list(dict.fromkeys(known[one] for one in references))


def _who(kind: str, reference: str, field: str) -> User | Group:
    """Return who is meant. Raises ValidationError."""
    if kind == "user":
        people = User.objects.filter(Q(pk__in=uuids([reference])) | Q(email=reference.strip().lower()))
        found: list[User | Group] = [*people.filter(is_service=False)]
    else:
        found = [*Group.objects.filter(Q(pk__in=uuids([reference])) | Q(name=reference))[:2]]
    if len(found) > 1:
        raise ValidationError({field: [f"Several groups are called “{reference}”: say the id of the one you mean."]})
    if not found:
        raise ValidationError({field: [f"There is no {kind} “{reference}”."]})
    return found[0]


def _set_members(space: Space, told: list[Part], actor: Actor) -> None:
    """Make these the members, in the caller's transaction."""
    wanted = [
        (who, ROLES[role])
        for place, one in enumerate(told)
        for who in [_who(one["identity_type"], one["identity_reference"], f"members.{place}.identity_reference")]
        for role in one["space_roles"]
    ]
    _change_roles(space, wanted, list(space.members.select_related("user", "group")), actor)


def _change_roles(
    space: Space, wanted: list[tuple[User | Group, SpaceRole]], now: list[SpaceMember], actor: Actor
) -> None:
    held = {(one.user or one.group, SpaceRole(one.role)) for one in now}
    for who, role in dict.fromkeys(one for one in wanted if one not in held):
        actions.add_member(space, who, role, actor=actor)
    for one in now:
        if (one.user or one.group, one.role) not in wanted:
            actions.remove_member(one, actor=actor)


class Spaces(Collection):
    """Spaces."""

    scopes: ClassVar[Scopes] = {"GET": READ, "POST": WRITE}

    @extend_schema(parameters=_OF_NAME, responses=shapes.SpaceList)
    def get(self, request: Request) -> Response:
        """List spaces by name."""
        require(actor_of(request), "flows.view_space")
        return page_of(request, spaces(), lambda rows: [shown(one) for one in rows])

    @extend_schema(request=shapes.SpaceWanted, responses=shapes.SpaceShown)
    def post(self, request: Request) -> Response:
        """Make a space, with its members."""
        actor = actor_of(request)
        require(actor, "flows.add_space")
        return _write(checked(shapes.SpaceWanted, request.data), actor, None)


class OneSpace(Item):
    """One space."""

    @extend_schema(responses=shapes.SpaceShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it."""
        require(actor_of(request), "flows.view_space")
        return Response(shown(one_of(spaces(), pk)))

    @extend_schema(request=shapes.SpaceWanted, responses=shapes.SpaceShown)
    def put(self, request: Request, pk: str) -> Response:
        """Make it as the body says; every flow in it gets a version with the new boundary."""
        actor = actor_of(request)
        require(actor, "flows.change_space")
        row = one_of(spaces(), pk)
        return _write(checked(shapes.SpaceWanted, request.data), actor, row)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one in which something lies is refused with 409."""
        require(actor_of(request), "flows.delete_space")
        row = one_of(spaces(), pk)
        with refusals(_FIELDS):
            actions.delete_space(row, actor=actor_of(request))
        return Response(status=204)


def _write(body: Part, actor: Actor, row: Space | None) -> Response:
    free_name(Space, body["name"], row.pk if row else None)
    chosen = _scopes(body["space_scope_references"])
    with refusals(_FIELDS), transaction.atomic():
        made = actions.define_space(body["name"], chosen, actor=actor, space=row)
        if "members" in body:
            _set_members(made, body["members"], actor)
    return Response(shown(one_of(spaces(), str(made.pk))))


def _of_space(request: Request, pk: str) -> Space:
    """Return a space whose members the actor may say. Raises NotAllowed, Http404."""
    require(actor_of(request), "flows.view_space")
    row: Space = one_of(spaces(), pk)
    require(actor_of(request), "flows.add_spacemember", SpaceMember(space=row))
    return row


class SpaceMembers(Item):
    """Who belongs to a space."""

    scopes: ClassVar[Scopes] = {"GET": READ, "PUT": WRITE}

    @extend_schema(responses=shapes.SpaceMemberList)
    def get(self, request: Request, pk: str) -> Response:
        """List all who belong to it."""
        require(actor_of(request), "flows.view_space")
        items = members_shown(one_of(spaces(), pk).members.all())
        return Response({"items": items, "pagination": {"next_page_token": None}})

    @extend_schema(request=shapes.SpaceMembersWanted, responses=shapes.SpaceMemberList)
    def put(self, request: Request, pk: str) -> Response:
        """Make just these the members."""
        row, body = _of_space(request, pk), checked(shapes.SpaceMembersWanted, request.data)
        with refusals(_FIELDS), transaction.atomic():
            Space.objects.select_for_update().get(pk=row.pk)
            _set_members(row, body["members"], actor_of(request))
        return self.get(request, pk)


class SpaceMemberOne(Item):
    """One member of a space: a person by address, or a group by name; both also by id."""

    scopes: ClassVar[Scopes] = {"PUT": WRITE, "DELETE": WRITE}

    @extend_schema(request=shapes.MemberRoles, responses=shapes.SpaceMemberShape)
    def put(self, request: Request, pk: str, identity: str) -> Response:
        """Give them these roles, and no others."""
        row, body = _of_space(request, pk), checked(shapes.MemberRoles, request.data)
        who = _who(body["identity_type"], identity, "identity_reference")
        with refusals(_FIELDS), transaction.atomic():
            Space.objects.select_for_update().get(pk=row.pk)
            now = [one for one in row.members.select_related("user", "group") if who in (one.user, one.group)]
            _change_roles(row, [(who, ROLES[role]) for role in body["space_roles"]], now, actor_of(request))
        return Response(members_shown(row.members.select_related("user", "group").filter(_is(who)))[0])

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str, identity: str) -> Response:
        """Take all their roles in it away."""
        row = _of_space(request, pk)
        people = Q(user__email=identity.strip().lower()) | Q(user__in=uuids([identity]))
        named = row.members.filter(people | Q(group__name=identity) | Q(group__in=uuids([identity])))
        found = list(named.select_related("user", "group"))
        if not found:
            raise Http404
        with transaction.atomic():
            for one in found:
                actions.remove_member(one, actor=actor_of(request))
        return Response(status=204)


def _is(who: User | Group) -> Q:
    return Q(user=who) if isinstance(who, User) else Q(group=who)
