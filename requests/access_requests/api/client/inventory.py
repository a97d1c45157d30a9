"""What may be asked for: systems, types, resources, permissions, bundles, and whom for. Only what a flow gives."""

from __future__ import annotations

from typing import TypedDict

from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import offering
from access_requests.api.client.door import Told, answered, asker_of, cut, endpoint, find_session, me
from access_requests.api.client.reading import InventoryReader, read_query
from access_requests.api.client.shapes import (
    GranteeShape,
    IntegrationShape,
    PermissionShape,
    ResourceShape,
    ResourceTypeShape,
    UnitShape,
    entitlement_shape,
    grantee_shape,
    integration_shape,
    permission_shape,
    resource_shape,
    resource_type_shape,
)
from integrations.search import Place, words_of

READ = "end_user:inventory:read"
PERSON = "user"


class BundleShape(TypedDict):
    """A named set of entitlements."""

    id: str
    name: str
    labels: dict[str, str]


def _places(http: Request, reader: InventoryReader) -> list[Place]:
    """Return where what the asker may have lies; with a session, only where that leads."""
    who = asker_of(http, reader.validated_data["grantee_id"])
    found = offering.places_in(who, reader.narrow)
    session = reader.validated_data["session_id"]
    if not session:
        return found
    here = str(find_session(http, session).group.integration_id)
    return [place for place in found if place.integration_id == here]


def _has(text: str, *names: str) -> bool:
    """Whether every word of a text is in one of the names."""
    told = "\n".join(names).lower()
    return all(word in told for word in words_of(text))


@endpoint("GET", scope=READ, told=Told(query=InventoryReader, lists=IntegrationShape))
def integrations(http: Request) -> Response:
    """List the systems in which a flow gives the asker something."""
    reader = read_query(http, InventoryReader)
    found = {
        place.integration_id: integration_shape(place.integration_id, place.integration_name, place.provider)
        for place in _places(http, reader)
        if _has(reader.narrow.text, place.integration_name, place.provider)
    }
    rows, more = cut(list(found.values()), reader.page)
    return answered(rows, reader.page, more)


@endpoint("GET", scope=READ, told=Told(query=InventoryReader, lists=ResourceTypeShape))
def resource_types(http: Request) -> Response:
    """List the kinds of resources of which a flow gives the asker something, each once."""
    reader = read_query(http, InventoryReader)
    found = {
        place.type: resource_type_shape(place.type, place.type_name)
        for place in _places(http, reader)
        if _has(reader.narrow.text, place.type, place.type_name)
    }
    rows, more = cut(list(found.values()), reader.page)
    return answered(rows, reader.page, more)


@endpoint("GET", scope=READ, told=Told(query=InventoryReader, lists=ResourceShape))
def resources(http: Request) -> Response:
    """List the resources on which a flow gives the asker something, in reading order."""
    reader = read_query(http, InventoryReader)
    who = asker_of(http, reader.validated_data["grantee_id"])
    rows, more = offering.find_resources(who, reader.narrow, reader.page.skip, reader.page.limit)
    return answered([resource_shape(one) for one in rows], reader.page, more)


@endpoint("GET", scope=READ, told=Told(query=InventoryReader, lists=PermissionShape))
def permissions(http: Request) -> Response:
    """List what a flow gives the asker on resources of a type, least risk first, each once."""
    reader = read_query(http, InventoryReader)
    who = asker_of(http, reader.validated_data["grantee_id"])
    found = {
        (row.source_id, row.name): permission_shape(row.source_id, row.name)
        for row in offering.permissions_in(who, reader.narrow)
    }
    rows, more = cut(list(found.values()), reader.page)
    return answered(rows, reader.page, more)


@endpoint("GET", scope=READ, told=Told(query=InventoryReader, lists=UnitShape))
def access_units(http: Request) -> Response:
    """List the entitlements that can be granted to the asker now."""
    reader = read_query(http, InventoryReader)
    who = asker_of(http, reader.validated_data["grantee_id"])
    rows, more = offering.find_units(who, reader.narrow, reader.page.skip, reader.page.limit)
    return answered([entitlement_shape(one) for one in rows], reader.page, more)


@endpoint("GET", scope=READ, told=Told(query=InventoryReader, lists=BundleShape))
def bundles(http: Request) -> Response:
    """List the bundles that a flow gives the asker."""
    reader = read_query(http, InventoryReader)
    who = asker_of(http, reader.validated_data["grantee_id"])
    named = ((str(found.get("name", "")), pk) for pk, found in who.reach.bundles().items())
    found: list[BundleShape] = [
        {"id": pk, "name": name, "labels": {}}
        for name, pk in sorted(named, key=lambda one: (one[0].lower(), one[1]))
        if _has(reader.narrow.text, name)
    ]
    rows, more = cut(found, reader.page)
    return answered(rows, reader.page, more)


@endpoint("GET", scope=READ, told=Told(query=InventoryReader, lists=GranteeShape))
def grantees(http: Request) -> Response:
    """List whom the asker may ask for: themselves first, then others whom a flow allows. Access is for people."""
    reader = read_query(http, InventoryReader)
    if reader.validated_data["grantee_type"].lower() not in {"", PERSON}:
        return answered([], reader.page, more=False)
    who, text = offering.asker(me(http)), reader.narrow.text
    own = [grantee_shape(who.user)] if _has(text, who.user.name, who.user.email) else []
    others = offering.people_for(who.user, who.flows, text)
    # The asker is the first row of the list; what comes after it is read by the database.
    size, skip = reader.page.limit, reader.page.skip
    start = max(0, skip - len(own))
    first = own[skip : skip + size]
    found = list(others[start : start + size - len(first) + 1])
    shown = [*first, *(grantee_shape(one) for one in found[: size - len(first)])]
    return answered(shown, reader.page, len(found) > size - len(first))
