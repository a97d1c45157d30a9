"""Reconcile runs: everybody who may hold something in an integration is read back, by the clock or when asked for.

A run writes down whom it looks at when it begins. A step looks who was read back since, asks for the next few, and
writes how far the run is, in one transaction: a process that is killed at any line has done a step or has not. What is
asked for are ordinary orders, a few at once, made only where no other is open; any order that reads back counts.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from access_requests.actions import drifting
from access_requests.actions.grants import look_at
from access_requests.actions.rules import NotPossible, lock_person
from access_requests.choices import UnitState
from access_requests.drift import UNDONE, FindingKind, FindingState, LookOutcome
from access_requests.events import ring_drift
from access_requests.models import AccessGroup, AccessUnit, DriftFinding, Look, ReconcileRun, StandingRecord, ToLookAt
from accounts.actions import require
from accounts.models import User
from audit.actions import Subject, record
from audit.actor import Actor, system
from integrations import actions as integrations
from integrations.choices import IntegrationStatus, OrderVerb
from integrations.models import Integration, Order
from integrations.queries import open_orders_of, tells_people, unabsorbed

# How many runs the clock lets go on at once, and by how much the time between two of them varies.
RUNS_AT_ONCE = 5
SPREAD = (0.9, 1.1)
# Somebody who was read back within this is not looked at for completeness alone.
FRESH = timedelta(hours=24)
# How long a look that fails for what passes by itself is waited for, before the run gives the target up.
PATIENCE = timedelta(minutes=15)
PASSING = ("unreachable", "lease_lost")
RUNS_KEPT, LOOKS_KEPT = 20, timedelta(days=7)
HOLDERS, OTHERS = 0, 1
_ANSWERS = (IntegrationStatus.ACTIVE, IntegrationStatus.WARNING)
_log = logging.getLogger(__name__)


def look_now(integration: Integration, *, actor: Actor, at: datetime | None = None) -> ReconcileRun:
    """Begin a run now, or return the one under way. Raises NotPossible for an integration that is disabled."""
    require(actor, "requests.start_reconcilerun")
    moment = at or timezone.now()
    if integration.status == IntegrationStatus.DISABLED or integration.deleting_since:
        raise NotPossible(f"{integration.name} is disabled: nothing is looked at there.")
    if tells_people(integration):
        raise NotPossible(f"{integration.name} only tells of people: no access is given there.")
    with transaction.atomic():
        run = start(integration, f"{actor.name} asked for it", at=moment)
        subject = Subject("integration", str(integration.pk), integration.name)
        record("drift.look_asked", actor=actor, subject=subject, details={"run": run.pk}, at=moment)
        ring_drift()
    return run


def start(integration: Integration, why: str, *, at: datetime) -> ReconcileRun:
    """Write a run with everybody it looks at; the one under way is returned instead of a second."""
    unfinished = ReconcileRun.objects.filter(integration=integration, finished_at__isnull=True)
    found = unfinished.first()
    if found is not None:
        return found
    spread = random.uniform(*SPREAD)  # noqa: S311 - so that integrations take turns, no secret
    try:
        with transaction.atomic():
            run = ReconcileRun.objects.create(
                integration=integration, why=why[:200], started_at=at, moved_at=at, spread=spread
            )
            first = _holders(integration)
            others = [pk for pk in _whose_turn(integration, at) if pk not in first]
            rows = [ToLookAt(run=run, person_id=pk, rank=HOLDERS) for pk in sorted(first)]
            rows += [ToLookAt(run=run, person_id=pk, rank=OTHERS) for pk in others]
            ToLookAt.objects.bulk_create(rows, batch_size=1000)
            ReconcileRun.objects.filter(pk=run.pk).update(total=len(rows))
    except IntegrityError:
        return unfinished.get()  # another began one meanwhile
    run.total = len(rows)
    return run


def _holders(integration: Integration) -> set[uuid.UUID]:
    """Return who holds or held something there, or is known to have, or to have had, something beside."""
    here = {"integration": integration}
    ever = AccessGroup.objects.filter(**here, dispatched_at__isnull=False).order_by().values("request__grantee")
    standing = StandingRecord.objects.filter(**here).order_by().values("person")
    known = DriftFinding.objects.filter(**here).order_by().values("person")
    return set(User.objects.filter(pk__in=ever.union(standing, known)).values_list("pk", flat=True))


def _whose_turn(integration: Integration, at: datetime) -> list[uuid.UUID]:
    """Return some active people whom nobody has read back for a day; who was tried the longest ago comes first."""
    mine = Look.objects.filter(integration=integration, person=OuterRef("pk"))
    people = User.objects.filter(is_active=True).annotate(
        tried=Subquery(mine.values("tried_at")[:1]), last=Subquery(mine.values("last_at")[:1])
    )
    stale = people.filter(Q(last__isnull=True) | Q(last__lt=at - FRESH))
    turn = stale.order_by(F("tried").asc(nulls_first=True), "pk").values_list("pk", flat=True)
    return list(turn[: settings.DRIFT_PEOPLE])


def sweep_drift(*, seconds: float = 20, at: datetime | None = None) -> int:
    """Begin the runs that are due, and go on with those under way, a step each. Return how many steps were done."""
    moment, deadline, done = at or timezone.now(), time.monotonic() + seconds, 0
    _start_due(moment)
    for run in ReconcileRun.objects.filter(finished_at__isnull=True).order_by("moved_at", "pk"):
        if time.monotonic() > deadline:
            break
        try:
            done += step(run, at=moment)
            if ReconcileRun.objects.filter(pk=run.pk, finished_at__isnull=False).exists():
                # If the process dies before it, the next run does it.
                drifting.remove_by_flows(run.integration_id, at=moment)
        except Exception:  # noqa: BLE001  # the next sweep tries again; other integrations must not wait for this one
            _log.exception("reconcile run %s has to wait for the next sweep", run.pk)
    return done


def _start_due(at: datetime) -> None:
    """Begin runs by the clock, as many as there is room for; what has waited the longest comes first."""
    room = RUNS_AT_ONCE - ReconcileRun.objects.filter(finished_at__isnull=True).count()
    if room <= 0:
        return
    runs = ReconcileRun.objects.filter(integration=OuterRef("pk")).order_by("-started_at")
    known = Integration.objects.filter(status__in=_ANSWERS, deleting_since__isnull=True, reconcile_hours__gt=0)
    # A directory gives nothing that could be otherwise.
    known = known.filter(directory__isnull=True)
    known = known.annotate(
        begun=Subquery(runs.values("started_at")[:1]), by=Subquery(runs.values("spread")[:1])
    ).order_by(F("begun").asc(nulls_first=True), "pk")
    due = [
        one
        for one in known
        if one.begun is None or one.begun + timedelta(hours=one.reconcile_hours * (one.by or 1)) <= at
    ]
    for one in due[:room]:
        start(one, "the clock", at=at)


def step(run: ReconcileRun, *, at: datetime | None = None) -> bool:
    """Do one step of a run. False when nothing moved, it is finished, or another process is at it."""
    moment = at or timezone.now()
    with transaction.atomic():
        rows = ReconcileRun.objects.select_for_update(of=("self",), skip_locked=True).select_related("integration")
        row = rows.filter(pk=run.pk, finished_at__isnull=True).first()
        if row is None:
            return False
        if row.integration.status == IntegrationStatus.DISABLED:
            _finish(row, "The integration was disabled meanwhile.", moment)
            return True
        moved = _take_stock(row, moment)
        moved += _ask_next(row, moment)
        if row.finished_at is None and not row.people.filter(outcome__in=UNDONE).exists():
            _finish(row, "", moment)
            return True
        if moved and row.finished_at is None:
            _count(row, moment)
    return bool(moved)


def _take_stock(run: ReconcileRun, at: datetime) -> int:
    """See what became of those who were asked for: read back, given up, or to be asked for again."""
    asked = list(run.people.filter(outcome=LookOutcome.ASKED).select_related("person"))
    looked = _looked_since(run, [one.person_id for one in asked])
    orders = open_orders_of((run.integration_id, one.person_id) for one in asked)
    moved = 0
    for one in asked:
        order = orders.get((run.integration_id, one.person_id))
        if one.person_id in looked:
            moved += _close(one, LookOutcome.LOOKED)
        elif order is None:
            # Its report waits to be taken in, or it was lost: then it is asked for again.
            if not unabsorbed(run.integration_id, one.person_id).exists():
                moved += _close(one, LookOutcome.WAITING)
        else:
            moved += _about_open(run, one, order, at)
        if run.finished_at is not None:
            break
    return moved


def _looked_since(run: ReconcileRun, people: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return who of these was read back since the run began, by whatever order."""
    rows = Look.objects.filter(integration=run.integration, person__in=people, last_at__gte=run.started_at)
    return set(rows.values_list("person", flat=True))


def _close(one: ToLookAt, outcome: LookOutcome) -> int:
    return ToLookAt.objects.filter(pk=one.pk).exclude(outcome=outcome).update(outcome=outcome)


def _about_open(run: ReconcileRun, one: ToLookAt, order: Order, at: datetime) -> int:
    """Wait for an open order, but not for ever. Where nothing can be read of one person the others are gone on with; a
    target or a connector that does not answer is given up as a whole.
    """
    words = f"{order.error.get('message', '')} {order.error.get('fix', '')}".strip()
    impatient = one.asked_at is not None and one.asked_at <= at - PATIENCE
    looks = order.verb == OrderVerb.READ_BACK
    if looks and order.error and order.error.get("kind") not in PASSING:
        integrations.withdraw(order, at=at)
        return _fail(run, one, words, at)
    if not impatient:
        return 0
    if looks:
        _finish(run, words or "No connector has taken the order up. Is one running?", at)
        return 1
    return _fail(run, one, f"Another order is at work there, and has not come to its end. {words}".strip(), at)


def _fail(run: ReconcileRun, one: ToLookAt, words: str, at: datetime) -> int:
    told = {"tried_at": at, "problem": words}
    Look.objects.update_or_create(integration=run.integration, person=one.person, defaults=told)
    return _close(one, LookOutcome.FAILED)


def _ask_next(run: ReconcileRun, at: datetime) -> int:
    """Ask for the next looks, so that a few are under way."""
    if run.finished_at is not None:
        return 0
    room = settings.DRIFT_AT_ONCE - run.people.filter(outcome=LookOutcome.ASKED).count()
    waiting = list(run.people.filter(outcome=LookOutcome.WAITING)[: max(0, room)])
    looked = _looked_since(run, [one.person_id for one in waiting])
    # Locked in the order of their ids, as everybody does who locks some.
    for one in sorted(waiting, key=lambda each: each.person_id):
        if one.person_id in looked:
            _close(one, LookOutcome.LOOKED)
            continue
        look_at(lock_person(one.person_id), run.integration, at=at)
        ToLookAt.objects.filter(pk=one.pk).update(outcome=LookOutcome.ASKED, asked_at=at)
    return len(waiting)


def _count(run: ReconcileRun, at: datetime) -> None:
    """Write how far a run is."""
    run.moved_at = at
    run.looked = run.people.filter(outcome=LookOutcome.LOOKED).count()
    run.failed = run.people.filter(outcome=LookOutcome.FAILED).count()
    since = DriftFinding.objects.filter(integration=run.integration, first_seen_at__gte=run.started_at)
    run.foreign = since.filter(kind=FindingKind.FOREIGN).count()
    run.vanished = since.filter(kind=FindingKind.VANISHED).exclude(state=FindingState.SUSPECTED).count()
    run.save()


def _finish(run: ReconcileRun, error: str, at: datetime) -> None:
    """End a run: count it, withdraw looks that nobody waits for any more, forget whom it looked at."""
    run.error, run.finished_at = error, at
    undone = run.people.filter(outcome=LookOutcome.ASKED).values_list("person", flat=True)
    for order in open_orders_of((run.integration_id, one) for one in undone).values():
        if order.verb == OrderVerb.READ_BACK:
            integrations.withdraw(order, at=at)
    _count(run, at)
    _record(run, at)
    run.people.all().delete()
    integrations.forget_looks(run.integration, before=at - LOOKS_KEPT)
    old = ReconcileRun.objects.filter(integration=run.integration, finished_at__isnull=False).order_by("-pk")
    kept = list(old.values_list("pk", flat=True)[:RUNS_KEPT])
    old.filter(pk__lt=min(kept)).delete()


def _record(run: ReconcileRun, at: datetime) -> None:
    """Write the one entry of a run: whom it looked at and what should have been there, and what it found."""
    held = AccessUnit.objects.filter(group__integration=run.integration, state=UnitState.ACTIVE)
    told: dict[str, Any] = {
        "run": run.pk,
        "why": run.why,
        "began_at": run.started_at.isoformat(),
        "people": {"to_look_at": run.total, "looked": run.looked, "failed": run.failed},
        "units_held": held.count(),
        "found": {"vanished": run.vanished, "foreign": run.foreign},
        **({"error": run.error} if run.error else {}),
    }
    subject = Subject("integration", str(run.integration_id), run.integration.name)
    record("drift.looked", actor=system(), subject=subject, details=told, at=at)
