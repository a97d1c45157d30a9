"""What the older addresses about requests answer. Everything was read beforehand: no query here."""

from __future__ import annotations

from typing import TypedDict

from access_requests.choices import RequestState, in_older_api
from access_requests.models import AccessRequest


class RequestShape(TypedDict):
    """A request. This shape knows one integration: of a request over several it tells the first, by name."""

    request_id: str
    friendly_request_id: str
    user_id: str
    status: str
    integration_id: str
    resource_ids: list[str]
    permissions: list[str]
    justification: str


class DetailsShape(TypedDict):
    """How to connect, in words."""

    details: str


def request_shape(access: AccessRequest) -> RequestShape:
    """Return a request. `user_id` is who holds the access."""
    groups = list(access.access_groups.all())[:1]
    units = [unit for group in groups for unit in group.units.all()]
    return {
        "request_id": str(access.pk),
        "friendly_request_id": str(access),
        "user_id": str(access.grantee_id),
        "status": in_older_api(RequestState(access.state)),
        "integration_id": str(groups[0].integration_id) if groups else "",
        "resource_ids": list(dict.fromkeys(str(unit.resource_id) for unit in units)),
        "permissions": list(dict.fromkeys(unit.permission_source_id for unit in units)),
        "justification": access.justification,
    }
