"""The inventory: a million resources, narrowed in the database, a page at a time, never counted to the end."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from integrations import queries
from integrations.choices import ResourceStatus, RiskBand
from integrations.models import Integration, Resource
from integrations.queries import PAGE, PAGES_MAX, Narrowed
from integrations.views import searching
from integrations.views.common import address_of_dependant, need, page

FIELDS = ("q", "integration", "type", "status", "risk", "tag")
# More integrations than this are not offered in a list; they are found by the list of integrations.
OFFERED = 500


def inventory(request: HttpRequest) -> HttpResponse:
    """Search by filters or by query; all of it is in the address."""
    need(request, "integrations.view_resource")
    if searching.is_query(request):
        told = searching.by_query(request)
        return page(request, "inventory_query.html", "Inventory", model=Resource, **told)
    given = {name: request.GET.get(name, "").replace("\0", "").strip()[:300] for name in FIELDS}
    # The names that Django's own lists use, for links made elsewhere.
    given["integration"] = given["integration"] or request.GET.get("integration__id__exact", "")
    number = _number(request.GET.get("p", ""))
    narrowed = Narrowed(**given)
    rows, more = queries.inventory(narrowed, number)
    kept = urlencode({name: value for name, value in given.items() if value})
    integrations = list(Integration.objects.order_by("name").values_list("pk", "name", "resources_found")[:OFFERED])
    return page(
        request,
        "inventory.html",
        "Inventory",
        model=Resource,
        rows=rows,
        given=given,
        narrowed=any(given.values()),
        integrations=[(str(pk), name) for pk, name, _ in integrations],
        total=sum(found for _, _, found in integrations),
        types=queries.types_known(given["integration"]),
        statuses=ResourceStatus.choices,
        risks=RiskBand.choices,
        first=(number - 1) * PAGE + 1,
        last=(number - 1) * PAGE + len(rows),
        number=number,
        previous=f"?{kept}&p={number - 1}" if number > 1 else "",
        following=f"?{kept}&p={number + 1}" if more and number < PAGES_MAX else "",
        capped=more and number >= PAGES_MAX,
        as_query=urlencode({"query": searching.query_for(given)}),
    )


def resource(request: HttpRequest, row: Resource) -> HttpResponse:
    """One resource: what it is, what can be asked for on it, who holds it, and what gives it."""
    need(request, "integrations.view_resource")
    permissions = [(one, row.refusals.get(one.source_id, "")) for one in row.resource_type.permissions.all()]
    return page(
        request,
        "resource.html",
        row.name,
        model=Resource,
        resource=row,
        permissions=permissions,
        tags=row.tags.order_by("key"),
        context=sorted(row.context.items()),
        uses=_uses(request, row),
    )


def _uses(request: HttpRequest, row: Resource) -> list[dict[str, Any]]:
    """Return what the floors above say of a resource, each part to who may read of it."""
    return [
        {"title": use.title, "told": use.told, "rows": [(one.words, address_of_dependant(one)) for one in use.rows]}
        for use in queries.uses(row, request.user)
    ]


def _number(text: str) -> int:
    """Return the number of a page, from 1."""
    return min(max(int(text), 1), PAGES_MAX) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
