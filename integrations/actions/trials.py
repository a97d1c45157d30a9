"""Checks of configurations that are not saved, by connectors that run elsewhere; nothing of one stays behind."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from connectors.contract import wire
from connectors.contract.errors import ErrorReport, Unreachable
from connectors.contract.orders import Order as WireOrder
from connectors.contract.orders import Report, SecretReference, Verb
from connectors.contract.secret import Secret
from integrations.actions.secrets import keep_draft, open_draft
from integrations.events import ring
from integrations.models import Connector, ConnectorInstance, Trial
from integrations.queries import alive_instances

# How long somebody waits for an instance to take it, and for the answer after that; the row itself lives a bit longer.
TAKE_SECONDS, KEPT_SECONDS = 10.0, 60.0
LOOK_SECONDS = 0.15


def ask(connector: Connector, order: WireOrder) -> Report:
    """Have a remote connector run a check and return its report, in bounded time. Call it outside any transaction."""
    now = timezone.now()
    if not alive_instances(connector, now).exists():
        return _nobody(connector, order)
    row = Trial.objects.create(
        id=uuid.UUID(order.order_id),
        connector=connector,
        provider=order.provider,
        integration=uuid.UUID(order.integration_id),
        config=order.config,
        secrets=keep_draft({name: secret.reveal() for name, secret in order.secrets.items()}),
        references={name: asdict(one) for name, one in order.references.items()},
        created_at=now,
        expires_at=now + timedelta(seconds=KEPT_SECONDS),
    )
    ring(connector.pk)
    try:
        return _wait(row, order)
    finally:
        Trial.objects.filter(pk=row.pk).delete()


def _wait(row: Trial, order: WireOrder) -> Report:
    """Wait for the report: so long for somebody to take it, then as long as the check may take."""
    begun = time.monotonic()
    while True:
        row.refresh_from_db(fields=["taken_by", "result"])
        if row.result is not None:
            return wire.build(Report, row.result)
        waited = time.monotonic() - begun
        if row.taken_by_id is None and waited > TAKE_SECONDS:
            return _nobody(row.connector, order)
        if waited > TAKE_SECONDS + order.lease_seconds:
            said = f"The connector {row.connector.name} took the test and did not answer in time."
            return _failed(order, said, "Look into its log, then test again.")
        time.sleep(LOOK_SECONDS)


def _nobody(connector: Connector, order: WireOrder) -> Report:
    return _failed(
        order, f"The connector {connector.name} is not connected.", "Start one of its instances, then test again."
    )


def _failed(order: WireOrder, message: str, fix: str) -> Report:
    return Report(order.order_id, order.epoch, error=ErrorReport(Unreachable.kind, message, fix))


def take(instance: ConnectorInstance, *, at: datetime) -> Trial | None:
    """Give the oldest trial that waits for the instance's connector to it; None when none does."""
    waiting = Trial.objects.filter(connector=instance.connector_id, taken_by__isnull=True, expires_at__gt=at)
    for row in waiting.order_by("created_at")[:3]:
        if Trial.objects.filter(pk=row.pk, taken_by__isnull=True).update(taken_by=instance):
            return row
    return None


def as_order(row: Trial, lease_seconds: float) -> WireOrder:
    """Return a trial as the order to check that it is, its secrets opened."""
    return WireOrder(
        order_id=str(row.pk),
        epoch=1,
        verb=Verb.CHECK,
        provider=row.provider,
        integration_id=str(row.integration),
        config=row.config,
        secrets={name: Secret(value) for name, value in open_draft(row.secrets).items()},
        references={name: SecretReference(**one) for name, one in row.references.items()},
        lease_seconds=lease_seconds,
    )


def answer(report: Report, *, instance: ConnectorInstance) -> bool:
    """Keep the report of a trial that the instance took. False when there is none, any more."""
    kept = wire.plain(replace(report, grants=(), read_back=None))
    with transaction.atomic():
        return bool(Trial.objects.filter(pk=report.order_id, taken_by=instance).update(result=kept))


def drop_expired_trials(*, at: datetime | None = None) -> int:
    """Delete what nobody waits for any more: whoever asked died. Return how many."""
    return Trial.objects.filter(expires_at__lte=at or timezone.now()).delete()[0]
