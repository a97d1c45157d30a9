"""Orders: made, leased, settled. At most one is open per (integration, person); no lock is held over the network."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actions import require
from accounts.events import publish
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import Actor, connector, system
from connectors.contract.errors import ErrorKind, ErrorReport
from connectors.contract.orders import Report
from integrations import wire
from integrations.actions.inventory import finish_sync, has_come_further
from integrations.actions.people.reading import finish_reading
from integrations.choices import (
    OPEN_ORDERS,
    SYNCS,
    IntegrationStatus,
    OrderState,
    OrderVerb,
)
from integrations.events import ring
from integrations.models import Change, ConnectorInstance, Integration, Order, SyncRun

# Reading a large inventory takes longer than one lease, and no access hangs on it.
LEASES_OF_A_SYNC = 15
# These can pass by themselves, so the order stays open and is tried again; others too, but a person is told at once.
PASSING = frozenset({ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST})
# The first wait after a read-back that still found access: soon, for the target answers. Then twice as long each time.
SOON_AGAIN = 5
AGAIN_MAX = 1000
# Who asks to be left alone for longer is asked after an hour all the same: a wrong clock must not stop access.
AFTER_MAX = 3600.0


def wait_again(again: int) -> float:
    """Return how long to wait before an order that was brought to no end `again` times is run anew, in seconds."""
    if again <= 0:
        return 0.0
    if again == 1:
        return float(SOON_AGAIN)
    longest = float(min(settings.RETRY_SECONDS_MAX, SOON_AGAIN * 2 ** min(again - 1, 20)))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311


def lease_seconds(verb: str) -> int:
    """Return how long a lease on an order with this verb lasts, in seconds."""
    return settings.LEASE_SECONDS * (LEASES_OF_A_SYNC if verb in SYNCS else 1)


def order_for_person(
    integration: Integration,
    person: User,
    desired: dict[str, Any],
    *,
    verb: str = OrderVerb.APPLY,
    again: int = 0,
    at: datetime,
) -> Order:
    """Order what `person` should hold in `integration`; an open order about the same is superseded.

    The caller holds the row lock on `person` and computed `desired` under it, so that the newest order always carries
    the newest truth. A superseded order's lease stays on record: the new order waits for it. `again` counts the orders
    before it that came to no end; it is due the later for that.
    """
    supersede(integration, person, at=at)
    order = Order.objects.create(
        integration=integration,
        person=person,
        verb=verb,
        desired=desired,
        ends=verb == OrderVerb.APPLY and bool(desired.get("gone")),
        again=min(again, AGAIN_MAX),
        created_at=at,
        next_try_at=at + timedelta(seconds=wait_again(again)),
    )
    ring(integration.connector_id)
    return order


def supersede(integration: Integration, person: User, *, at: datetime) -> int:
    """Close the open order about a person, if there is one: no report of it will be taken any more."""
    return Order.objects.filter(integration=integration, person=person, state__in=OPEN_ORDERS).update(
        state=OrderState.SUPERSEDED, settled_at=at
    )


def withdraw(order: Order, *, at: datetime) -> bool:
    """Close one open order that only looks; nothing takes its place. False when it is settled or superseded already."""
    if order.verb != OrderVerb.READ_BACK:
        raise ValueError("Only a look may be withdrawn.")
    closed = Order.objects.filter(pk=order.pk, state__in=OPEN_ORDERS).update(state=OrderState.SUPERSEDED, settled_at=at)
    return bool(closed)


def forget_looks(integration: Integration, *, before: datetime) -> int:
    """Delete settled orders that only looked: what they found is kept elsewhere. Return how many."""
    over = Order.objects.filter(integration=integration, verb=OrderVerb.READ_BACK, settled_at__lt=before)
    done = over.filter(Q(absorbed_at__isnull=False) | Q(state=OrderState.SUPERSEDED), lease_until__isnull=True)
    return done.delete()[0]


def order_for_system(integration: Integration, verb: str, *, at: datetime) -> Order:
    """Order a check or a sync; an open one of the same verb is returned instead of a second."""
    with transaction.atomic():
        Integration.objects.select_for_update().get(pk=integration.pk)
        order = Order.objects.filter(integration=integration, verb=verb, state__in=OPEN_ORDERS).first()
        if order is None:
            order = Order.objects.create(integration=integration, verb=verb, created_at=at, next_try_at=at)
            if verb in SYNCS:
                SyncRun.objects.create(integration=integration, order=order, started_at=at)
            ring(integration.connector_id)
    return order


def expire_leases(*, at: datetime | None = None) -> int:
    """Put orders whose lease ran out back into the queue; drop the lease of superseded ones. Return how many.

    A holder checks its lease against a monotonic clock before every statement, so after this moment it does nothing.
    """
    moment = at or timezone.now()
    over = Order.objects.filter(lease_until__lte=moment)
    connectors = set(over.values_list("integration__connector", flat=True))
    if not connectors:
        return 0
    back = over.filter(state=OrderState.LEASED).update(
        state=OrderState.QUEUED, lease_until=None, leased_by=None, next_try_at=moment
    )
    over.exclude(state__in=OPEN_ORDERS).update(lease_until=None)
    for one in connectors:
        ring(one)
    return back


def settle(report: Report, *, instance: ConnectorInstance, at: datetime | None = None) -> bool:
    """Take a final report. False when it is refused: of an older epoch, or of an order superseded meanwhile.

    Either way the holder's lease is released. An error leaves an order about a person open, to be tried again, and a
    sync that was interrupted where it can go on; else a check or a sync fails (its timetable comes round again).
    """
    moment = at or timezone.now()
    actor = connector(str(instance.pk), str(instance))
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).select_related("integration").get(pk=report.order_id)
        if order.epoch != report.epoch or order.leased_by_id != instance.pk or order.lease_until is None:
            return False
        if order.state != OrderState.LEASED:
            Order.objects.filter(pk=order.pk).update(lease_until=None)
            ring(order.integration.connector_id)
            return False
        if report.error is not None and (order.person_id is not None or _goes_on(order, report.error)):
            _try_again(order, report, actor, moment)
        else:
            _close(order, report, actor, moment)
    return True


def _goes_on(order: Order, error: ErrorReport) -> bool:
    """Whether a sync was interrupted by something that passes and came further in this try, so that it ends one day.

    Or the system said when it may be asked again: then it is asked then.
    """
    passes = order.verb in SYNCS and error.kind in PASSING
    return passes and (error.after > 0 or has_come_further(order))


def _try_again(order: Order, report: Report, actor: Actor, at: datetime) -> None:
    """Put an order that failed back, later and later, and tell the floors above."""
    error = wire.incoming(report)["error"]
    order.state, order.lease_until, order.error = OrderState.QUEUED, None, error
    order.next_try_at = at + timedelta(seconds=_wait(order.attempts, report))
    order.save(update_fields=["state", "lease_until", "error", "next_try_at"])
    publish(Change, "order.error", str(order.pk), {"kind": error["kind"]})
    record("order.failed_try", actor=actor, subject=_subject(order), details={"error": error}, at=at)


def _wait(attempts: int, report: Report) -> float:
    """Return how long to wait before the next try, in seconds: doubling from 1 s, with jitter, up to the maximum."""
    if report.error is not None and report.error.kind is ErrorKind.LEASE_LOST:
        return 0.0
    longest = float(min(settings.RETRY_SECONDS_MAX, 2 ** min(attempts, 20)))
    # Asked sooner than it said, a system that counts calls refuses again, and some count that too.
    asked = report.error.after if report.error is not None else 0.0
    return min(asked, AFTER_MAX) + longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _close(order: Order, report: Report, actor: Actor, at: datetime) -> None:
    """Settle an order for good: its result, the integration's status, the news, the audit entry."""
    result = wire.incoming(report)
    order.state = OrderState.FAILED if report.error else OrderState.DONE
    order.lease_until, order.settled_at = None, at
    order.error, order.result = result.pop("error"), result
    order.save(update_fields=["state", "lease_until", "settled_at", "error", "result"])
    if order.verb == OrderVerb.DISCOVER:
        finish_sync(order, report, at=at)
    elif order.verb == OrderVerb.PEOPLE:
        finish_reading(order, report, at=at)
    _tell_integration(order, report, at)
    if report.error is None:
        hurry(order.integration, also_refused=order.verb == OrderVerb.CHECK, at=at)
    publish(Change, "order.settled", str(order.pk), {"state": order.state})
    record("order.settled", actor=actor, subject=_subject(order), details=_details(order), at=at)


def _tell_integration(order: Order, report: Report, at: datetime) -> None:
    """Let the integration's status say what a check or a sync found; an access order that worked clears an error."""
    integration = order.integration
    before = (integration.status, integration.status_reason, integration.checked_at)
    if integration.status == IntegrationStatus.DISABLED:
        return
    if report.error is not None:
        integration.status = IntegrationStatus.ERROR
        integration.status_reason = f"{report.error.message} {report.error.fix}".strip()
    elif order.verb == OrderVerb.CHECK:
        integration.status, integration.status_reason = _judge(report)
        integration.checked_at = at
    elif integration.status in {IntegrationStatus.INITIALIZING, IntegrationStatus.ERROR}:
        integration.status, integration.status_reason = IntegrationStatus.ACTIVE, ""
    if before != (integration.status, integration.status_reason, integration.checked_at):
        integration.save(update_fields=["status", "status_reason", "checked_at"])


def _judge(report: Report) -> tuple[IntegrationStatus, str]:
    """Return the status that the findings of a check amount to, and the findings in words."""
    bad = [finding for finding in report.findings if finding.level != "ok"]
    words = "\n".join(f"{finding.message} {finding.fix}".strip() for finding in bad)
    if any(finding.level == "error" for finding in bad):
        return IntegrationStatus.ERROR, words
    return (IntegrationStatus.WARNING if bad else IntegrationStatus.ACTIVE), words


def hurry(integration: Integration, *, also_refused: bool = False, at: datetime | None = None) -> int:
    """Make orders due now that wait because the target did not answer, for it has just answered. Return how many.

    With `also_refused`, orders that wait for any other error, too: after a check went well, what a person had to mend
    (a password, a privilege) may be mended.
    """
    moment = at or timezone.now()
    waiting = Order.objects.filter(integration=integration, state=OrderState.QUEUED, next_try_at__gt=moment)
    failed = waiting.filter(error__has_key="kind") if also_refused else waiting.filter(error__kind="unreachable")
    hurried = failed.update(next_try_at=moment)
    if hurried:
        ring(integration.connector_id)
    return hurried


def hurry_order(order: Order, *, actor: Actor, at: datetime | None = None) -> bool:
    """Make one waiting order due now. False when it does not wait: it is due already, leased, or settled."""
    require(actor, "integrations.retry_order")
    moment = at or timezone.now()
    with transaction.atomic():
        waiting = Order.objects.filter(pk=order.pk, state=OrderState.QUEUED, next_try_at__gt=moment)
        if not waiting.update(next_try_at=moment):
            return False
        details = {"order": str(order.pk), "verb": order.verb, "was_due_at": order.next_try_at.isoformat()}
        record("order.hurried", actor=actor, subject=_subject(order), details=details, at=moment)
        ring(order.integration.connector_id)
    return True


def take_in(order: Order, *, at: datetime) -> bool:
    """Mark a settled order as taken in by the floor above, and drop the sealed credentials it reported.

    False when that was done before. Call it inside the transaction that keeps what was taken.
    """
    forget_credentials(order)
    return bool(Order.objects.filter(pk=order.pk, absorbed_at__isnull=True).update(absorbed_at=at, result=order.result))


def set_aside(order: Order, problem: str, *, at: datetime) -> bool:
    """Mark a report that cannot be taken in as done with, and say so: it must not stand before those that follow.

    Nothing is concluded from it. Whoever sets it aside orders anew; the report of that tells what is true.
    """
    forget_credentials(order)
    aside = Order.objects.filter(pk=order.pk, absorbed_at__isnull=True)
    if not aside.update(absorbed_at=at, result=order.result):
        return False
    details = {"order": str(order.pk), "problem": problem}
    record("order.set_aside", actor=system(), subject=_subject(order), details=details, at=at)
    return True


def forget_credentials(order: Order) -> None:
    """Remove sealed credentials from the result held in memory; `take_in` writes it."""
    grants = order.result.get("grants") if isinstance(order.result, dict) else None
    for grant in grants if isinstance(grants, list) else ():
        if isinstance(grant, dict):
            grant.pop("sealed_credentials", None)


def _subject(order: Order) -> Subject:
    return Subject("integration", str(order.integration_id), order.integration.name)


def _details(order: Order) -> dict[str, Any]:
    """Return what the audit keeps of a settled order: never credentials, sealed or not."""
    kept: dict[str, Any] = {
        "order": str(order.pk),
        "verb": order.verb,
        "state": order.state,
        "epoch": order.epoch,
        "attempts": order.attempts,
        "functions": order.result.get("functions", []),
    }
    if order.person_id:
        kept["person"] = str(order.person_id)
        kept["read_back"] = order.result.get("read_back")
    if order.error:
        kept["error"] = order.error
    return kept
