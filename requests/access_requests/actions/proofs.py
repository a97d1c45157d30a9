"""What a read-back proves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from access_requests.choices import CredentialsStatus, UnitState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessGroup, AccessSession, Proof
from audit.actions import record
from audit.actor import connector
from integrations.models import Order


def prove(order: Order, groups: dict[str, AccessGroup], *, at: datetime) -> list[str]:
    """Close the grants that an order ended and the read-back found nothing of; return the ids of those still there.

    The order was leased only after every earlier lease on the same person and integration was over, so nobody else was
    at work when the target was read.
    """
    read_back = order.result.get("read_back")
    gone = [one["grant_id"] for one in order.desired["gone"]]
    if read_back is None:
        return gone
    found = {one["grant_id"] for one in read_back["ours"]}
    for grant_id in gone:
        group = groups.get(grant_id)
        if group is None or group.ended_at is not None:
            continue
        if grant_id in found:
            _tell_what_is_left(group, read_back, order, at)
        else:
            _close(group, order, at)
    return [grant_id for grant_id in gone if grant_id in found]


def _tell_what_is_left(group: AccessGroup, read_back: dict[str, Any], order: Order, at: datetime) -> None:
    """Say what the target still shows of a grant that is over: on its page, and in the trail whenever it is another."""
    left = sorted(
        f"{one['unit']['permission']} on {one['unit']['resource']}" + (f" ({one['login']})" if one["login"] else "")
        for one in read_back["ours"]
        if one["grant_id"] == str(group.pk)
    )
    if left != group.still_found:
        details = {"found": left, "integration": group.integration.name, "order": str(order.pk)}
        who = connector(str(order.leased_by_id or ""), str(order.leased_by or "connector"))
        record("request.still_there", actor=who, subject=subject_of(group.request), details=details, at=at)
    group.still_found, group.still_found_at = left, at
    group.save(update_fields=["still_found", "still_found_at"])
    moved(group.request_id)


def _close(group: AccessGroup, order: Order, at: datetime) -> None:
    """Write the proof of one grant's end, and everything that follows from it."""
    read_back, result = order.result["read_back"], order.result
    due = group.request.due_at or at
    ended = sum(one["sessions_ended"] for one in result["grants"] if one["grant_id"] == str(group.pk))
    Proof.objects.create(
        group=group,
        order=order,
        due_at=due,
        ended_at=at,
        lag_seconds=max(0.0, (at - due).total_seconds()),
        read_at=datetime.fromtimestamp(read_back["read_at"], UTC),
        connector=str(order.leased_by or ""),
        instance=str(order.leased_by_id or ""),
        reader=(result["functions"] or [{}])[-1],
        live_sessions=max(0, int(read_back.get("live_sessions") or 0)),
        found=[],
        functions=result["functions"],
        sessions_ended=ended,
    )
    group.ended_at, group.still_found = at, []
    if group.login:
        days = group.integration.cleanup_days if group.request.grantee.is_active else 0
        group.cleanup_due_at = at + timedelta(days=days)
    group.save(update_fields=["ended_at", "cleanup_due_at", "still_found"])
    group.units.exclude(state=UnitState.FAILED).update(state=UnitState.ENDED)
    AccessSession.objects.filter(group=group).update(
        ended_at=at, sealed_credentials="", credentials_status=CredentialsStatus.NOT_APPLICABLE
    )
