"""What the token's own person may ask for, for themselves or for somebody whom a flow lets them ask for."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from access_requests import offering
from access_requests.api.asking import asker_of
from access_requests.api.client.reading import read_query
from access_requests.api.describing import BY_TOKEN, Told
from access_requests.api.user.door import endpoint, listed
from access_requests.api.user.reading import BundlesReader, EntitlementsReader
from access_requests.api.user.shapes import EntitlementShape, NamedShape, entitlement_shape
from accounts.choices import TokenScope
from accounts.rest import paging
from accounts.rest.wildcards import fits
from integrations.queries import Entitlement

READ = TokenScope.INVENTORY_READ


@endpoint("GET", scope=READ, told=Told(query=BundlesReader, lists=NamedShape, style=BY_TOKEN))
def bundles(http: Request) -> Response:
    """List the bundles that a flow gives, by name."""
    paging.take_up_filters(http)
    data = read_query(http, BundlesReader).validated_data
    who, names = asker_of(http, data["grantee"]), data.get("name")
    every = sorted([str(one.get("name", "")), pk] for pk, one in who.reach.bundles().items())
    found = [one for one in every if not names or any(fits(one[0], name) for name in names)]

    def read(place: list[Any], size: int) -> tuple[list[Any], list[Any] | None]:
        rows = [one for one in found if one > place]
        return rows[:size], rows[size - 1] if len(rows) > size else None

    page = paging.by_cursor(http, read, start=["", ""])
    return listed(page, lambda rows: [{"id": pk, "name": name} for name, pk in rows])


@endpoint("GET", scope=READ, told=Told(query=EntitlementsReader, lists=EntitlementShape, style=BY_TOKEN))
def entitlements(http: Request) -> Response:
    """List the entitlements that can be granted now. A page may be short, or empty, though there is a next one."""
    paging.take_up_filters(http)
    data = read_query(http, EntitlementsReader).validated_data
    who = asker_of(http, data["grantee"])
    narrow = _narrow(who, data)

    def read(place: list[Any], size: int) -> tuple[list[Any], list[Any] | None]:
        if narrow is None:
            return [], None
        rows, following = offering.find_units_behind(
            who, narrow, (place[0], place[1]), size, lambda one: _fits(one, data)
        )
        return rows, None if following is None else list(following)

    page = paging.by_cursor(http, read, start=[0, 0])
    return listed(page, lambda rows: [entitlement_shape(one) for one in rows])


def _narrow(who: offering.Asker, data: dict[str, Any]) -> offering.Narrow | None:
    """Return what the database looks for; None where no integration is meant. What it finds too much, `_fits` drops."""
    name, pk = data["integration_name"], data["integration_id"]
    integrations: tuple[str, ...] = (pk,) if pk else ()
    if name:
        places = offering.places_in(who, offering.Narrow(integrations))
        integrations = tuple({one.integration_id for one in places if fits(one.integration_name, name)})
        if not integrations:
            return None
    return offering.Narrow(
        integrations=integrations,
        types=tuple(data.get("resource_type_id") or ()),
        text=data["resource_name"].replace("*", " "),
    )


def _fits(one: Entitlement, data: dict[str, Any]) -> bool:
    named = not data["resource_name"] or fits(one.resource_name, data["resource_name"])
    wanted = data.get("permission_name")
    return named and (not wanted or any(fits(one.permission_name, name) for name in wanted))
