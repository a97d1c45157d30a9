"""Leasing: who gets which order next. Fair across integrations, so that a crowd of one never starves another.

The next order is of the integration with the fewest leases now; among equals of the one that was leased to the longest
ago; within it ends come before everything else, and what is due longest comes first. An integration never has more than
so many leases of one runner, so that a target that hangs does not take all of its slots.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from integrations.actions.orders import lease_seconds
from integrations.choices import ConnectorKind, IntegrationStatus, OrderState, OrderVerb, Transport
from integrations.models import ConnectorInstance, Integration, Order


def lease(instance: ConnectorInstance, *, without: Collection[str] = (), at: datetime | None = None) -> Order | None:
    """Lease the next due order of the instance's connector to it, with a new epoch; None when nothing is due.

    Orders for the providers in `without` are left to others. The row carries the lease until the final report or its
    end, also when the order is superseded meanwhile.
    """
    moment = at or timezone.now()
    # Most looks find nothing: they take no lock, which on SQLite all writers share.
    for integration in _turns(instance, without, moment):
        order = _lease_in(integration, instance, moment)
        if order is not None:
            return order
    return None


def _turns(instance: ConnectorInstance, without: Collection[str], at: datetime) -> list[uuid.UUID]:
    """Return the integrations with an order to lease, whose turn it is first. One query, an index probe for each."""
    # What runs beside its target never runs in this process, nor the other way round.
    here = instance.transport == Transport.IN_PROCESS
    kind = ConnectorKind.IN_PROCESS if here else ConnectorKind.REMOTE
    rows = Integration.objects.filter(connector=instance.connector_id, connector__kind=kind).exclude(type__in=without)
    waiting = [Exists(_due(OuterRef("pk"), first, at)) for first in (True, False)]
    rows = rows.filter(Q(waiting[0]) | Q(waiting[1]))
    held = _held(OuterRef("pk"), instance, at).order_by().values("integration").annotate(n=Count("pk")).values("n")
    last = Order.objects.filter(integration=OuterRef("pk"), leased_at__isnull=False).order_by()
    rows = rows.annotate(
        held=Coalesce(Subquery(held, output_field=IntegerField()), 0),
        last=Subquery(last.values("integration").annotate(last=Max("leased_at")).values("last")),
    ).filter(held__lt=settings.LEASES_PER_INTEGRATION)
    return list(rows.order_by("held", F("last").asc(nulls_first=True), "pk").values_list("pk", flat=True))


def _held(integration: Any, instance: ConnectorInstance, at: datetime) -> QuerySet[Order]:
    """Return the leases of an integration that count against its share.

    In this process's connector those of every process, for they share one machine's slots; of a remote one its own.
    """
    rows = Order.objects.filter(integration=integration, lease_until__gt=at)
    return rows if instance.transport == Transport.IN_PROCESS else rows.filter(leased_by=instance)


def _due(integration: Any, first: bool, at: datetime) -> QuerySet[Order]:
    """Return queued orders of an integration that may be leased now: due, and no earlier lease on the same thing held.

    Those that end access (`first`), or the others. The index integrations_order_turn answers both, in this order.
    """
    same = Order.objects.filter(integration=OuterRef("integration"), lease_until__gt=at).exclude(pk=OuterRef("pk"))
    about_person = same.filter(person=OuterRef("person"))
    about_system = same.filter(person__isnull=True, verb=OuterRef("verb"))
    return (
        Order.objects.filter(integration=integration, state=OrderState.QUEUED, ends=first, next_try_at__lte=at)
        .exclude(integration__status=IntegrationStatus.DISABLED, verb__in=[OrderVerb.CHECK, OrderVerb.DISCOVER])
        .filter(Q(person__isnull=False) & ~Exists(about_person) | Q(person__isnull=True) & ~Exists(about_system))
        .order_by("next_try_at", "created_at")
    )


def _lease_in(integration: uuid.UUID, instance: ConnectorInstance, at: datetime) -> Order | None:
    """Lease the first order of an integration; None when others were quicker, or have taken its share."""
    with transaction.atomic():
        # Leases of one integration are given one after the other, or eight at once would each see a share left.
        # On SQLite all writers are one after the other anyway.
        if connection.features.has_select_for_update_skip_locked:
            Integration.objects.select_for_update(no_key=True).filter(pk=integration).values_list("pk").first()
        if _held(integration, instance, at).count() >= settings.LEASES_PER_INTEGRATION:
            return None
        return next(filter(None, (_take(integration, instance, first, at) for first in (True, False))), None)


def _take(integration: uuid.UUID, instance: ConnectorInstance, first: bool, at: datetime) -> Order | None:
    """Write the lease on the first order that nobody else is writing."""
    due = _due(integration, first, at)
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True, of=("self",))
    order = due.select_related("integration").first()
    if order is None:
        return None
    until = at + timedelta(seconds=lease_seconds(order.verb))
    taken = Order.objects.filter(pk=order.pk, state=OrderState.QUEUED).update(
        state=OrderState.LEASED,
        epoch=F("epoch") + 1,
        attempts=F("attempts") + 1,
        leased_by=instance,
        leased_at=at,
        lease_until=until,
    )
    if not taken:
        return None
    # Nobody else has written the row since it was read: it is locked, and on SQLite all of the database is.
    order.state, order.leased_by, order.leased_at, order.lease_until = OrderState.LEASED, instance, at, until
    order.epoch, order.attempts = order.epoch + 1, order.attempts + 1
    return order
