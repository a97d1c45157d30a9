"""Doors for Celery: ten lines at most each."""

from __future__ import annotations

from celery import shared_task

from access_requests import actions
from access_requests.actions import automatic, dossiers, glass, letters, notices, reconciling, routing, standstill
from access_requests.models import Change
from accounts import events


@shared_task
def sweep() -> int:
    """End, dispatch and lapse what is due."""
    return actions.sweep()


@shared_task
def sweep_automatic() -> int:
    """Go on with the runs of automatic flows, for a while."""
    return automatic.sweep_runs()


@shared_task
def sweep_automatic_flows() -> int:
    """Begin a run of every automatic flow."""
    return automatic.sweep_flows()


@shared_task
def call_webhooks() -> int:
    """Ask webhooks about requests: as checks, as approvers."""
    return actions.run_calls()


@shared_task
def sweep_cleanups() -> int:
    """Remove logins left behind."""
    return actions.sweep_cleanups()


@shared_task
def sweep_letters() -> int:
    """Write the letters that are due: to approvers, before an end, of overdue ends."""
    return letters.sweep()


@shared_task
def sweep_stand_ins() -> int:
    """Ask stand-ins of who is away; ask them no more afterwards."""
    return actions.sweep_stand_ins()


@shared_task
def sweep_escalations() -> int:
    """Ask the next approvers where nobody has answered in time."""
    return actions.sweep_escalations()


@shared_task
def sweep_routes() -> int:
    """Ask again whom everything that waits is for: people and policy change."""
    return routing.sweep_routes()


@shared_task
def sweep_eligibility() -> int:
    """Have everything that is open asked again, in small steps: what no news told of is found like this."""
    return actions.recheck_everything()


@shared_task
def sweep_notices() -> int:
    """Tell other systems of overdue access."""
    return notices.sweep_notices()


@shared_task
def sweep_dossiers() -> int:
    """Make and sign the dossiers of what is over."""
    return dossiers.sweep_dossiers()


@shared_task
def sweep_envelopes() -> int:
    """Feel the platform's pulse, and see to break-glass envelopes."""
    return standstill.sweep_envelopes()


@shared_task
def sweep_reviews() -> int:
    """Remind of reviews that are overdue."""
    return glass.sweep()


@shared_task
def deliver_changes() -> int:
    """Tell the news of requests."""
    return events.deliver(Change)


@shared_task
def run_exports() -> int:
    """Write exports that wait, for a while."""
    return actions.run_exports()


@shared_task
def sweep_reports() -> int:
    """Start the reports that are due."""
    return actions.sweep_reports()


@shared_task
def sweep_expired_exports() -> int:
    """Remove exports that were kept long enough."""
    return actions.sweep_expired()


@shared_task
def sweep_drift() -> int:
    """Begin the looks for drift that are due, and go on with those under way."""
    return reconciling.sweep_drift()
