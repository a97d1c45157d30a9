"""What the overview shows of requests. Each read takes a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Prefetch, Q, QuerySet, prefetch_related_objects

from access_requests.choices import WAITING, RequestState
from access_requests.models import AccessGroup, AccessRequest
from integrations.models import Order
from integrations.queries import open_orders_of

# What ends within this long ends "soon".
SOON = timedelta(hours=1)
# Overdue ends that are told one by one.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Figures:
    """How much access there is at a moment. Times are None where nothing of the kind is there."""

    active: int
    people: int
    ending_soon: int
    next_end_at: datetime | None
    waiting: int
    oldest_waiting_at: datetime | None
    overdue: int
    oldest_overdue_at: datetime | None


def figures(at: datetime) -> Figures:
    """Return the figures of the overview. Three queries, each over a part of the table that has an index of its own."""
    active = AccessRequest.objects.filter(state=RequestState.ACTIVE).aggregate(
        active=Count("pk"),
        people=Count("grantee", distinct=True),
        ending_soon=Count("pk", filter=Q(ends_at__lte=at + SOON)),
        next_end_at=Min("ends_at"),
    )
    waiting = AccessRequest.objects.filter(state__in=WAITING)
    late = overdue_rows().order_by()
    return Figures(
        **active,
        **waiting.aggregate(waiting=Count("pk"), oldest_waiting_at=Min("requested_at")),
        **late.aggregate(overdue=Count("pk"), oldest_overdue_at=Min("due_at")),
    )


@dataclass(frozen=True, slots=True)
class LateEnd:
    """An end that is overdue in one integration, with the order that is to bring it about, if one is open."""

    access: AccessRequest
    group: AccessGroup
    order: Order | None


def overdue_rows() -> QuerySet[AccessRequest]:
    """Return the requests whose end is overdue, the longest due first."""
    rows = AccessRequest.objects.filter(state=RequestState.REVOKING, overdue_since__isnull=False)
    return rows.order_by("due_at", "pk")


def late_before(limit: int = SHOWN) -> list[AccessRequest]:
    """Return what was overdue and is over, the latest first: proven, or declared. One query."""
    rows = AccessRequest.objects.filter(state=RequestState.REVOKED, overdue_since__isnull=False)
    return list(rows.select_related("grantee", "flow_version").order_by("-ended_at", "-pk")[:limit])


def late_ends(limit: int = SHOWN) -> list[LateEnd]:
    """Return the ends that are overdue, oldest first. Five queries, however many."""
    return late_ends_of(overdue_rows()[:limit])


def late_ends_of(rows: Iterable[AccessRequest]) -> list[LateEnd]:
    """Return the ends of these requests that are not proven, one for each integration."""
    late = list(rows)
    units = AccessGroup.objects.select_related("integration").prefetch_related("units")
    prefetch_related_objects(late, Prefetch("access_groups", units), "grantee", "flow_version")
    groups = [(access, group) for access in late for group in access.access_groups.all() if group.ended_at is None]
    orders = open_orders_of((group.integration_id, access.grantee_id) for access, group in groups)
    return [LateEnd(access, group, orders.get((group.integration_id, access.grantee_id))) for access, group in groups]


def anybody_was_granted() -> bool:
    """Whether access was ever granted here."""
    return AccessRequest.objects.filter(
        state__in=[RequestState.ACTIVE, RequestState.REVOKING, RequestState.REVOKED]
    ).exists()
