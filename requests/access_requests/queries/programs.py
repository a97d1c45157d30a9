"""What programs read of requests, beside the client API (queries.client). Each list takes a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects

from access_requests.models import AccessGroup, AccessRequest, AccessUnit
from accounts.models import User


def own_requests(user: User) -> QuerySet[AccessRequest]:
    """Return the requests that a person made or holds, whatever else they may see; none that lies in an envelope."""
    if not user.is_active:
        return AccessRequest.objects.none()
    return AccessRequest.objects.filter(Q(requestor=user) | Q(grantee=user), in_envelope=False)


def with_groups(rows: Iterable[AccessRequest]) -> list[AccessRequest]:
    """Add people, integrations, units and their types: five queries, however many."""
    found = list(rows)
    groups = AccessGroup.objects.select_related("integration").order_by("integration__name", "pk")
    units = AccessUnit.objects.select_related("resource__resource_type").order_by("resource_path", "pk")
    prefetch_related_objects(
        found, "requestor", "grantee", Prefetch("access_groups", groups), Prefetch("access_groups__units", units)
    )
    return found


def units_of(access: AccessRequest) -> QuerySet[AccessUnit]:
    """Return what a request names, with all that is told of it."""
    rows = AccessUnit.objects.filter(group__request=access)
    return rows.select_related("group__integration", "resource__resource_type")
