"""What the overview shows: each part is read only for who may see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import accounts.queries
import audit.queries
import flows.queries
import integrations.queries
from access_requests.queries import drift, figures, reviews
from config import first_steps, watchdog
from integrations.choices import HEALTH_LOOKS, STATUS_LOOKS, IntegrationStatus

# Rows of one part of the page.
SHOWN = 10


def read(user: Any, at: datetime) -> dict[str, Any]:
    """Return the parts of the overview that `user` may see, as they stand at the moment."""
    told: dict[str, Any] = {"now": at, "jobs": watchdog.jobs(at)}
    told["late_jobs"] = [job for job in told["jobs"] if job.late]
    if user.has_perm("requests.view_accessrequest"):
        told["figures"] = figures.figures(at)
        told["late_ends"] = figures.late_ends() if told["figures"].overdue else []
        told["reviews"] = reviews.owed().select_related("request__requestor", "request__grantee")[:SHOWN]
        told["may_hurry"] = user.has_perm("integrations.retry_order")
    if user.has_perm("requests.view_driftfinding"):
        told["drift"] = drift.open_drift()
    if user.has_perm("flows.view_proposal"):
        told["proposals"] = flows.queries.waiting_proposals()
    if user.has_perm("integrations.view_order"):
        told["queue"] = integrations.queries.queue()
        told["may_see_queue"] = True
    if user.has_perm("integrations.view_connector"):
        told["connectors"] = [(one, HEALTH_LOOKS[one.health]) for one in integrations.queries.connectors(at)]
    if user.has_perm("integrations.view_integration"):
        troubled = integrations.queries.troubled()[:SHOWN]
        told["troubled"] = [(one, STATUS_LOOKS[IntegrationStatus(one.status)]) for one in troubled]
        told["failed_syncs"] = integrations.queries.failed_syncs()[:SHOWN]
        told["may_see_integrations"] = True
    if user.has_perm("audit.view_auditentry"):
        told["seal"] = {
            "waiting": audit.queries.unsealed_count(),
            "links": audit.queries.head()[0],
            "at": audit.queries.last_sealed_at(),
        }
    if user.has_perm("accounts.read_letter"):
        told["mail"] = accounts.queries.mail(at)
    if user.has_perm(first_steps.MAY):
        told["first_steps"] = first_steps.look(at)
        told["may_skip"] = True
    return told
