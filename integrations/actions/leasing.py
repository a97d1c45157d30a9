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
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from integrations.actions.orders import lease_seconds
from integrations.choices import ConnectorKind, IntegrationStatus, OrderState, OrderVerb, Transport
from integrations.models import ConnectorInstance, Integration, Order

LOOKS = (OrderVerb.CHECK, OrderVerb.DISCOVER)


def lease(instance: ConnectorInstance, *, without: Collection[str] = (), at: datetime | None = None) -> Order | None:
    """Lease the next due order of the instance's connector to it, with a new epoch; None when nothing is due.

    Orders for the providers in `without` are left to others. The row carries the lease until the final report or its
    end, also when the order is superseded meanwhile.
    """
    moment = at or timezone.now()
    # Most looks find nothing: they take no lock, which on SQLite all writers share.
    turns = _turns(instance, without, moment)
    busy = []
    for pk in turns:
        order, free = _lease_in(pk, instance, moment, wait=False)
        if order is not None:
            return order
        busy += [] if free else [pk]
    # Somebody was leasing there; now that there is nothing else to do, it is worth the wait.
    return next(filter(None, (_lease_in(pk, instance, moment, wait=True)[0] for pk in busy)), None)


def _turns(instance: ConnectorInstance, without: Collection[str], at: datetime) -> list[uuid.UUID]:
    """Return the integrations with an order to lease, whose turn it is first. One query, an index probe for each."""
    # What runs beside its target never runs in this process, nor the other way round.
    here = instance.transport == Transport.IN_PROCESS
    kind = ConnectorKind.IN_PROCESS if here else ConnectorKind.REMOTE
    rows = Integration.objects.filter(connector=instance.connector_id, connector__kind=kind).exclude(type__in=without)
    waiting = Q()
    for first in (True, False):
        due = _due(OuterRef("pk"), first, at)
        off = Q(status=IntegrationStatus.DISABLED)
        waiting |= ~off & Exists(due) | off & Exists(_runnable(due, IntegrationStatus.DISABLED))
    rows = rows.filter(waiting)
    held = _held(OuterRef("pk"), instance, at).order_by().values("integration").annotate(n=Count("pk")).values("n")
    # Not an aggregate: that reads all that was ever leased, and this only the end of an index.
    last = Order.objects.filter(integration=OuterRef("pk"), leased_at__isnull=False).order_by("-leased_at")
    rows = rows.annotate(
        held=Coalesce(Subquery(held, output_field=IntegerField()), 0),
        last=Subquery(last.values("leased_at")[:1]),
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

    Those that end access (`first`), or the others. The index integrations_order_next answers both, in this order: the
    first row is read, and no other, however many wait.
    """
    same = Order.objects.filter(integration=OuterRef("integration"), lease_until__gt=at).exclude(pk=OuterRef("pk"))
    about_person = same.filter(person=OuterRef("person"))
    about_system = same.filter(person__isnull=True, verb=OuterRef("verb"))
    return (
        Order.objects.filter(integration=integration, state=OrderState.QUEUED, ends=first, next_try_at__lte=at)
        .filter(Q(person__isnull=False) & ~Exists(about_person) | Q(person__isnull=True) & ~Exists(about_system))
        .order_by("next_try_at", "created_at")
    )


def _lease_in(
    pk: uuid.UUID, instance: ConnectorInstance, at: datetime, *, wait: bool
) -> tuple[Order | None, bool]:
    """Lease the first order of an integration; None when others were quicker, or have taken its share.

    Also whether it could be looked at: unless told to wait, it goes by where somebody is leasing right now.
    """
    with transaction.atomic():
        # Leases of one integration are given one after the other, or eight at once would each see a share left.
        # On SQLite all writers are one after the other anyway.
        rows = Integration.objects.order_by()
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(no_key=True, skip_locked=not wait)
        integration = rows.filter(pk=pk).first()
        if integration is None:
            return None, False
        if _held(pk, instance, at).count() >= settings.LEASES_PER_INTEGRATION:
            return None, True
        return next(filter(None, (_take(integration, instance, first, at) for first in (True, False))), None), True


def _take(integration: Integration, instance: ConnectorInstance, first: bool, at: datetime) -> Order | None:
    """Write the lease on the first order that nobody else is writing."""
    due = _runnable(_due(integration.pk, first, at), integration.status)
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    order = due.first()
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
    order.epoch, order.attempts, order.integration = order.epoch + 1, order.attempts + 1, integration
    return order


def _runnable(rows: QuerySet[Order], status: str) -> QuerySet[Order]:
    """Leave out what a disabled integration does not do: it is neither checked nor read."""
    return rows.exclude(verb__in=LOOKS) if status == IntegrationStatus.DISABLED else rows
