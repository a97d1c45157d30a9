"""A look: what a target says a person holds, held against what should be. It changes nothing that is held.

The first complete look at a person in an integration says what was standing. What is seen later, and was surely not
there at the look before, came from elsewhere. What we gave and is missing at two looks in a row has vanished.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from access_requests.choices import FINAL, RequestState, UnitState
from access_requests.drift import KNOWN_FINDINGS, MISSING, FindingKind, FindingState, Has, Told, beside, key_of, told_of
from access_requests.events import moved
from access_requests.models import AccessUnit, DriftFinding, Look, StandingRecord
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import system
from integrations.choices import OrderVerb
from integrations.models import BaselineUnit, Order, Permission, Resource
from integrations.queries import reads_named_only

_MESSAGE_MAX = 2000
# Standing access that was not seen for so long, while looks were made, is not standing any more.
GONE_FOR = timedelta(hours=24)
Units = dict[tuple[str, str, str, str], AccessUnit]


@dataclass(frozen=True, slots=True)
class _Sight:
    """One look under way: the order that read, the person, when, and the look before."""

    order: Order
    person: User
    at: datetime
    before: Look | None

    @property
    def place(self) -> dict[str, Any]:
        """Where and at whom, as columns."""
        return {"integration": self.order.integration, "person": self.person}


def look(order: Order, person: User, *, at: datetime) -> bool:
    """Take in what a settled order read. True when something is missing that a second look has to confirm.

    The caller holds the person's lock. A look that is older than the last one is no news.
    """
    read_back = order.result.get("read_back")
    before = Look.objects.filter(integration=order.integration_id, person=person).first()
    if read_back is None or (before and before.last_at and before.last_at > at):
        return False
    sight = _Sight(order, person, at, before)
    found = beside(read_back)
    if found is not None:
        _take_in_beside(sight, found)
    suspicious = _take_in_held(sight)
    told = {"last_at": at, "tried_at": at, "problem": ""}
    if found is not None and (before is None or before.first_at is None):
        told["first_at"] = at
    Look.objects.update_or_create(integration=order.integration, person=person, defaults=told)
    return suspicious


def subject_of(finding: DriftFinding) -> Subject:
    """Return the snapshot of a finding that an audit entry keeps."""
    return Subject("drift", str(finding.pk), f"{finding} ({finding.login or finding.person.email})")


def details_of(finding: DriftFinding) -> dict[str, Any]:
    """Return what the audit keeps of a finding."""
    told = {
        "kind": finding.kind,
        "integration": finding.integration.name,
        "person": finding.person.email,
        "login": finding.login,
        "unit": [finding.resource_type, finding.resource, finding.permission],
        "before_at": finding.before_at.isoformat() if finding.before_at else "",
        "first_seen_at": finding.first_seen_at.isoformat(),
    }
    return {name: value for name, value in told.items() if value}


def settle(finding: DriftFinding, state: FindingState, reason: str, *, at: datetime) -> None:
    """Close a finding that nobody decided about, with the reason."""
    finding.state, finding.reason, finding.decided_at = state, reason, at
    finding.save(update_fields=["state", "reason", "decided_at"])
    details = details_of(finding) | {"state": state.value, "reason": reason}
    record("drift.settled", actor=system(), subject=subject_of(finding), details=details, at=at)
    _show(finding)


def _show(finding: DriftFinding) -> None:
    """Tell the page of the request that a finding is about."""
    if finding.unit is not None:
        moved(finding.unit.group.request_id)


def _take_in_beside(sight: _Sight, found: set[Has]) -> None:
    """Sort what is not ours: standing, known, new; and close what is not there any more."""
    rows = {(one.login, _unit_of(one)): one for one in StandingRecord.objects.filter(**sight.place)}
    standing = {has: one for has, one in rows.items() if _still_stands(sight, one)}
    known = _known(sight)
    for has in sorted(found):
        if has in known:
            _seen_again(known[has], sight)
        elif has not in standing and not _was_standing(sight, has):
            _find_foreign(sight, has)
        elif has not in rows:
            _keep_standing(sight, has)
    seen = [rows[has].pk for has in found & rows.keys() - known.keys() if has in standing]
    StandingRecord.objects.filter(pk__in=seen).update(last_seen_at=sight.at)
    for has in known.keys() - found:
        _not_there(known[has], sight)


def _unit_of(row: StandingRecord | DriftFinding) -> tuple[str, str, str]:
    return (row.resource_type, row.resource, row.permission)


def _known(sight: _Sight) -> dict[Has, DriftFinding]:
    """Return the foreign access that is known of and not settled."""
    rows = DriftFinding.objects.filter(**sight.place, kind=FindingKind.FOREIGN, state__in=KNOWN_FINDINGS)
    return {(one.login, _unit_of(one)): one for one in rows.select_related("request", "integration", "person")}


def _still_stands(sight: _Sight, one: StandingRecord) -> bool:
    """Whether it was there lately: what was gone for a day, and came again, was given by somebody.

    A day, for a target that could not tell whose an account is says that there is nothing.
    """
    last = sight.before.last_at if sight.before else None
    return last is None or one.last_seen_at >= last - GONE_FOR or reads_named_only(sight.order.integration)


def _was_standing(sight: _Sight, has: Has) -> bool:
    """Whether something seen for the first time counts as having been there before us.

    At the first look all of it does. Where a read-back sees only what its order names, the provider's own first answer
    about the unit decides.
    """
    if sight.before is None or sight.before.first_at is None:
        return True
    if not reads_named_only(sight.order.integration):
        return False
    kind, resource, permission = has[1]
    asked = BaselineUnit.objects.filter(
        **sight.place, resource_type=kind, resource=resource, permission=permission, standing=False
    )
    return not asked.exists()


def _keep_standing(sight: _Sight, has: Has) -> None:
    kind, resource, permission = has[1]
    StandingRecord.objects.create(
        **sight.place,
        login=has[0],
        resource_type=kind,
        resource=resource,
        permission=permission,
        first_seen_at=sight.at,
        last_seen_at=sight.at,
    )


def _find_foreign(sight: _Sight, has: Has) -> None:
    """Write down access that came from elsewhere since the look before."""
    kind, resource, permission = has[1]
    names = _names(sight, has[1])
    finding = DriftFinding.objects.create(
        **sight.place,
        kind=FindingKind.FOREIGN,
        login=has[0],
        resource_type=kind,
        resource=resource,
        permission=permission,
        resource_name=names[0],
        permission_name=names[1],
        before_at=sight.before.last_at if sight.before else None,
        first_seen_at=sight.at,
        last_seen_at=sight.at,
    )
    record("drift.foreign", actor=system(), subject=subject_of(finding), details=details_of(finding), at=sight.at)


def _names(sight: _Sight, unit: tuple[str, str, str]) -> tuple[str, str]:
    """Return resource and permission as the inventory calls them, or as the target does."""
    kind, resource, permission = unit
    here = {"integration": sight.order.integration}
    path = Resource.objects.filter(**here, resource_type__type=kind, source_id=resource).values_list("path", flat=True)
    name = Permission.objects.filter(
        resource_type__integration=sight.order.integration, resource_type__type=kind, source_id=permission
    ).values_list("name", flat=True)
    return path.first() or f"{kind} {resource}"[:700], name.first() or permission


def _seen_again(finding: DriftFinding, sight: _Sight) -> None:
    """Note that foreign access is there still; what could not be adopted waits for a decision again."""
    finding.last_seen_at = sight.at
    over = finding.request is not None and finding.request.state in FINAL
    if finding.state == FindingState.ADOPTED and over:
        finding.state, finding.request, finding.removes = FindingState.OPEN, None, False
    finding.save(update_fields=["last_seen_at", "state", "request", "removes"])


def _not_there(finding: DriftFinding, sight: _Sight) -> None:
    """Close what is not seen any more. What was adopted is ours now, until its end is proven."""
    if finding.state == FindingState.OPEN:
        settle(finding, FindingState.GONE_BY_ITSELF, "It was not there any more at the next look.", at=sight.at)
    elif finding.removes and finding.request is not None and finding.request.state == RequestState.REVOKED:
        finding.state = FindingState.REMOVED
        finding.save(update_fields=["state"])


def _take_in_held(sight: _Sight) -> bool:
    """Compare what grants should hold with what is there. True when a second look is wanted."""
    order = sight.order
    wanted = [(one["grant_id"], key_of(unit)) for one in order.desired.get("holds", ()) for unit in one["units"]]
    units = _units(grant for grant, _ in wanted)
    rows = DriftFinding.objects.filter(**sight.place, kind=FindingKind.VANISHED, state__in=MISSING)
    known = {one.unit_id: one for one in rows.select_related("unit__group__request", "integration", "person")}
    again = False
    for grant, unit in wanted:
        row = units.pop((grant, *unit), None)
        if row is None or row.state != UnitState.ACTIVE or row.group.request.state != RequestState.ACTIVE:
            continue
        told, words = told_of(order.result, grant, unit)
        again |= _compare(sight, row, known.pop(row.pk, None), told, words)
    for finding in known.values():
        _close_over(finding, sight)
    return again


def _units(grants: Iterable[str]) -> Units:
    """Return the units of grants by grant and unit, each as it is now."""
    rows = AccessUnit.objects.filter(group__in=set(grants)).select_related("group__request")
    return {(str(one.group_id), *one.key): one for one in rows}


def _compare(sight: _Sight, unit: AccessUnit, finding: DriftFinding | None, told: Told, words: str) -> bool:
    """Take in what was told of one unit that should be held. True when a second look is wanted."""
    only_looked = sight.order.verb == OrderVerb.READ_BACK
    if told == Told.THERE and finding is not None:
        _came_back(finding, sight)
    elif told == Told.MISSING and only_looked and finding is None:
        _suspect(sight, unit, words)
        return True
    elif told == Told.MISSING and only_looked and finding is not None:
        _confirm(finding, sight, words)
    return False


def _suspect(sight: _Sight, unit: AccessUnit, words: str) -> None:
    """Note that a unit was missed once."""
    before_at = sight.before.last_at if sight.before else unit.group.request.activated_at
    find_unit(unit, FindingKind.VANISHED, FindingState.SUSPECTED, words=words, before_at=before_at, at=sight.at)


def find_unit(
    unit: AccessUnit, kind: FindingKind, state: FindingState, *, words: str, before_at: datetime | None, at: datetime
) -> None:
    """Write down what was found of a unit, in the words of the target; it was otherwise at `before_at`."""
    DriftFinding.objects.create(
        kind=kind,
        state=state,
        integration_id=unit.group.integration_id,
        person_id=unit.group.request.grantee_id,
        unit=unit,
        login=unit.group.login,
        resource_type=unit.resource_type,
        resource=unit.resource_source_id,
        permission=unit.permission_source_id,
        resource_name=unit.resource_path,
        permission_name=unit.permission_name,
        message=words[:_MESSAGE_MAX],
        before_at=before_at,
        first_seen_at=at,
        last_seen_at=at,
    )


def _confirm(finding: DriftFinding, sight: _Sight, words: str) -> None:
    """Say that access has vanished: two looks in a row have missed it."""
    new = finding.state == FindingState.SUSPECTED
    finding.state, finding.last_seen_at, finding.message = FindingState.OPEN, sight.at, words[:_MESSAGE_MAX]
    finding.save(update_fields=["state", "last_seen_at", "message"])
    if new:
        details = details_of(finding)
        record("drift.vanished", actor=system(), subject=subject_of(finding), details=details, at=sight.at)
        _show(finding)


def _came_back(finding: DriftFinding, sight: _Sight) -> None:
    """Close what is there again. Missed once and back is nothing, unless an order of ours gave it again meanwhile."""
    if finding.state == FindingState.OPEN:
        settle(finding, FindingState.GONE_BY_ITSELF, "It was there again at the next look.", at=sight.at)
    elif sight.order.verb == OrderVerb.READ_BACK:
        finding.delete()
    else:
        words = "It was missed once; before it was looked at again, an order for other access carried it along."
        settle(finding, FindingState.GRANTED_AGAIN, words, at=sight.at)


def _close_over(finding: DriftFinding, sight: _Sight) -> None:
    """Close what vanished of access that is over by now."""
    unit = finding.unit
    if unit is None or (unit.state == UnitState.ACTIVE and unit.group.request.state == RequestState.ACTIVE):
        return
    if finding.state == FindingState.SUSPECTED:
        finding.delete()
    else:
        settle(finding, FindingState.GONE_BY_ITSELF, "The access ended.", at=sight.at)
