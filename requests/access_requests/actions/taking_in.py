"""What a report tells of a grant: its units, its session, the target's own end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from access_requests.choices import HELD_UNITS, CredentialsStatus, RequestState, UnitState
from access_requests.drift import key_of
from access_requests.models import AccessGroup, AccessSession, AccessUnit


def take_in_grant(group: AccessGroup, report: dict[str, Any], hold: dict[str, Any], sealed: str, at: datetime) -> bool:
    """Write what became of a grant's units, and its session. What was ended meanwhile is left to the next order.

    True when it is to be tried again: nothing is held, and of some of it the line broke while it was given, which is no
    answer. Where something is held, the person gets that, and a warning.
    """
    if group.request.state not in {RequestState.GRANTING, RequestState.ACTIVE}:
        return False
    outcome = {key_of(one["unit"]): one for one in report["units"]}
    ordered = {key_of(unit) for unit in hold["units"]}
    # What has vanished was not ordered, so nothing was reported of it.
    units = [unit for unit in group.units.filter(state__in=HELD_UNITS) if unit.key in ordered]
    broken = {unit.pk for unit in units if _line_broke(outcome.get(unit.key))}
    held = any(_is_held(outcome.get(unit.key)) for unit in units)
    for unit in units:
        again = not held and unit.pk in broken and unit.state == UnitState.GRANTING
        _take_in_unit(unit, outcome.get(unit.key), again)
    if held:
        _keep_session(group, report, sealed, at)
    return any(unit.state == UnitState.GRANTING for unit in units)


def take_in_end(group: AccessGroup, hold: dict[str, Any]) -> None:
    """Note the target's own end, which an order with the server's end moves behind that."""
    if hold["ends_at"] and group.backstop_at is not None:
        group.backstop_at = datetime.fromisoformat(hold["ends_at"]) + timedelta(seconds=settings.LEASE_SECONDS)
        group.save(update_fields=["backstop_at"])


def _is_held(said: dict[str, Any] | None) -> bool:
    return said is not None and said["outcome"] == "held"


def _line_broke(said: dict[str, Any] | None) -> bool:
    return ((said or {}).get("error") or {}).get("kind") == "unreachable"


def _take_in_unit(unit: AccessUnit, said: dict[str, Any] | None, again: bool) -> None:
    """Write one unit's outcome; what is tried again keeps its state."""
    if _is_held(said):
        unit.state, unit.message = UnitState.ACTIVE, ""
    else:
        error = (said or {}).get("error") or {"message": "The connector did not report on this.", "fix": ""}
        unit.state = unit.state if again else UnitState.FAILED
        unit.message = f"{error['message']} {error['fix']}".strip()
    unit.save(update_fields=["state", "message"])


def _keep_session(group: AccessGroup, report: dict[str, Any], sealed: str, at: datetime) -> None:
    """Make or update the session; credentials made in this run are kept sealed until they are seen."""
    session, _ = AccessSession.objects.get_or_create(group=group, defaults={"started_at": at})
    session.details = report["details"] or session.details
    if sealed:
        session.credentials_status, session.sealed_credentials = CredentialsStatus.AVAILABLE, sealed
        session.credentials_made_at, session.consumed_at, session.consumed_by = at, None, ""
    session.save()
