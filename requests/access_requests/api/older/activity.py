"""Activity at its older address: every request the token shows, filtered, in the fields of an activity report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

from django.db.models import Exists, OuterRef, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access_requests.api.client.reading import read_query
from access_requests.api.describing import COUNTED, Told
from access_requests.api.ids import numbers, request_number, uuid_of
from access_requests.api.older.door import READ, by_person, counted, endpoint, seen
from access_requests.api.older.reading import USUAL, ActivityReader
from access_requests.models import AccessGroup, AccessRequest, AccessUnit
from access_requests.reports import fields
from access_requests.reports.rows import in_detail
from flows.models import FlowVersion

Rows = QuerySet[AccessRequest]


class ActivityShape(TypedDict):
    """A request as a report tells it: the fields that are asked for; null where there is nothing to say."""

    request_id: NotRequired[str | None]
    request_date: NotRequired[str | None]
    request_grant_date: NotRequired[str | None]
    request_revoke_date: NotRequired[str | None]
    requestor_name: NotRequired[str | None]
    requestor_email: NotRequired[str | None]
    grantee_name: NotRequired[str | None]
    grantee_id: NotRequired[str | None]
    grantee_type: NotRequired[str | None]
    integration: NotRequired[str | None]
    resource_type: NotRequired[str | None]
    resources: NotRequired[list[str]]
    permissions: NotRequired[list[str]]
    approver_names: NotRequired[str | None]
    approver_emails: NotRequired[str | None]
    approver_types: NotRequired[str | None]
    justification: NotRequired[str | None]
    status: NotRequired[str | None]
    approver_reason: NotRequired[str | None]
    resources_status: NotRequired[str | None]
    trigger_type: NotRequired[str | None]
    access_flow: NotRequired[str | None]
    bundle_name: NotRequired[str | None]
    extension_count: NotRequired[str | None]


@endpoint("GET", scope=READ, told=Told(query=ActivityReader, lists=ActivityShape, style=COUNTED))
def activity(http: Request) -> Response:
    """List what was asked for and what came of it, the latest first."""
    data = read_query(http, ActivityReader).validated_data
    names = tuple(dict.fromkeys(data.get("fields") or USUAL))
    rows = _of_units(_narrowed(seen(http), data), data)
    return counted(http, in_detail(rows), lambda found: [_shape(line, names) for line in fields.lines(found)])


def _shape(line: fields.Line, names: Sequence[str]) -> dict[str, Any]:
    lists = {
        "resources": [unit.resource_path for unit in line.units],
        "permissions": [unit.permission_name for unit in line.units],
    }
    return {
        name: list(dict.fromkeys(lists[name])) if name in lists else fields.FIELDS[name](line) or None for name in names
    }


def _narrowed(rows: Rows, data: dict[str, Any]) -> Rows:
    """Keep what the filters on the request itself select."""
    if data.get("start_date"):
        rows = rows.filter(requested_at__gte=data["start_date"])
    if data.get("end_date"):
        rows = rows.filter(requested_at__lte=data["end_date"])
    if flows := data.get("filter[access_flow_id]"):
        rows = rows.filter(flow_version__flow__in=[uuid_of(text) for text in flows])
    if ids := data.get("filter[access_request_id]"):
        rows = rows.filter(pk__in=[request_number(text) for text in ids])
    if people := data.get("filter[requestor_id]"):
        rows = by_person(rows, "requestor", people)
    if data["states"]:
        rows = rows.filter(state__in=data["states"])
    if data["triggers"]:
        # Of the version that decided; there are far fewer versions than requests.
        versions = FlowVersion.objects.filter(document__trigger__in=data["triggers"])
        rows = rows.filter(flow_version__in=versions.values("pk"))
    return rows


def _of_units(rows: Rows, data: dict[str, Any]) -> Rows:
    """Keep what the filters on its parts select; one unit has to fit all of them that are about units."""
    if here := data.get("filter[integration_id]"):
        groups = AccessGroup.objects.filter(request=OuterRef("pk"), integration__in=[uuid_of(text) for text in here])
        rows = rows.filter(Exists(groups))
    wanted = Q()
    if names := data.get("filter[permission]"):
        wanted &= Q(permission_name__in=names) | Q(permission_source_id__in=names)
    if names := data.get("filter[resource]"):
        wanted &= Q(resource_path__in=names) | Q(resource_source_id__in=names) | Q(resource__in=numbers(names))
    if names := data.get("filter[resource_type]"):
        wanted &= Q(resource_type__in=names)
    return rows.filter(Exists(AccessUnit.objects.filter(wanted, group__request=OuterRef("pk")))) if wanted else rows
