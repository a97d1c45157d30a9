"""Users and groups for programs. They live on this floor, for it knows of which integration somebody came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.choices import Role, TokenScope
from accounts.models import Group, User
from accounts.rest import paging
from accounts.rest.authentication import actor_of
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint
from accounts.rest.wildcards import named
from audit.actor import Actor
from integrations.api import people_shapes as shapes
from integrations.api.stores import Part
from integrations.api.views import PAGED, checked
from integrations.api.writing import uuids
from integrations.models import Origin

_WRITE = (TokenScope.PEOPLE_WRITE,)
_READ = (TokenScope.ADMIN_READ, *_WRITE)
_ORIGINS = Prefetch("origins", Origin.objects.select_related("integration").order_by("pk"))
ROLES = {
    Role.ADMIN: "Admin",
    Role.POWER_USER: "Power User",
    Role.DEPLOYMENT: "Deployment",
    Role.VIEWER: "Viewer",
    Role.GRANTEE: "Grantee",
}


def _parameters(*names: str) -> list[OpenApiParameter]:
    return [*(OpenApiParameter(name, OpenApiTypes.STR) for name in names), *PAGED]


def _source(row: Any, *, with_id: bool = True) -> Part:
    """Return of which integration a person or group came; nothing for who did not."""
    for one in row.origins.all():
        told = {"source_integration_id": str(one.integration_id), "source_integration_name": one.integration.name}
        return {"source_id": one.source_id, **told} if with_id else told
    return {}


def _group_shown(row: Group) -> Part:
    return {"id": str(row.pk), "name": row.name, **_source(row)}


def _group(pk: str) -> Group:
    found = Group.objects.filter(pk__in=uuids([pk])).prefetch_related(_ORIGINS).first()
    if found is None:
        raise Http404
    return found


def _people(emails: Iterable[str], field: str = "members_emails") -> list[User]:
    """Return the people with these addresses. Raises ValidationError, naming who is unknown."""
    wanted = {one.strip().lower(): one for one in emails}
    found = {one.email: one for one in User.objects.filter(email__in=wanted)}
    if missing := sorted(set(wanted) - set(found)):
        raise ValidationError({field: [f"Nobody here has the address {', '.join(missing[:20])}."]})
    return [found[one] for one in wanted]


def _set_members(group: Group, people: list[User], actor: Actor) -> None:
    """Make these people the members, in the caller's transaction."""
    now = {one.pk: one for one in group.members.all()}
    for one in people:
        if one.pk not in now:
            actions.add_member(group, one, actor=actor)
    kept = {one.pk for one in people}
    for pk, one in now.items():
        if pk not in kept:
            actions.remove_member(group, one, actor=actor)


class Groups(Endpoint):
    """Groups."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "POST": _WRITE}

    @extend_schema(parameters=_parameters("name"), responses=shapes.GroupList)
    def get(self, request: Request) -> Response:
        """List groups by name, wherever they come from."""
        actions.require(actor_of(request), "accounts.view_group")
        paging.take_up_filters(request)
        found, name = Group.objects.prefetch_related(_ORIGINS), request.query_params.get("name")
        page = paging.by_token(request, found.filter(named("name", name)) if name else found, order=("name", "id"))
        return Response({"items": [_group_shown(one) for one in page.rows], "pagination": page.by_token})

    @extend_schema(request=shapes.GroupWanted, responses=shapes.GroupShown)
    def post(self, request: Request) -> Response:
        """Make a group of our own, with its members."""
        actor = actor_of(request)
        actions.require(actor, "accounts.add_group")
        body = checked(shapes.GroupWanted, request.data)
        people = _people(body["members_emails"])
        with transaction.atomic():
            group = actions.create_group(body["name"], actor=actor)
            _set_members(group, people, actor)
        return Response(_group_shown(_group(str(group.pk))))


class OneGroup(Endpoint):
    """One group."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "DELETE": _WRITE}

    @extend_schema(responses=shapes.GroupShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it."""
        actions.require(actor_of(request), "accounts.view_group")
        return Response(_group_shown(_group(pk)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that is in use is refused with 409."""
        actions.require(actor_of(request), "accounts.delete_group")
        actions.delete_group(_group(pk), actor=actor_of(request))
        return Response(status=204)


class GroupName(Endpoint):
    """A group's name."""

    scopes: ClassVar[Scopes] = {"PUT": _WRITE}

    @extend_schema(request=shapes.NameWanted, responses=shapes.GroupShown)
    def put(self, request: Request, pk: str) -> Response:
        """Give it another name; one that comes from elsewhere is changed there."""
        actions.require(actor_of(request), "accounts.change_group")
        group = _group(pk)
        actions.rename_group(group, checked(shapes.NameWanted, request.data)["name"], actor=actor_of(request))
        return Response(_group_shown(_group(pk)))


class Members(Endpoint):
    """Who is in a group."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PUT": _WRITE}

    @extend_schema(parameters=PAGED, responses=shapes.MemberList)
    def get(self, request: Request, pk: str) -> Response:
        """List members by address."""
        actions.require(actor_of(request), "accounts.view_group")
        page = paging.by_token(request, User.objects.filter(memberships__group=_group(pk)), order=("email", "id"))
        return Response({"items": [{"email": one.email} for one in page.rows], "pagination": page.by_token})

    @extend_schema(request=shapes.MembersWanted, responses={204: None})
    def put(self, request: Request, pk: str) -> Response:
        """Make just these people the members."""
        actor = actor_of(request)
        actions.require(actor, "accounts.change_group")
        group, people = _group(pk), _people(checked(shapes.MembersWanted, request.data)["members_emails"])
        with transaction.atomic():
            locked = Group.objects.select_for_update().get(pk=group.pk)
            _set_members(locked, people, actor)
        return Response(status=204)


class Member(Endpoint):
    """One member of a group."""

    scopes: ClassVar[Scopes] = {"PUT": _WRITE, "DELETE": _WRITE}

    @extend_schema(request=None, responses={204: None})
    def put(self, request: Request, pk: str, email: str) -> Response:
        """Put the person into the group; nothing happens to who is in it."""
        actions.require(actor_of(request), "accounts.change_group")
        (person,) = _people([email], "email")
        actions.add_member(_group(pk), person, actor=actor_of(request))
        return Response(status=204)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str, email: str) -> Response:
        """Take the person out of the group."""
        actions.require(actor_of(request), "accounts.change_group")
        group = _group(pk)
        person = group.members.filter(email=email.strip().lower()).first()
        if person is None:
            raise Http404
        actions.remove_member(group, person, actor=actor_of(request))
        return Response(status=204)


def _users() -> QuerySet[User]:
    return User.objects.prefetch_related(_ORIGINS, "roles", "attributes")


def name_parts(row: User) -> Part:
    """Return a person's two names. We keep one; its last word is told as the last name."""
    first, _, last = row.name.rpartition(" ")
    return {"first_name": first or last, "last_name": last if first else ""}


def _user_shown(row: User) -> Part:
    """Return a person."""
    attributes: dict[str, list[str]] = {}
    for one in sorted(row.attributes.all(), key=lambda one: (one.type, one.value)):
        attributes.setdefault(one.type, []).append(one.value)
    return {
        "id": str(row.pk),
        "email": row.email,
        "email_aliases": [],
        **name_parts(row),
        "active": row.is_active,
        "roles": sorted(ROLES[Role(one.role)] for one in row.roles.all()),
        "attributes": {kind: ", ".join(values) for kind, values in attributes.items()},
        **_source(row, with_id=False),
    }


class Users(Endpoint):
    """People."""

    scopes: ClassVar[Scopes] = {"GET": _READ}

    @extend_schema(
        parameters=_parameters("first_name", "last_name", "role", "source_integration_id", "source_integration_name"),
        responses=shapes.UserList,
    )
    def get(self, request: Request) -> Response:
        """List people by address."""
        actions.require(actor_of(request), "accounts.view_user")
        paging.take_up_filters(request)
        page = paging.by_token(request, _users().filter(_asked(request)).distinct(), order=("email", "id"))
        return Response({"items": [_user_shown(one) for one in page.rows], "pagination": page.by_token})


def _asked(request: Request) -> Q:
    """Return the condition that the filters make."""
    told, found = request.query_params, Q()
    if first := told.get("first_name"):
        found &= named("name", f"{first} *") | named("name", first)
    if last := told.get("last_name"):
        found &= named("name", f"* {last}")
    if pk := told.get("source_integration_id"):
        found &= Q(origins__integration__in=uuids([pk]))
    if name := told.get("source_integration_name"):
        found &= Q(origins__integration__in=_named_integrations(name))
    if roles := [one.lower() for text in told.getlist("role") for one in text.split(",")]:
        found &= Q(
            roles__role__in=[ours for ours, theirs in ROLES.items() if {theirs.lower(), ours.value} & set(roles)]
        )
    return found


def _named_integrations(name: str) -> Any:
    return Origin.objects.filter(named("integration__name", name)).values("integration")


class OneUser(Endpoint):
    """One person."""

    scopes: ClassVar[Scopes] = {"GET": _READ}

    @extend_schema(responses=shapes.UserShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return the person, found by id or address."""
        actions.require(actor_of(request), "accounts.view_user")
        which = Q(pk__in=uuids([pk])) | Q(email=pk.lower())
        row = _users().filter(which).first()
        if row is None:
            raise Http404
        return Response(_user_shown(row))
