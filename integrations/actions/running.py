"""Runs orders in this process: leases one, hands it to the same runner a remote worker uses, settles its report."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache, partial

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from connectors import VERSION
from connectors.contract.errors import ErrorReport, Misconfigured
from connectors.contract.orders import Order as WireOrder
from connectors.contract.orders import Page, Report, Unit
from connectors.contract.provider import Baseline
from connectors.registry import BUILT_IN
from connectors.runners import local
from connectors.runners.functions import digests
from connectors.runners.rules import Rules
from connectors.runners.rules_file import rules_from_environment
from connectors.stores.builtin import SecretUnreadable
from integrations import wire
from integrations.actions import baseline, inventory, leasing, orders, secrets
from integrations.actions.people.reading import cursor_of
from integrations.choices import SYNCS, ConnectorKind
from integrations.models import Connector, ConnectorInstance, Order

log = logging.getLogger(__name__)

EMBEDDED = "embedded"
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
        rules = owners_rules()
        instance = ConnectorInstance.objects.create(
            connector=connector,
            version=VERSION,
            place=place,
            providers=sorted(BUILT_IN.manifests()),
            functions=digests(BUILT_IN, rules),
            rules=rules.digest,
            started_at=moment,
            last_seen_at=moment,
        )
        _instances[key] = instance
    elif instance.last_seen_at < moment - SEEN_EVERY:
        instance.last_seen_at = moment
        instance.save(update_fields=["last_seen_at"])
    return instance


@cache
def owners_rules() -> Rules:
    """Return the rules for this process: who runs the server owns the environment of its own connector.

    Raises Misconfigured; a system check asks first, so that nothing starts with rules that are not understood.
    """
    return rules_from_environment()


def rules_problem() -> str:
    """Return what is wrong with the rules for this process, or nothing."""
    try:
        owners_rules()
    except Misconfigured as error:
        return error.message
    return ""


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
    order = leasing.lease(instance, at=at())
    if order is None:
        return False
    report = _run(order, at)
    settle_or_say(order, report, instance=instance, at=at())
    return True


def settle_or_say(order: Order, report: Report, *, instance: ConnectorInstance, at: datetime) -> bool:
    """Settle a report; one that cannot be kept is settled as an error, so that the order waits and others go on."""
    try:
        return orders.settle(report, instance=instance, at=at)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the lease runs out, and the order is run again
    except Exception as error:  # noqa: BLE001  # what the database cannot keep is no reason to keep others waiting
        return orders.settle(unforeseen(order, error), instance=instance, at=at)


def _run(order: Order, at: Callable[[], datetime]) -> Report:
    """Run one leased order to its report."""
    # Read before what is left of the lease is: a pause in between costs the lease, and adds nothing to it.
    since = time.monotonic()
    run = inventory.restart(order) if order.verb in SYNCS else None
    try:
        going = prepare(order, at=at(), resume=run.resume if run else "")
        on_page = partial(inventory.stage, run) if run else _no_pages
        return local.run(going, on_page=on_page, since=since, baseline=_baseline(order, at), rules=owners_rules())
    except (SecretUnreadable, ValueError) as error:
        return hopeless(order, error)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001  # whatever one order raises, its neighbours must not wait for it
        return unforeseen(order, error)


def unforeseen(order: Order, error: Exception) -> Report:
    """Return the report of an order that something broke which nobody foresaw; the message may hold secrets."""
    log.error("order %s is broken by what nobody foresaw", order.pk, exc_info=error)
    words = f"Something unforeseen broke this order ({type(error).__name__}). It is tried again."
    told = ErrorReport(Misconfigured.kind, words, "See the server's log for order " + str(order.pk) + ".")
    return Report(str(order.pk), order.epoch, error=told)


def prepare(order: Order, *, at: datetime, resume: str = "") -> WireOrder:
    """Return the order as the runner gets it, with what is left of its lease.

    Raises SecretUnreadable and ValueError.
    """
    assert order.lease_until is not None
    left = (order.lease_until - at).total_seconds()
    return wire.outgoing(
        order,
        secrets=secrets.resolve(order.integration),
        references=secrets.references(order.integration),
        seal_to=secrets.sealing_key(),
        lease_seconds=max(left, 0.0),
        leased_at=at,
        resume=resume,
        cursor=cursor_of(order, at=at),
    )


def hopeless(order: Order, error: ValueError) -> Report:
    """Return the report of an order that the server itself cannot carry on with."""
    if isinstance(error, inventory.Unkeepable):
        told = ErrorReport(Misconfigured.kind, f"The inventory cannot keep {error}", "Leave this kind of resource out.")
    else:
        told = ErrorReport(Misconfigured.kind, str(error), "Enter the integration's secrets again, or restore the key.")
    return Report(str(order.pk), order.epoch, error=told)


def _baseline(order: Order, at: Callable[[], datetime]) -> Baseline | None:
    """Return the memory of what was standing for the order's person; None for an order about nobody."""
    person_id = order.person_id
    if person_id is None:
        return None

    def ask(present: Iterable[Unit], wanted: Iterable[Unit], /) -> frozenset[Unit]:
        return baseline.standing(order.integration_id, person_id, present, wanted, at=at())

    return ask


def _no_pages(page: Page) -> None:
    raise AssertionError("only discover sends pages")
