"""Runs orders in this process: leases one, hands it to the same runner a remote worker uses, settles its report."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from connectors.contract.errors import ErrorReport, Misconfigured
from connectors.contract.orders import Order as WireOrder
from connectors.contract.orders import Page, Report
from connectors.contract.secret import Secret
from connectors.runners import local
from connectors.stores.builtin import SecretUnreadable
from integrations import wire
from integrations.actions import inventory, orders, secrets
from integrations.choices import ConnectorKind, OrderVerb
from integrations.models import Connector, ConnectorInstance, Order

log = logging.getLogger(__name__)

EMBEDDED = "embedded"
VERSION = "0.1.0"
SEEN_EVERY = timedelta(seconds=10)
# One row per process and connector, made on first use.
_instances: dict[tuple[int, object], ConnectorInstance] = {}


def embedded_connector() -> Connector:
    """Return the connector that runs in this process; it is there from the first start."""
    return Connector.objects.get_or_create(name=EMBEDDED, defaults={"kind": ConnectorKind.IN_PROCESS})[0]


def instance_of(connector: Connector, *, at: datetime | None = None) -> ConnectorInstance:
    """Return this process's instance of an in-process connector, and say that it is alive."""
    moment, key = at or timezone.now(), (os.getpid(), connector.pk)
    instance = _instances.get(key)
    if instance is None or not ConnectorInstance.objects.filter(pk=instance.pk).exists():
        place = f"{socket.gethostname()}, process {os.getpid()}"
        instance = ConnectorInstance.objects.create(
            connector=connector, version=VERSION, place=place, started_at=moment, last_seen_at=moment
        )
        _instances[key] = instance
    elif instance.last_seen_at < moment - SEEN_EVERY:
        instance.last_seen_at = moment
        instance.save(update_fields=["last_seen_at"])
    return instance


def stop_instances(*, at: datetime | None = None) -> None:
    """Say that this process's instances have stopped; called on a clean stop."""
    mine = [instance.pk for (pid, _), instance in _instances.items() if pid == os.getpid()]
    ConnectorInstance.objects.filter(pk__in=mine).update(stopped_at=at or timezone.now())


def run_until_idle(*, seconds: float, at: Callable[[], datetime] = timezone.now) -> int:
    """Run what is due for every in-process connector until nothing is or `seconds` have passed; return how many.

    Several threads and processes may do this at once: each order is leased to one.
    """
    end, done = time.monotonic() + seconds, 0
    busy = True
    while busy and time.monotonic() < end:
        busy = False
        for connector in Connector.objects.filter(kind=ConnectorKind.IN_PROCESS):
            if run_next(instance_of(connector), at=at):
                busy, done = True, done + 1
    return done


def run_next(instance: ConnectorInstance, *, at: Callable[[], datetime] = timezone.now) -> bool:
    """Lease one order, run it, settle its report. False when nothing was due. Call it outside any transaction."""
    order = orders.lease(instance, at=at())
    if order is None:
        return False
    report = _run(order, at)
    orders.settle(report, instance=instance, at=at())
    return True


def _run(order: Order, at: Callable[[], datetime]) -> Report:
    """Run one leased order to its report."""
    try:
        going = _prepare(order, at)
    except (SecretUnreadable, ValueError) as error:
        told = ErrorReport(Misconfigured.kind, str(error), "Enter the integration's secrets again, or restore the key.")
        return Report(str(order.pk), order.epoch, error=told)
    if order.verb == OrderVerb.DISCOVER:
        return local.run(going, on_page=partial(inventory.stage, inventory.restart(order)))
    return local.run(going, on_page=_no_pages)


def _prepare(order: Order, at: Callable[[], datetime]) -> WireOrder:
    """Return the order as the runner gets it, with what is left of its lease."""
    resolved: dict[str, Secret] = secrets.resolve(order.integration)
    assert order.lease_until is not None
    left = (order.lease_until - at()).total_seconds()
    return wire.outgoing(
        order,
        secrets=resolved,
        references=secrets.references(order.integration),
        seal_to=secrets.sealing_key(),
        lease_seconds=max(left, 0.0),
        leased_at=at(),
    )


def _no_pages(page: Page) -> None:
    raise AssertionError("only discover sends pages")
