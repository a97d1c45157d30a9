"""Overdue ends: now, and before; each with the order that is to bring it about and the proposal that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from access_requests.choices import DeclarationState, RequestState
from access_requests.models import AccessGroup, AccessRequest, Declaration
from integrations.models import Order
from integrations.queries import open_orders_of


@dataclass(frozen=True, slots=True)
class Late:
    """An end that is overdue in one integration: its order, if one is open, and the proposal to declare it ended."""

    access: AccessRequest
    group: AccessGroup
    order: Order | None
    proposal: Declaration | None

    @property
    def is_running(self) -> bool:
        """Whether a connector is at it right now."""
        return self.order is not None and self.order.lease_until is not None


def overdue_now() -> QuerySet[AccessRequest]:
    """Return the revokes that are overdue, the longest due first."""
    rows = AccessRequest.objects.filter(state=RequestState.REVOKING, overdue_since__isnull=False)
    return rows.select_related("grantee", "flow_version").order_by("due_at", "pk")


def overdue_before() -> QuerySet[AccessRequest]:
    """Return what was overdue and is over, the latest first: proven, or declared."""
    rows = AccessRequest.objects.filter(state=RequestState.REVOKED, overdue_since__isnull=False)
    return rows.select_related("grantee").order_by("-ended_at", "-pk")


def with_orders(rows: Sequence[AccessRequest]) -> list[Late]:
    """Return what is not proven of these requests, by integration. Four queries, however many."""
    ids = [row.pk for row in rows]
    units = AccessGroup.objects.filter(request__in=ids, dispatched_at__isnull=False, ended_at__isnull=True)
    groups = list(units.select_related("integration").prefetch_related("units").order_by("integration__name"))
    grantees = {row.pk: row for row in rows}
    orders = open_orders_of((one.integration_id, grantees[one.request_id].grantee_id) for one in groups)
    waiting = Declaration.objects.filter(request__in=ids, state=DeclarationState.WAITING)
    proposals = {one.request_id: one for one in waiting.select_related("proposed_by")}
    return [
        Late(row, one, orders.get((one.integration_id, row.grantee_id)), proposals.get(row.pk))
        for row in rows
        for one in groups
        if one.request_id == row.pk
    ]


def declarations_of(access: AccessRequest) -> list[Declaration]:
    """Return the proposals about a request, latest first. No query where its end was never overdue."""
    if access.overdue_since is None:
        return []
    return list(access.declarations.select_related("proposed_by", "decided_by"))
