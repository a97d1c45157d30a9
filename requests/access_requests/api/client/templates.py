"""Templates of requests: what a person asks for often. Shown is of them what they may still have."""

from __future__ import annotations

from typing import TypedDict

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import actions, offering
from access_requests.api.client.door import SAYS, Told, actor_of, answered, asker_of, done, endpoint, me, page_of, said
from access_requests.api.client.reading import InventoryReader, TemplateReader, read_body, read_query
from access_requests.api.client.requests import READ, WRITE
from access_requests.api.client.shapes import (
    IntegrationShape,
    PermissionShape,
    ResourceShape,
    ResourceTypeShape,
    instant,
    integration_shape,
    permission_shape,
    resource_shape,
    resource_type_shape,
)
from access_requests.api.ids import uuid_of
from access_requests.models import RequestTemplate

SCOPES = {"GET": READ, "PUT": WRITE, "DELETE": WRITE}
KIND = "IntegrationRequest"


class TemplateShape(TypedDict):
    """What a person asks for often."""

    id: str
    name: str
    type: str
    integrations: list[IntegrationShape]
    resource_types: list[ResourceTypeShape]
    resources: list[ResourceShape]
    permissions: list[PermissionShape]
    create_date: float


ONE = Told(gives=TemplateShape)
WRITTEN = Told(body=TemplateReader, gives=TemplateShape)
LISTED = Told(query=InventoryReader, lists=TemplateShape)


@endpoint("GET", "POST", scope={"GET": READ, "POST": WRITE}, told={"GET": LISTED, "POST": WRITTEN})
def request_templates(http: Request) -> Response:
    """List the asker's templates; with POST keep a new one."""
    if http.method == "POST":
        return Response(_shape(http, _kept(http, None)))
    reader = read_query(http, InventoryReader)
    rows = RequestTemplate.objects.filter(user=me(http), name__icontains=reader.narrow.text.strip())
    found, more = page_of(rows.order_by("name"), reader.page)
    who = asker_of(http)
    return answered([_told(who, one) for one in found], reader.page, more)


@endpoint("GET", "PUT", "DELETE", scope=SCOPES, told={"GET": ONE, "PUT": WRITTEN, "DELETE": SAYS})
def request_template(http: Request, pk: str) -> Response:
    """Show one of the asker's templates, change it, or drop it."""
    row = RequestTemplate.objects.filter(pk=uuid_of(pk), user=me(http)).first()
    if row is None:
        raise NotFound
    if http.method == "DELETE":
        done(lambda: actions.drop_template(row, user=me(http), actor=actor_of(http)))
        return said(f"The template {row.name} was dropped.")
    return Response(_shape(http, _kept(http, row) if http.method == "PUT" else row))


def _kept(http: Request, row: RequestTemplate | None) -> RequestTemplate:
    data, made = read_body(http, TemplateReader), list[RequestTemplate]()
    told = actions.Template(
        name=data["name"],
        integrations=data["filter_integration_ids"] or (),
        resource_types=data["filter_resource_type_ids"] or (),
        resources=data["filter_resource_ids"] or (),
        permissions=data["filter_permission_ids"] or (),
    )
    done(lambda: made.append(actions.keep_template(told, user=me(http), actor=actor_of(http), template=row)))
    return made[0]


def _shape(http: Request, row: RequestTemplate) -> TemplateShape:
    return _told(asker_of(http), row)


def _told(who: offering.Asker, row: RequestTemplate) -> TemplateShape:
    """Return a template. What no flow gives any more is left out: its name may be a secret by now."""
    narrow = offering.Narrow(integrations=tuple(row.integrations), types=tuple(row.resource_types))
    places = offering.places_in(who, narrow)
    resources = offering.Narrow(narrow.integrations, narrow.types, resources=tuple(row.resources))
    found = offering.find_resources(who, resources, 0, len(row.resources))[0] if row.resources else []
    permissions = {
        one.source_id: permission_shape(one.source_id, one.name)
        for one in (offering.permissions_in(who, narrow) if row.permissions else ())
        if {one.source_id, one.name} & set(row.permissions)
    }
    systems = {one.integration_id: one for one in places if row.integrations}
    kinds = {one.type: one for one in places if row.resource_types}
    return {
        "id": str(row.pk),
        "name": row.name,
        "type": KIND,
        "integrations": [integration_shape(pk, one.integration_name, one.provider) for pk, one in systems.items()],
        "resource_types": [resource_type_shape(kind, one.type_name) for kind, one in kinds.items()],
        "resources": [resource_shape(one) for one in found],
        "permissions": list(permissions.values()),
        "create_date": instant(row.created_at),
    }
