"""Grants: dispatched as orders that carry desired state, and taken in from what connectors report.

Whatever is ordered for a person in an integration is computed under the lock on that person's row, from committed rows,
so the newest order carries the newest truth and overlap needs no special case.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.utils import timezone

from access_requests.actions.eligibility import why_not_eligible
from access_requests.actions.looking import look
from access_requests.actions.noticing import notice_sessions
from access_requests.actions.proofs import keep_due, prove
from access_requests.actions.reopening import TO_END, notice
from access_requests.actions.routing import still_enough
from access_requests.actions.rules import lock_person, ran_by
from access_requests.actions.taking_in import take_in_end, take_in_grant
from access_requests.choices import FINAL, HELD_UNITS, CredentialsStatus, EndedHow, EndReason, RequestState, UnitState
from access_requests.draining import may_drain
from access_requests.drift import FindingKind, FindingState
from access_requests.events import moved
from access_requests.lifecycle import move
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, DriftFinding
from access_requests.queries.emergencies import frozen, words_of
from access_requests.reminding import next_reminder
from accounts.models import User
from accounts.queries import attributes_of
from audit.actor import Actor, system
from flows.decision import windows
from integrations import actions as integrations
from integrations.choices import OrderVerb
from integrations.models import Integration, Order
from integrations.queries import can_drain, has_logins, login_max, open_order, unabsorbed

log = logging.getLogger(__name__)
LOGIN_WORDS = 40
GONE = "Who approved it was disabled before it opened. Ask again."
# A window that never opens is looked at again: it may be changed.
LOOK_AGAIN = timedelta(hours=1)


def dispatch(request: AccessRequest, *, to_end: bool = False, at: datetime | None = None) -> bool:
    """Send out what was approved, after asking again whether the person is still eligible. False: nothing to do.

    What is not eligible any more lapses, with the reason; outside the flow's window it waits for the next opening. What
    is `to_end`, foreign access that is taken over only to be ended, takes no eligibility and waits for nothing. An
    envelope is nobody's, and two admins said yes to it: it waits for a thaw alone.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        person = lock_person(request.grantee_id)
        rows = AccessRequest.objects.select_for_update(of=("self",)).select_related("flow_version__flow__current")
        row = rows.get(pk=request.pk)
        if row.state != RequestState.APPROVED or (not to_end and _waits(row, moment)):
            return False
        reason = "" if to_end or row.in_envelope else why_not_eligible(row) or ("" if still_enough(row) else GONE)
        if reason:
            ended: dict[str, Any] = {"ended_at": moment, "end_reason": EndReason.NOT_ELIGIBLE, "note": reason}
            return move(row, RequestState.LAPSED, actor=system(), reason=reason, at=moment, **ended)
        move(row, RequestState.GRANTING, actor=system(), at=moment)
        groups = list(row.access_groups.select_related("integration"))
        for group in groups:
            _prepare(group, row, person, moment)
        for group in groups:
            reorder(person, group.integration, at=moment)
    return True


def _waits(row: AccessRequest, at: datetime) -> bool:
    """Whether a window or a freeze keeps it from opening."""
    return (not row.in_envelope and _waits_for_window(row, at)) or _waits_for_thaw(row, at)


def _waits_for_window(row: AccessRequest, at: datetime) -> bool:
    """Whether the flow, as it is now, may not be used at this hour; then note when to look again."""
    current = row.flow_version.flow.current
    window = current.document.get("timeframe") if current else None
    if windows.is_open(window, at):
        return False
    opens_at = windows.opens_at(window, at) or at + LOOK_AGAIN
    AccessRequest.objects.filter(pk=row.pk).update(opens_at=opens_at)
    moved(row.pk)
    return True


def _waits_for_thaw(row: AccessRequest, at: datetime) -> bool:
    """Whether a freeze keeps it from opening; then say so, and note when to look again at the latest."""
    ice = frozen(row.access_groups.values_list("integration_id", flat=True))
    if ice is None or (row.break_glass and ice.break_glass):
        return False
    AccessRequest.objects.filter(pk=row.pk).update(opens_at=at + LOOK_AGAIN, note=words_of(ice))
    moved(row.pk)
    return True


def _prepare(group: AccessGroup, request: AccessRequest, person: User, at: datetime) -> None:
    """Fix the grant's login and mark its units as under way."""
    group.dispatched_at = at
    if has_logins(group.integration) and not group.login:
        group.login = login_for(person, group, login_max(group.integration))
    if request.duration_seconds is not None:
        group.backstop_at = at + timedelta(seconds=request.duration_seconds)
    group.save(update_fields=["dispatched_at", "login", "backstop_at"])
    group.units.update(state=UnitState.GRANTING)


def login_for(person: User, group: AccessGroup, at_most: int) -> str:
    """Return the name of the login for a grant: readable, unique, at most so many characters of plain ASCII."""
    words = re.sub(r"[^a-z0-9]+", "_", person.email.partition("@")[0].lower()).strip("_") or "person"
    unique = group.pk.hex[:12]
    room = min(LOGIN_WORDS, at_most - len(f"lk__{unique}"))
    return f"lk_{words[:room].strip('_')}_{unique}"


def reorder(
    person: User, integration: Integration, *, at: datetime, verb: str = OrderVerb.APPLY, again: int = 0
) -> Order:
    """Order what the person should hold now. The caller holds the person's lock.

    The open order is closed first, then reports that wait are taken in: nothing is ordered on old knowledge, and
    nothing can be reported in between.
    """
    integrations.supersede(integration, person, at=at)
    for order in unabsorbed(integration.pk, person.pk):
        absorb_or_set_aside(order, person, at=at)
    desired = desired_state(person, integration)
    return integrations.order_for_person(integration, person, desired, verb=verb, again=again, at=at)


def absorb_or_set_aside(order: Order, person: User, *, at: datetime) -> bool:
    """Take in a report that waits; set it aside when it cannot be taken in. False when it was set aside.

    The caller holds the person's lock, and orders anew after a False. A report that nobody can read must not keep an
    end from being ordered.
    """
    try:
        with transaction.atomic():
            _absorb_locked(order, person)
    except (OperationalError, InterfaceError):
        raise  # the database is away, the report is not to blame
    except Exception as error:
        log.exception("the report of order %s cannot be taken in", order.pk)
        integrations.set_aside(Order.objects.get(pk=order.pk), type(error).__name__, at=at)
        return False
    return True


def desired_state(person: User, integration: Integration, *, vanished: bool = False) -> dict[str, Any]:
    """Return everything the person should hold in the integration, and everything that must be gone, as JSON.

    What has vanished is left out, for it is never granted again silently; with `vanished` it is in, to be looked for.
    """
    mine = {"request__grantee": person, "integration": integration}
    groups = AccessGroup.objects.filter(TO_END, dispatched_at__isnull=False, **mine)
    holds, gone = [], []
    rows = groups.select_related("request", "session", "integration").prefetch_related(_with_drift())
    for group in rows.order_by("pk"):
        live = [unit for unit in group.units.all() if unit.state in HELD_UNITS]
        if live and group.request.state in {RequestState.GRANTING, RequestState.ACTIVE}:
            there = [unit for unit in live if vanished or not getattr(unit, "has_vanished", False)]
            holds += [_grant(group, there, has_logins(integration))] if there else []
        else:
            gone.append(_ending(group))
    return {"person": _person(person), "holds": holds, "gone": gone}


def _with_drift() -> Prefetch[str]:
    """Read units with whether they were found to have vanished."""
    gone = DriftFinding.objects.filter(unit=OuterRef("pk"), kind=FindingKind.VANISHED, state=FindingState.OPEN)
    return Prefetch("units", AccessUnit.objects.annotate(has_vanished=Exists(gone)))


def _named(person: User, integration: Integration) -> list[dict[str, str]]:
    """Return the units that grants of the person name which are dispatched and not over.

    Of what is still to be dispatched only what was adopted: there the answer was written beforehand. Of any other the
    target is asked when it opens, for somebody may have been given it by hand meanwhile.
    """
    adopted = Q(dispatched_at__isnull=True, request__adopted__isnull=False) & ~Q(request__state__in=FINAL)
    mine = AccessGroup.objects.filter(request__grantee=person, integration=integration, ended_at__isnull=True)
    return _units(AccessUnit.objects.filter(group__in=mine.filter(Q(dispatched_at__isnull=False) | adopted)))


def _person(person: User) -> dict[str, Any]:
    return {
        "id": str(person.pk),
        "name": person.name,
        "aliases": [person.email, person.email.partition("@")[0]],
        "attributes": attributes_of(person),
    }


def _grant(group: AccessGroup, units: Iterable[AccessUnit], logins: bool) -> dict[str, Any]:
    request = group.request
    session = getattr(group, "session", None)
    unseen = session is None or session.credentials_status == CredentialsStatus.RESETTING
    return {
        "grant_id": str(group.pk),
        "login": group.login,
        "units": _units(units),
        # The server's end once it is known; before that the duration, counted from the lease (integrations.wire).
        "ends_at": request.ends_at.isoformat() if request.ends_at else None,
        "lasts_seconds": request.duration_seconds,
        "wants_credentials": logins and unseen,
    }


def _ending(group: AccessGroup) -> dict[str, Any]:
    """Return a grant that is over. Where it drains it says until when: past that the wire leaves it out."""
    request, told = group.request, {"grant_id": str(group.pk), "login": group.login}
    drain: dict[str, Any] = {}
    if may_drain(request) and request.drains_until is not None and can_drain(group.integration):
        drain = {"drain_until": request.drains_until.isoformat()}
    return told | {"units": _units(group.units.all())} | drain


def _units(units: Iterable[AccessUnit]) -> list[dict[str, str]]:
    return [
        {
            "resource_type": unit.resource_type,
            "resource": unit.resource_source_id,
            "permission": unit.permission_source_id,
        }
        for unit in units
    ]


def look_at(person: User, integration: Integration, *, at: datetime) -> bool:
    """Order a look at what the person holds, beside nothing else. The caller holds the person's lock.

    False while an order is open there: whatever it is about, it reads back too, and is never superseded by a look.
    """
    if open_order(integration.pk, person.pk) is not None:
        return False
    wanted = desired_state(person, integration, vanished=True)
    integrations.order_for_person(integration, person, wanted, verb=OrderVerb.READ_BACK, at=at)
    return True


def absorb(order: Order) -> bool:
    """Take in the report of a settled order about a person; False when that was done before."""
    if order.person_id is None:
        return False
    with transaction.atomic():
        person = lock_person(order.person_id)
        return _absorb_locked(Order.objects.select_related("integration", "leased_by").get(pk=order.pk), person)


def _absorb_locked(order: Order, person: User) -> bool:
    """Take in a report once: units, session, standing access, proofs; then see what became of each request."""
    result, moment = order.result, order.settled_at or timezone.now()
    sealed = {one["grant_id"]: one.get("sealed_credentials", "") for one in result.get("grants", ())}
    if not integrations.take_in(order, at=moment):
        return False
    actor = ran_by(order)
    groups = _groups_of(order)
    notice_sessions(order, person, at=moment)
    if order.verb == OrderVerb.CLEAN_UP:
        AccessGroup.objects.filter(pk__in=list(groups)).update(cleaned_at=moment)
        return True
    if order.verb == OrderVerb.READ_BACK:
        again = look(order, person, at=moment)
        if notice(order, person, at=moment):
            _order_anew(person, order, moment)
        elif again:
            look_at(person, order.integration, at=moment)
        return True
    holds = {one["grant_id"]: one for one in order.desired["holds"]}
    broken = False
    for report in result.get("grants", ()):
        group = groups.get(report["grant_id"])
        if group is not None and report["grant_id"] in holds:
            broken |= take_in_grant(group, report, holds[report["grant_id"]], sealed[report["grant_id"]], moment)
            take_in_end(group, holds[report["grant_id"]])
    still_there = prove(order, groups, at=moment)
    integrations.forget_baseline(order.integration, person, _named(person, order.integration))
    for request in AccessRequest.objects.filter(access_groups__in=list(groups)).distinct().order_by("pk"):
        conclude(request, person, actor, moment)
    look(order, person, at=moment)
    if still_there or broken:
        _order_anew(person, order, moment, again=order.again + 1)
    if notice(order, person, at=moment):
        _order_anew(person, order, moment)
    return True


def _order_anew(person: User, order: Order, at: datetime, again: int = 0) -> None:
    """Order what is left to be done, unless an order is open."""
    if open_order(order.integration_id, person.pk) is None:
        reorder(person, order.integration, at=at, again=again)


def _groups_of(order: Order) -> dict[str, AccessGroup]:
    """Return the access groups an order is about, by id."""
    ids = [one["grant_id"] for part in ("holds", "gone") for one in order.desired.get(part, ())]
    found = AccessGroup.objects.filter(pk__in=ids).select_related("request", "integration")
    return {str(group.pk): group for group in found}


def conclude(request: AccessRequest, person: User, actor: Actor, at: datetime) -> None:
    """See whether a request has become active, has failed, or is over."""
    row = AccessRequest.objects.select_for_update().get(pk=request.pk)
    if row.state == RequestState.GRANTING:
        _conclude_granting(row, person, actor, at)
    elif row.state == RequestState.REVOKING and not _unended(row):
        ended_at = max(group.ended_at for group in row.access_groups.all() if group.ended_at)
        over: dict[str, Any] = {"ended_at": ended_at, "ended_how": EndedHow.PROVEN, "drain_look_at": None}
        move(row, RequestState.REVOKED, actor=actor, at=ended_at, **over)
    elif may_drain(row):
        keep_due(row, _unended(row))
    moved(row.pk)


def _unended(row: AccessRequest) -> list[AccessGroup]:
    """Return the groups that were dispatched and are not proven to be over."""
    groups = row.access_groups.filter(dispatched_at__isnull=False, ended_at__isnull=True)
    return list(groups.select_related("integration"))


def _conclude_granting(row: AccessRequest, person: User, actor: Actor, at: datetime) -> None:
    """Active when every unit is settled and one holds; failed when none does and every target says nothing is there."""
    states = set(AccessUnit.objects.filter(group__request=row).values_list("state", flat=True))
    if states & {UnitState.PENDING, UnitState.GRANTING}:
        return
    left = [group for group in _unended(row) if not group.units.filter(state=UnitState.ACTIVE).exists()]
    if UnitState.ACTIVE in states:
        length = row.duration_seconds
        ends_at = at + timedelta(seconds=length) if length is not None else None
        warning = UnitState.FAILED in states
        told: dict[str, Any] = {"activated_at": at, "ends_at": ends_at, "warning": warning, "note": ""}
        # Nobody holds an envelope who could be reminded: admins are written to (standstill).
        remind_at = None if row.in_envelope else next_reminder(at, ends_at, at)
        move(row, RequestState.ACTIVE, actor=actor, at=at, remind_at=remind_at, **told)
    elif not left:
        words = row.access_groups.values_list("units__message", flat=True)
        note = " ".join(dict.fromkeys(word for word in words if word))
        ended: dict[str, Any] = {"ended_at": at, "end_reason": EndReason.NOTHING_GRANTED, "note": note}
        move(row, RequestState.FAILED, actor=actor, reason=note, at=at, **ended)
    for group in left:
        reorder(person, group.integration, at=at)


def clean_up(group: AccessGroup, *, at: datetime) -> bool:
    """Order the removal of the login that an ended grant left behind. False while another order is open there."""
    with transaction.atomic():
        person = lock_person(group.request.grantee_id)
        if open_order(group.integration_id, person.pk) is not None:
            return False
        gone = [{"grant_id": str(group.pk), "login": group.login, "units": _units(group.units.all())}]
        desired = {"person": _person(person), "holds": [], "gone": gone}
        integrations.order_for_person(group.integration, person, desired, verb=OrderVerb.CLEAN_UP, at=at)
    return True
