"""Sessions: what a grantee holds, the details to connect, and their credentials, which are handed out once."""

from __future__ import annotations

from itertools import groupby
from typing import Any, NotRequired, TypedDict

from django.db.models import Q, QuerySet
from django.views.decorators.debug import sensitive_variables
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import offering
from access_requests.api.client.door import (
    SAYS,
    Told,
    answered,
    cut,
    endpoint,
    find_group,
    find_session,
    me,
    page_of,
    said,
)
from access_requests.api.client.reading import (
    DetailsReader,
    InventoryReader,
    SessionGroupsReader,
    SessionsReader,
    read_query,
)
from access_requests.api.client.requests_shape import unit_shape
from access_requests.api.client.sessions_shape import (
    ACTIVE,
    DISCONNECTED,
    DetailsShape,
    SessionShape,
    details_shape,
    is_open,
    session_shape,
)
from access_requests.api.client.shapes import (
    IntegrationShape,
    PermissionShape,
    ResourceShape,
    ResourceTypeShape,
    UnitShape,
    integration_shape,
)
from access_requests.api.credentials import reset, taken
from access_requests.api.ids import request_number, uuid_of
from access_requests.api.states import CREDENTIALS
from access_requests.models import AccessGroup, AccessSession, AccessUnit
from access_requests.queries.client import sessions_of
from accounts.models import User
from flows.decision import target_covers, targets_of
from integrations.queries import entitlements

READ, WRITE = "end_user:access_sessions:read", "end_user:access_sessions:write"
# Of these forms the secret is no part: to ask for them uses nothing up.
WITHOUT_SECRETS = {"cli", "link"}


class SessionGroupShape(TypedDict):
    """What is held in one integration."""

    integration: IntegrationShape
    total: int
    sessions: list[SessionShape]
    custom_access_details: NotRequired[str]


class SessionTemplateShape(TypedDict):
    """What to ask for to get the same again."""

    integrations: list[IntegrationShape]
    resource_types: list[ResourceTypeShape]
    resources: list[ResourceShape]
    permissions: list[PermissionShape]


class GroupDetailsShape(TypedDict):
    """How to connect, what is secret masked."""

    plain: str
    markdown: str
    can_reset_credentials: bool


@endpoint("GET", scope=READ, told=Told(query=SessionsReader, lists=SessionShape))
def access_sessions(http: Request) -> Response:
    """List what the asker holds now."""
    reader = read_query(http, SessionsReader)
    rows, more = page_of(_narrowed(me(http), reader), reader.page)
    return answered([session_shape(one) for one in rows], reader.page, more)


@endpoint("GET", scope=READ, told=Told(query=SessionGroupsReader, lists=SessionGroupShape))
def session_groups(http: Request) -> Response:
    """List what the asker holds now, by integration."""
    reader = read_query(http, SessionGroupsReader)
    size = reader.validated_data["sessions-page-size"]
    rows = list(_narrowed(me(http), reader))
    groups = [list(found) for _, found in groupby(rows, key=lambda one: one.group.integration_id)]
    shown, more = cut(groups, reader.page)
    return answered([_group(found, size) for found in shown], reader.page, more)


def _group(found: list[AccessSession], size: int) -> dict[str, Any]:
    here = found[0].group.integration
    shape: dict[str, Any] = {
        "integration": integration_shape(str(here.pk), here.name, here.type),
        "total": len(found),
        "sessions": [session_shape(one) for one in found[:size]],
    }
    return shape | ({"custom_access_details": here.custom_access_details} if here.custom_access_details else {})


def _narrowed(user: User, reader: SessionsReader) -> QuerySet[AccessSession]:
    data = reader.validated_data
    rows = sessions_of(user, ended=data["include_disconnected"])
    if data.get("integration_id"):
        rows = rows.filter(group__integration__in=[uuid_of(text) for text in data["integration_id"]])
    if data.get("request_id"):
        rows = rows.filter(group__request__in=[request_number(text) for text in data["request_id"]])
    if data.get("credentials_id"):
        rows = rows.filter(pk__in=[uuid_of(text) for text in data["credentials_id"]])
    kinds = [*data.get("integration_types", ()), *data.get("session_types", ())]
    if kinds:
        rows = rows.filter(group__integration__type__in=kinds)
    if data["search"].strip():
        rows = rows.filter(group__integration__name__icontains=data["search"].strip())
    if data.get("status"):
        rows = _with_status(rows, {word.lower() for word in data["status"]})
    return rows.filter(pk__in=_in_bundles(user, rows, data["bundle_id"])) if data.get("bundle_id") else rows


def _with_status(rows: QuerySet[AccessSession], words: set[str]) -> QuerySet[AccessSession]:
    """Keep the sessions whose own state, or whose credentials', is one of the words."""
    over = Q(ended_at__isnull=False) | Q(group__ended_at__isnull=False) | ~Q(group__request__state="active")
    wanted = Q(pk__in=[])
    if ACTIVE.lower() in words:
        wanted |= ~over
    if DISCONNECTED.lower() in words:
        wanted |= over
    ours = [state for state, word in CREDENTIALS.items() if word.lower() in words]
    return rows.filter(wanted | Q(credentials_status__in=ours))


def _in_bundles(user: User, rows: QuerySet[AccessSession], ids: list[str]) -> list[Any]:
    """Return the ids of the sessions through which something of these bundles is held."""
    bundles = [found for found in map(offering.asker(user).bundle, ids) if found is not None]
    targets = [target for bundle in bundles for target in targets_of({"targets": [bundle]})]
    units = AccessUnit.objects.filter(group__session__in=rows.order_by())
    named = list(units.values_list("group__session", "resource_id", "permission_id"))
    given = {
        (one.resource_id, one.permission_id)
        for one in entitlements((resource, permission) for _, resource, permission in named)
        if any(target_covers(target, one) for target in targets)
    }
    return [session for session, *pair in named if tuple(pair) in given]


@endpoint("GET", scope=READ, told=Told(gives=SessionShape))
def access_session(http: Request, pk: str) -> Response:
    """Show one session of the asker's own."""
    return Response(session_shape(find_session(http, pk), asked_alone=True))


@endpoint("GET", scope=READ, secret=True, told=Told(query=DetailsReader, gives=DetailsShape))
@sensitive_variables("secrets")
def access_details(http: Request, pk: str) -> Response:
    """Tell how to connect. Credentials nobody has seen are handed out once, to a client that says who it is.

    Without `consumed_by`, for a form that holds no secret, and to a browser that looks ahead, they stay where they are.
    """
    session, reader = find_session(http, pk), read_query(http, DetailsReader).validated_data
    surface = "" if reader["format_type"].lower() in WITHOUT_SECRETS else reader["consumed_by"]
    secrets = taken(http, session, surface)
    if secrets:
        session = find_session(http, pk)
    return Response(details_shape(session, secrets))


@endpoint("POST", scope=WRITE, told=SAYS)
def reset_credentials(http: Request, pk: str) -> Response:
    """Have new credentials made; the old ones stop working."""
    return reset(http, find_session(http, pk))


@endpoint("GET", scope=READ, told=Told(gives=SessionTemplateShape))
def session_template(http: Request, pk: str) -> Response:
    """Tell what to ask for to get the same again."""
    group = find_group(http, str(find_session(http, pk).group_id))
    units = [unit_shape(unit, group) for unit in group.units.all()]
    kinds = {one["resource"]["type"]["id"]: one["resource"]["type"] for one in units}
    resources = {one["resource"]["id"]: one["resource"] for one in units}
    permissions = {one["permission"]["id"]: one["permission"] for one in units}
    here = group.integration
    return Response(
        {
            "integrations": [integration_shape(str(here.pk), here.name, here.type)],
            "resource_types": list(kinds.values()),
            "resources": list(resources.values()),
            "permissions": list(permissions.values()),
        }
    )


@endpoint("POST", scope=READ, told=SAYS)
def session_sync(http: Request) -> Response:
    """Say that there is nothing to bring up to date: sessions are told from the record each time."""
    return said("Sessions are up to date.")


@endpoint("GET", scope=READ, secret=True, told=Told(gives=GroupDetailsShape))
def group_details(http: Request, pk: str) -> Response:
    """Tell how to connect through a part of a request, what is secret masked; only to its grantee."""
    session = _session_of(http, pk)
    shape = details_shape(session, {})
    resettable = shape.get("credentials", {}).get("can_reset", False)
    told = {"plain": shape["instructions"]["plain"], "markdown": shape["instructions"]["markdown"]}
    return Response({**told, "can_reset_credentials": resettable})


@endpoint("POST", scope=WRITE, told=SAYS)
def group_reset(http: Request, pk: str) -> Response:
    """Have new credentials made for a part of a request."""
    return reset(http, _session_of(http, pk))


def _session_of(http: Request, pk: str) -> AccessSession:
    """Return the asker's own open session of a part of a request. Raises NotFound."""
    group: AccessGroup = find_group(http, pk)
    session: AccessSession | None = getattr(group, "session", None)
    return find_session(http, str(session.pk) if session is not None and is_open(session) else "")


@endpoint("GET", scope=READ, told=Told(query=InventoryReader, lists=UnitShape))
def group_units(http: Request, pk: str) -> Response:
    """List what a part of a request names, with how each fares."""
    group, reader = find_group(http, pk), read_query(http, InventoryReader)
    narrow = reader.narrow
    units = [
        unit
        for unit in group.units.all()
        if (not narrow.types or unit.resource_type in narrow.types)
        and (not narrow.integrations or str(group.integration_id) in narrow.integrations)
    ]
    shown, more = cut(units, reader.page)
    return answered([unit_shape(unit, group) for unit in shown], reader.page, more)
