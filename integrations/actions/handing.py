"""Work is handed to instances that run elsewhere: leased, its secrets sealed to the instance's own key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from connectors.contract import wire
from connectors.contract.orders import Order as WireOrder
from connectors.contract.wire import Work
from connectors.stores.builtin import SecretUnreadable
from connectors.toolkit.sealing import seal
from integrations.actions import inventory, leasing, orders, running, trials
from integrations.choices import SYNCS, OrderState
from integrations.models import ConnectorInstance, Order, SyncRun
from integrations.queries import alive_instances

# Counted from the beat before, so some of it is gone.
TRIAL_SECONDS = 30.0
# What has less left of its lease is not sent again: it comes back under a new lease in a moment.
WORTHWHILE_SECONDS = 3.0


@dataclass(slots=True)
class Link:
    """A link with an instance, as the process that serves it knows it.

    `echo` is the instance's clock as heard last, `sent` the ids of orders handed over this link and not reported yet.
    """

    token_id: int
    instance: ConnectorInstance
    name: str
    echo: float = 0.0
    sent: set[str] = field(default_factory=set)


def next_work(link: Link, *, at: datetime | None = None) -> Work | None:
    """Lease what the instance is to do next; None when nothing is due. The instance has said that it takes one more."""
    moment = at or timezone.now()
    trial = trials.take(link.instance, at=moment)
    if trial is not None:
        return _sealed(link, trials.as_order(trial, TRIAL_SECONDS))
    without = _left_to_others(link.instance, moment)
    while (order := leasing.lease(link.instance, without=without, at=moment)) is not None:
        resume = inventory.restart(order).resume if order.verb in SYNCS else ""
        work = _handed(link, order, resume, moment)
        if work is not None:
            return work
    return None


def lost_work(link: Link, working: set[str], *, at: datetime) -> list[Work]:
    """Return what is leased to the instance and never reached it, under the lease that it has."""
    rows = Order.objects.filter(leased_by=link.instance, state=OrderState.LEASED, lease_until__gt=at)
    leased = list(rows.select_related("integration"))
    link.sent &= {str(order.pk) for order in leased}
    again = []
    for order in leased:
        if str(order.pk) in working | link.sent or _seconds_left(order, at) < WORTHWHILE_SECONDS:
            continue
        run = SyncRun.objects.filter(order=order).first()
        # Of a sync that has begun the instance knows more than we do.
        if run is None or run.pages == 0:
            work = _handed(link, order, run.resume if run else "", at)
            again += [work] if work is not None else []
    return again


def _seconds_left(order: Order, at: datetime) -> float:
    return (order.lease_until - at).total_seconds() if order.lease_until else 0.0


def _left_to_others(instance: ConnectorInstance, at: datetime) -> frozenset[str]:
    """Return the providers that this instance has not and another one that is alive has (versions are mixed)."""
    rows = alive_instances(instance.connector, at).exclude(pk=instance.pk).values_list("providers", flat=True)
    return frozenset(one for providers in rows for one in providers) - frozenset(instance.providers)


def _handed(link: Link, order: Order, resume: str, at: datetime) -> Work | None:
    """Return a leased order as it is sent; None when the server itself cannot go on with it, which is reported."""
    try:
        going = running.prepare(order, at=at, resume=resume)
    except (SecretUnreadable, ValueError) as error:
        orders.settle(running.hopeless(order, error), instance=link.instance, at=at)
        return None
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001  # one order that cannot be read must not keep the link from the next
        orders.settle(running.unforeseen(order, error), instance=link.instance, at=at)
        return None
    return _sealed(link, going)


def _sealed(link: Link, order: WireOrder) -> Work:
    """Return an order for the wire: its secrets only as sealed boxes that this instance alone can open."""
    key, id_ = link.instance.public_key, order.order_id
    sealed = {
        name: seal(key, secret.reveal().encode(), wire.sealing_context(id_, order.epoch, name))
        for name, secret in order.secrets.items()
    }
    link.sent.add(id_)
    return Work(wire.to_wire(replace(order, secrets={})), sealed, since=link.echo)
