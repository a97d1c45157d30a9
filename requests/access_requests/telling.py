"""What this floor tells the floors below of itself: who depends on an integration, who holds a resource."""

from __future__ import annotations

from typing import Any

from access_requests.choices import FINAL, HOLDS_ACCESS, OPEN
from access_requests.models import AccessGroup, AccessUnit
from access_requests.queries.drift import coverage
from integrations.models import Integration, Resource
from integrations.queries import DEPENDANTS_NAMED, Dependant, Panel, Use, tells_people

# What is counted is counted up to here.
MANY = 1000


def dependants_of(integration: Integration) -> list[Dependant]:
    """Return the requests that name an integration: those that are open one by one, then how many are over.

    Those that are over count, too: their record, and the proof of their end, speak of it.
    """
    view = "requests.view_accessrequest"
    groups = AccessGroup.objects.filter(integration=integration)
    open_ones = groups.filter(request__state__in=OPEN).order_by("request")[:DEPENDANTS_NAMED]
    live = [
        Dependant(f"access request AR-{one.request_id}", view, "requests_accessrequest", str(one.request_id))
        for one in open_ones
    ]
    over = groups.filter(request__state__in=FINAL)[:MANY].count()
    if over:
        told = f"the record of {over}{' or more' if over == MANY else ''} ended access request{'s'[: over != 1]}"
        filtered = f"access_groups__integration__id__exact={integration.pk}"
        live.append(Dependant(told, view, "requests_accessrequest", query=filtered))
    return live


def use_of(resource: Resource, user: Any) -> Use | None:
    """Say who holds something on a resource now, to who may read of requests. One query."""
    if not user.has_perm("requests.view_accessrequest"):
        return None
    units = AccessUnit.objects.filter(resource=resource, group__request__state__in=HOLDS_ACCESS)
    held = units.select_related("group__request__grantee").order_by("group__request")[: DEPENDANTS_NAMED + 1]
    rows = [_holder(unit) for unit in held]
    told = "Nobody holds anything on it through Latchkey." if not rows else ""
    if len(rows) > DEPENDANTS_NAMED:
        told = f"The first {DEPENDANTS_NAMED}; there are more."
    return Use("Who holds it now", told, tuple(rows[:DEPENDANTS_NAMED]))


def _holder(unit: AccessUnit) -> Dependant:
    access = unit.group.request
    words = f"{unit.permission_name}: {access.grantee} ({access}, {unit.get_state_display().lower()})"
    return Dependant(words, "requests.view_accessrequest", "requests_accessrequest", str(access.pk))


def drift_panel(integration: Integration, user: Any) -> Panel | None:
    """Say how an integration was looked at for drift, to who may read of it."""
    if not user.has_perm("requests.view_driftfinding") or tells_people(integration):
        return None
    (found,) = coverage([integration])
    told = {"coverage": found, "may_look": user.has_perm("requests.start_reconcilerun")}
    return Panel("admin/requests/drift_panel.html", told)
