"""The sweeps: the truth of what is due, found by indexed columns. Messages only make it sooner."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from access_requests.actions import emergencies, endings, grants
from access_requests.actions.declaring import sweep_declarations
from access_requests.actions.draining import sweep_draining
from access_requests.actions.reopening import TO_END
from access_requests.actions.rules import each, lock_person
from access_requests.choices import WAITING, EndReason, RequestState, UnitState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessGroup, AccessRequest, AccessUnit
from audit.actions import record
from audit.actor import system
from integrations.choices import OPEN_ORDERS
from integrations.models import Order
from integrations.queries import unabsorbed, waiting_with_error

# A revoke is late when it is not proven this long after it was due.
OVERDUE_AFTER = timedelta(seconds=60)
# How long a grant is tried while its target does not answer, before it is given up and its end is seen to.
GRANT_PATIENCE = timedelta(minutes=10)
BATCH = 2000
# An end must not wait for asking again: so many in one sweep.
SLICE = 500


def sweep(*, at: datetime | None = None) -> int:
    """Do everything that is due: ends first, then dispatches, lapses, patience, overdue marks. Return how much."""
    moment = at or timezone.now()
    act_on = partial(each, sweep="requests")
    done = act_on(due_ends(moment)[:BATCH], lambda row: _end_by_time(row, moment))
    done += sweep_draining(at=moment)
    done += emergencies.stop_opening(at=moment) + emergencies.sweep_revocations(at=moment)
    # What waits for its flow's window is left out, so that it holds up no other.
    ready = _state(RequestState.APPROVED).exclude(lapses_at__lte=moment).exclude(opens_at__gt=moment)
    done += act_on(ready[:BATCH], lambda row: _dispatch(row, moment))
    late = AccessRequest.objects.filter(state__in=[*WAITING, RequestState.APPROVED], lapses_at__lte=moment)
    done += act_on(late.order_by("lapses_at")[:BATCH], lambda row: _lapse(row, moment))
    marked = AccessRequest.objects.filter(recheck_at__isnull=False).select_related("flow_version__flow")
    done += endings.recheck_slice(list(marked.order_by("recheck_at", "pk")[:SLICE]), at=moment)
    done += act_on(_out_of_patience(moment)[:BATCH], lambda row: _give_up(row, moment))
    for lost in (_unordered(), _reopened()):
        done += act_on(lost[:BATCH], lambda row: _order_again(row, moment))
    overdue = _state(RequestState.REVOKING).filter(due_at__lte=moment - OVERDUE_AFTER, overdue_since__isnull=True)
    done += act_on(overdue[:BATCH], lambda row: _mark_overdue(row, moment))
    return done + sweep_declarations(at=moment)


def due_ends(at: datetime) -> QuerySet[AccessRequest]:
    """Return active requests whose time is over."""
    return _state(RequestState.ACTIVE).filter(ends_at__lte=at).order_by("ends_at")


def _state(state: RequestState) -> QuerySet[AccessRequest]:
    return AccessRequest.objects.filter(state=state).order_by("pk")


def _end_by_time(row: AccessRequest, at: datetime) -> bool:
    return endings.end(row, EndReason.TIME, actor=system(), due_at=row.ends_at, at=at)


def _dispatch(row: AccessRequest, at: datetime) -> bool:
    return grants.dispatch(row, at=at)


def _lapse(row: AccessRequest, at: datetime) -> bool:
    waited = {
        RequestState.APPROVED: "It was approved, but never opened.",
        RequestState.INITIALIZING: "Its checks did not answer in time.",
        RequestState.PENDING_MFA: "No second factor was proven in time.",
    }.get(RequestState(row.state), "Nobody answered in time.")
    return endings.lapse(row, EndReason.NO_ANSWER, note=waited, actor=system(), at=at)


def _out_of_patience(at: datetime) -> QuerySet[AccessRequest]:
    """Return requests whose grant has been tried for too long, or that a retry cannot help."""
    trying = _state(RequestState.GRANTING).filter(access_groups__units__state=UnitState.GRANTING)
    hopeless = Order.objects.filter(
        integration=OuterRef("access_groups__integration"),
        person=OuterRef("grantee"),
        state__in=OPEN_ORDERS,
        error__kind__in=["credentials_rejected", "not_permitted", "misconfigured", "refused", "target_missing"],
    )
    old = trying.filter(access_groups__dispatched_at__lte=at - GRANT_PATIENCE)
    return (old | trying.filter(Exists(hopeless))).distinct()


def _give_up(row: AccessRequest, at: datetime) -> bool:
    """Stop trying to grant. What was tried is ended like any access, for only the target can say that nothing is there.

    Units that are held already stay: the request becomes active with a warning.
    """
    with transaction.atomic():
        person = lock_person(row.grantee_id)
        stuck = AccessUnit.objects.filter(group__request=row, state=UnitState.GRANTING)
        notes = [_why(group) for group in AccessGroup.objects.filter(units__in=stuck).distinct()]
        # An order that waits says why, or the order before it did of each unit.
        notes = [note for note in notes if note] or [one.message for one in stuck.order_by("pk") if one.message]
        note = " ".join(dict.fromkeys(notes)) or "The target did not answer in time."
        if not AccessUnit.objects.filter(group__request=row, state=UnitState.ACTIVE).exists():
            return endings.end(row, EndReason.NOTHING_GRANTED, actor=system(), note=note, at=at)
        stuck.update(state=UnitState.FAILED, message=note)
        grants.conclude(row, person, system(), at)
    return True


def _why(group: AccessGroup) -> str:
    error = waiting_with_error(group.integration_id, group.request.grantee_id)
    return f"{error.get('message', '')} {error.get('fix', '')}".strip()


def _unordered() -> QuerySet[AccessRequest]:
    """Return requests under way in an integration where no order is open: a crash lost the thread between two steps."""
    groups = _without_order(AccessGroup.objects.filter(dispatched_at__isnull=False, ended_at__isnull=True))
    # What drains is looked at in its own time (actions.draining).
    waits = Q(draining_at__isnull=False, request__drain_look_at__isnull=False)
    stuck = groups.filter(~waits, request__state=RequestState.REVOKING) | groups.filter(
        request__state=RequestState.GRANTING, units__state=UnitState.GRANTING
    )
    return AccessRequest.objects.filter(access_groups__in=stuck).distinct().order_by("pk")


def _reopened() -> QuerySet[AccessRequest]:
    """Return the same of what is open after its end. A query of its own: it goes by another index than all the rest."""
    groups = _without_order(AccessGroup.objects.filter(reopened_at__isnull=False))
    return AccessRequest.objects.filter(access_groups__in=groups).distinct().order_by("pk")


def _without_order(groups: QuerySet[AccessGroup]) -> QuerySet[AccessGroup]:
    order = Order.objects.filter(
        integration=OuterRef("integration"), person=OuterRef("request__grantee"), state__in=OPEN_ORDERS
    )
    return groups.filter(~Exists(order))


def _order_again(row: AccessRequest, at: datetime) -> bool:
    """Take in reports that wait; if there were none, order again."""
    with transaction.atomic():
        person = lock_person(row.grantee_id)
        for group in _unended(row):
            waiting = list(unabsorbed(group.integration_id, person.pk).select_related("integration", "leased_by"))
            aside = [one for one in waiting if not grants.absorb_or_set_aside(one, person, at=at)]
            if aside or not waiting:
                again = max((order.again + 1 for order in aside), default=0)
                grants.reorder(person, group.integration, again=again, at=at)
    return True


def _unended(row: AccessRequest) -> Iterable[AccessGroup]:
    groups = row.access_groups.filter(TO_END, dispatched_at__isnull=False)
    return groups.select_related("integration")


def _mark_overdue(row: AccessRequest, at: datetime) -> bool:
    with transaction.atomic():
        marked = AccessRequest.objects.filter(
            pk=row.pk, state=RequestState.REVOKING, overdue_since__isnull=True
        ).update(overdue_since=row.due_at)
        if marked:
            details = {"due_at": row.due_at.isoformat() if row.due_at else ""}
            record("request.overdue", actor=system(), subject=subject_of(row), details=details, at=at)
            moved(row.pk)
    return bool(marked)


def sweep_cleanups(*, at: datetime | None = None, limit: int = 500) -> int:
    """Order the removal of logins left behind by grants that ended long enough ago."""
    moment = at or timezone.now()
    due = AccessGroup.objects.filter(cleanup_due_at__lte=moment, cleaned_at__isnull=True).exclude(login="")
    rows = due.select_related("request", "integration").order_by("cleanup_due_at")[:limit]
    return sum(grants.clean_up(group, at=moment) for group in rows)
