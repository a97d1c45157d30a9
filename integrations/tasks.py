"""Doors for Celery: ten lines at most each."""

from __future__ import annotations

from celery import shared_task

from accounts import events
from integrations import actions
from integrations.models import Change

# Long enough to empty a burst, short enough that a stop waits for no more than one order.
BURST_SECONDS = 20.0


@shared_task
def run_orders() -> int:
    """Run due orders of the in-process connectors. The first run of all makes the one that is always there."""
    actions.embedded_connector()
    return actions.run_until_idle(seconds=BURST_SECONDS)


@shared_task
def sweep_leases() -> int:
    """Take back leases that ran out, and drop tests that nobody waits for."""
    return actions.expire_leases() + actions.drop_expired_trials()


@shared_task
def sweep_syncs() -> int:
    """Order the syncs that are due."""
    return actions.sync_due()


@shared_task
def sweep_people() -> int:
    """Go on taking over what directories told."""
    return actions.sweep_people()


@shared_task
def sweep_shifts() -> int:
    """Say of people on which shifts they are now."""
    return actions.sweep_shifts()


@shared_task
def sweep_deletions() -> int:
    """Go on deleting integrations."""
    return actions.sweep_deletions()


@shared_task
def deliver_changes() -> int:
    """Deliver news that a lost message left behind."""
    return events.deliver(Change)
