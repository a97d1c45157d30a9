"""Runs of automatic flows: begun, taken up, moved on, finished. What they give is the floor above's.

A run is a row: whoever takes it up holds its lock, does one step and writes how far it came in the same transaction, so
a process that is killed at any line has done a step or has not.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions import require
from accounts.events import publish
from audit.actions import record
from audit.actor import Actor, system
from flows.actions.rules import StillNeeded, subject_of
from flows.choices import RUN_ASKED, Trigger
from flows.models import AccessFlow, AutomaticRun, Change

# How many finished runs of a flow are kept.
RUNS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Step:
    """What one step came to. `cursor` None: nobody is left."""

    cursor: uuid.UUID | None
    seen: int
    given: int
    taken: int
    problem: str = ""


def run_now(flow: AccessFlow, *, actor: Actor, at: datetime | None = None) -> AutomaticRun:
    """Look at everybody anew, now. Raises StillNeeded for a flow that gives nothing by itself."""
    require(actor, "flows.change_accessflow", flow)
    if flow.trigger != Trigger.AUTOMATIC or flow.current_id is None:
        raise StillNeeded("This access flow gives nothing by itself: people ask for what it gives.")
    with transaction.atomic():
        run = start_run(flow.pk, f"{actor.name} asked for it", at=at)
        record("flow.run_asked", actor=actor, subject=subject_of(flow), details={"run": run.pk}, at=at)
        publish(Change, RUN_ASKED, str(flow.pk))
    return run


def start_run(flow_id: uuid.UUID, why: str, *, at: datetime | None = None) -> AutomaticRun:
    """Have everybody looked at for this flow: by a run of its own, or by the one under way, which begins anew then."""
    moment = at or timezone.now()
    unfinished = AutomaticRun.objects.filter(flow=flow_id, finished_at__isnull=True)
    for _ in range(2):
        if unfinished.update(again=True):
            found = unfinished.first()
            if found is not None:
                return found
        try:
            with transaction.atomic():
                return AutomaticRun.objects.create(flow_id=flow_id, why=why[:200], started_at=moment, moved_at=moment)
        except IntegrityError:
            continue  # another began one meanwhile
    return AutomaticRun.objects.filter(flow=flow_id).order_by("-pk")[0]


def take_up(run_id: int) -> AutomaticRun | None:
    """Lock an unfinished run; None when it is finished, or another process is at it. Needs a transaction around it."""
    rows = AutomaticRun.objects.select_for_update(of=("self",), skip_locked=True).select_related("flow__current")
    return rows.filter(pk=run_id, finished_at__isnull=True).first()


def move_run(run: AutomaticRun, step: Step, *, at: datetime) -> None:
    """Write how far a run came; with nobody left it is finished, or begins anew if that was asked for meanwhile."""
    run.cursor, run.moved_at = step.cursor, at
    run.seen, run.given, run.taken = run.seen + step.seen, run.given + step.given, run.taken + step.taken
    if step.problem and step.problem != run.error:
        told = {"error": step.problem}
        record("flow.run_stopped", actor=system(), subject=subject_of(run.flow), details=told, at=at)
    run.error = step.problem
    if step.cursor is None and run.again:
        run.again, run.seen, run.total = False, 0, 0
    elif step.cursor is None:
        run.finished_at = at
        _forget_old(run)
    run.save()


def _forget_old(run: AutomaticRun) -> None:
    kept = AutomaticRun.objects.filter(flow=run.flow_id).order_by("-pk").values_list("pk", flat=True)[:RUNS_KEPT]
    AutomaticRun.objects.filter(flow=run.flow_id, pk__lt=min(kept)).delete()


def put_off_run(run_id: int, error: str, *, at: datetime) -> None:
    """Note that a step went wrong; the others come first then, and it is tried again."""
    AutomaticRun.objects.filter(pk=run_id, finished_at__isnull=True).update(moved_at=at, error=error[:2000])
