"""Draining: after the end of access no new session begins, and those that are open go on for a while. Facts only.

Only access whose time ended drains, where its flow says so and the target can. What is revoked, handed back or not
deserved any more ends at once, also while it drains.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from access_requests.choices import EndReason, RequestState
from access_requests.models import AccessGroup, AccessRequest
from flows.models import FlowVersion
from integrations.queries import can_drain

# Requests whose sessions may still go on.
DRAINING = Q(state=RequestState.REVOKING, drain_look_at__isnull=False)
# While it drains the target is looked at so often, and not oftener than every minute: when the last session has left,
# all of it ends.
LOOKS = 12
LOOK_EVERY = timedelta(minutes=1)


def seconds_of(row: AccessRequest) -> int:
    """Return for how long sessions may go on after the end: what the flow said when it decided, or less by now.

    One query, which leaves the documents where they are.
    """
    told = FlowVersion.objects.filter(pk=row.flow_version_id)
    then_and_now = "document__settings__drain_seconds", "flow__current__document__settings__drain_seconds"
    return min(one or 0 for one in told.values_list(*then_and_now).get())


def drains_until(row: AccessRequest, reason: EndReason, at: datetime) -> datetime | None:
    """Return until when sessions may go on that are open now, as access ends; None where everything ends at once."""
    if reason != EndReason.TIME or row.ends_at is None or not row.grantee.is_active:
        return None
    seconds = seconds_of(row)
    until = row.ends_at + timedelta(seconds=seconds)
    if not seconds or until <= at:
        return None
    groups = row.access_groups.filter(dispatched_at__isnull=False).select_related("integration")
    return until if any(can_drain(group.integration) for group in groups) else None


def may_drain(row: AccessRequest) -> bool:
    """Whether sessions that were open at the end may still go on."""
    return row.state == RequestState.REVOKING and row.drain_look_at is not None


def drains(row: AccessRequest) -> bool:
    """Whether nothing is left of it but sessions that may go on: the targets let no new one begin, read back."""
    return may_drain(row) and row.due_at == row.drains_until


def due_of(group: AccessGroup) -> datetime | None:
    """Return when the end of a grant was due: of what drained, when its sessions had to end."""
    return group.request.drains_until if group.draining_at is not None else group.request.due_at


def next_look(row: AccessRequest, at: datetime) -> datetime:
    """Return when to look again whether sessions are left; at the latest when they have to end."""
    assert row.drains_until is not None
    whole = row.drains_until - (row.ends_at or at)
    return min(row.drains_until, at + max(LOOK_EVERY, whole / LOOKS))
