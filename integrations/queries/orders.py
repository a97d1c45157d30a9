"""Orders: open, settled, waiting."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet

from integrations.choices import (
    OPEN_ORDERS,
    OrderState,
    OrderVerb,
)
from integrations.models import (
    Integration,
    Order,
)


def open_order(integration_id: uuid.UUID, person_id: uuid.UUID) -> Order | None:
    """Return the open order about a person in an integration."""
    return Order.objects.filter(integration=integration_id, person=person_id, state__in=OPEN_ORDERS).first()


def unabsorbed(integration_id: uuid.UUID, person_id: uuid.UUID) -> QuerySet[Order]:
    """Return settled orders about a person whose report is still to be taken in, oldest first."""
    return Order.objects.filter(
        integration=integration_id, person=person_id, state=OrderState.DONE, absorbed_at__isnull=True
    ).order_by("settled_at")


def waiting_with_error(integration_id: uuid.UUID, person_id: uuid.UUID) -> dict[str, str]:
    """Return the last error of the open order about a person (kind, message, fix), or nothing."""
    order = open_order(integration_id, person_id)
    return dict(order.error) if order else {}


@dataclass(frozen=True, slots=True)
class Queued:
    """The open orders of one verb."""

    verb: OrderVerb
    queued: int
    leased: int
    oldest: datetime


def queue() -> list[Queued]:
    """Return the open orders by verb. Two queries, each by a unique index that holds only open orders."""
    found = []
    for about_system in (False, True):
        rows = Order.objects.filter(state__in=OPEN_ORDERS, person__isnull=about_system).order_by().values("verb")
        told = rows.annotate(
            queued=Count("pk", filter=Q(state=OrderState.QUEUED)),
            leased=Count("pk", filter=Q(state=OrderState.LEASED)),
            oldest=Min("created_at"),
        )
        found += [Queued(OrderVerb(one["verb"]), one["queued"], one["leased"], one["oldest"]) for one in told]
    order = list(OrderVerb)
    return sorted(found, key=lambda one: order.index(one.verb))


def open_orders_of(pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> dict[tuple[uuid.UUID, uuid.UUID], Order]:
    """Return the open order of each (integration id, person id) that has one. One query."""
    wanted = set(pairs)
    rows = Order.objects.filter(
        state__in=OPEN_ORDERS,
        person__in={person for _, person in wanted},
        integration__in={integration for integration, _ in wanted},
    ).defer("desired", "result")
    found = {(row.integration_id, row.person_id): row for row in rows if row.person_id is not None}
    return {pair: row for pair, row in found.items() if pair in wanted}


def open_system_orders(integration: Integration) -> list[Order]:
    """Return the open orders about an integration itself: a check, a sync. One query, by a unique index."""
    return list(
        Order.objects.filter(integration=integration, person__isnull=True, state__in=OPEN_ORDERS).defer(
            "desired", "result"
        )
    )


def open_by_integration() -> list[tuple[str, str, int]]:
    """Return (integration's name, state, number) of the open orders. One query."""
    rows = Order.objects.filter(state__in=OPEN_ORDERS).order_by("integration__name", "state")
    return list(rows.values_list("integration__name", "state").annotate(number=Count("pk")))
