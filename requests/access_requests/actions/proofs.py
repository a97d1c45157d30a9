"""What a read-back proves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from access_requests.actions.reopening import end_again
from access_requests.actions.rules import ran_by
from access_requests.choices import CredentialsStatus, UnitState
from access_requests.draining import due_of, may_drain, next_look
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessGroup, AccessRequest, AccessSession, Proof
from audit.actions import record
from integrations.models import Order


def prove(order: Order, groups: dict[str, AccessGroup], *, at: datetime) -> list[str]:
    """Close the grants that an order ended and the read-back found nothing of; return the ids of those still there.

    What drains as it should is neither: it is noted.
    The order was leased only after every earlier lease on the same person and integration was over, so nobody else was
    at work when the target was read.
    """
    read_back = order.result.get("read_back")
    gone = [one["grant_id"] for one in order.desired["gone"]]
    if read_back is None:
        return gone
    found = {one["grant_id"] for one in read_back["ours"]}
    draining = _draining(order, groups)
    for grant_id in gone:
        group = groups.get(grant_id)
        if group is None:
            continue
        if group.ended_at is not None:
            if group.reopened_at is not None and grant_id not in found:
                end_again(group, order, at=at)
            continue
        if grant_id in draining:
            _keep_draining(group, draining[grant_id], order, at)
        elif grant_id in found:
            _tell_what_is_left(group, read_back, order, at)
        else:
            _close(group, order, at)
    return [grant_id for grant_id in gone if grant_id in found - draining.keys()]


def _draining(order: Order, groups: dict[str, AccessGroup]) -> dict[str, int]:
    """Return the grants that drain, with how many sessions go on: those that may, and let no new one begin."""
    told = {one["grant_id"] for one in order.desired["gone"] if one.get("drain_until")}
    left = {one["grant_id"]: int(one.get("sessions_left") or 0) for one in order.result.get("grants", ())}
    return {key: left[key] for key in told if left.get(key) and key in groups and may_drain(groups[key].request)}


def _keep_draining(group: AccessGroup, left: int, order: Order, at: datetime) -> None:
    """Note that no new session of a grant begins any more, and how many go on; the first time in the trail."""
    if group.draining_at is None:
        request = group.request
        details = {
            "integration": group.integration.name,
            "sessions": left,
            "until": request.drains_until.isoformat() if request.drains_until else "",
            "lag_seconds": round(max(0.0, (at - (request.ends_at or at)).total_seconds()), 3),
            "order": str(order.pk),
        }
        who = ran_by(order)
        record("request.draining", actor=who, subject=subject_of(request), details=details, at=at)
        AccessRequest.objects.filter(pk=request.pk).update(drain_look_at=next_look(request, at))
        group.draining_at = at
    group.sessions_left, group.still_found = left, []
    group.save(update_fields=["draining_at", "sessions_left", "still_found"])
    moved(group.request_id)


def keep_due(row: AccessRequest, unended: Iterable[AccessGroup]) -> None:
    """Say that the end is due when sessions have to end, once nothing else of it is left.

    Until then it is due since access ended, and late like any end: a target that still lets people in does not drain.
    """
    if row.due_at != row.drains_until and all(group.draining_at is not None for group in unended):
        told = {"due_at": row.drains_until, "overdue_since": None, "overdue_told_at": None}
        AccessRequest.objects.filter(pk=row.pk).update(**told)


def _tell_what_is_left(group: AccessGroup, read_back: dict[str, Any], order: Order, at: datetime) -> None:
    """Say what the target still shows of a grant that is over: on its page, and in the trail whenever it is another."""
    left = sorted(
        f"{one['unit']['permission']} on {one['unit']['resource']}" + (f" ({one['login']})" if one["login"] else "")
        for one in read_back["ours"]
        if one["grant_id"] == str(group.pk)
    )
    if left != group.still_found:
        details = {"found": left, "integration": group.integration.name, "order": str(order.pk)}
        who = ran_by(order)
        record("request.still_there", actor=who, subject=subject_of(group.request), details=details, at=at)
    group.still_found, group.still_found_at = left, at
    group.save(update_fields=["still_found", "still_found_at"])
    moved(group.request_id)


def _close(group: AccessGroup, order: Order, at: datetime) -> None:
    """Write the proof of one grant's end, and everything that follows from it."""
    read_back, result = order.result["read_back"], order.result
    due = due_of(group) or at
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
    group.ended_at, group.still_found, group.sessions_left = at, [], 0
    if group.login:
        days = group.integration.cleanup_days if group.request.grantee.is_active else 0
        group.cleanup_due_at = at + timedelta(days=days)
    group.save(update_fields=["ended_at", "cleanup_due_at", "still_found", "sessions_left"])
    group.units.exclude(state=UnitState.FAILED).update(state=UnitState.ENDED)
    AccessSession.objects.filter(group=group).update(
        ended_at=at, sealed_credentials="", credentials_status=CredentialsStatus.NOT_APPLICABLE
    )
