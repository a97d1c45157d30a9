"""Takes over what a sync of people told, a few rows at a time; each row goes in the transaction that takes it over.

So a process may die at any moment, and another goes on with the rows that are left. Every step reads what is now.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from audit.actions import record
from connectors.registry import BUILT_IN
from integrations.actions.people import groups, persons, shifts
from integrations.actions.people.settings import subject_of
from integrations.actions.people.work import Work
from integrations.choices import SyncState, Told
from integrations.models import Directory, Integration, Origin, Shift, StagedFact, SyncRun

AT_ONCE = 100
SWEEP_SECONDS = 20.0

HANDLERS: dict[str, Callable[[Work, list[StagedFact]], None]] = {
    Told.PERSON: persons.take,
    Told.MANAGER: persons.take_managers,
    Told.PERSON_GONE: persons.leave,
    Told.GROUP: groups.take,
    Told.GROUP_GONE: groups.leave,
    Told.SHIFT: shifts.take,
}
OF_A_GROUP = (Told.MEMBERS, Told.JOINED, Told.LEFT)


def sweep_people(*, seconds: float = SWEEP_SECONDS, at: Callable[[], datetime] = timezone.now) -> int:
    """Go on taking over what was told, until nothing is left or `seconds` have passed; return how many rows were."""
    end, done = time.monotonic() + seconds, 0
    for run in SyncRun.objects.filter(state=SyncState.APPLYING).order_by("pk").values_list("pk", flat=True):
        while (some := apply_some(run, at=at())) and time.monotonic() < end:
            done += some
    return done


def apply_some(run_id: int, *, at: datetime) -> int:
    """Take over the next rows of a run, or end it; return how many were taken. Call it outside any transaction."""
    with transaction.atomic():
        # The run's row: of two who sweep, the other one waits and then finds these rows gone.
        runs = SyncRun.objects.select_for_update(of=("self",)).select_related("integration__directory")
        run = runs.filter(pk=run_id, state=SyncState.APPLYING).first()
        if run is None or _earlier(run):
            return 0
        rows = _next(run)
        work = Work.of(run, at)
        if not rows:
            _finish(run, work, at)
            return 0
        _handle(work, rows)
        StagedFact.objects.filter(pk__in=[row.pk for row in rows]).exclude(pk__in=work.kept).delete()
        run.applied += len(rows) - len(work.kept)
        run.save(update_fields=["applied", "warnings", "added", "changed", "missing"])
    return len(rows)


def _earlier(run: SyncRun) -> bool:
    """Whether an earlier sync of the same directory is still being taken over: one after the other."""
    rows = SyncRun.objects.filter(integration=run.integration_id, state=SyncState.APPLYING)
    return rows.filter(pk__lt=run.pk).exists()


def _next(run: SyncRun) -> list[StagedFact]:
    """Return what comes next: some rows of one kind, or all that is told of one group."""
    first = StagedFact.objects.filter(run=run).order_by("step", "pk").first()
    if first is None:
        return []
    if first.kind in OF_A_GROUP:
        rows = StagedFact.objects.filter(run=run, kind__in=OF_A_GROUP, key=first.key)
        return list(rows.order_by("pk"))
    same = StagedFact.objects.filter(run=run, step=first.step)
    return list(same.order_by("pk")[:AT_ONCE])


def _handle(work: Work, rows: list[StagedFact]) -> None:
    kind = rows[0].kind
    if kind in OF_A_GROUP:
        groups.take_members(work, rows)
    else:
        HANDLERS[kind](work, rows)


def _finish(run: SyncRun, work: Work, at: datetime) -> None:
    """End a run whose rows are all taken over: only now the next sync begins where this one ended."""
    run.state, run.finished_at = SyncState.SUCCEEDED, at
    run.save()
    integration, directory = run.integration, work.directory
    if "shifts" in BUILT_IN.manifest(integration.type).tells:
        Shift.objects.filter(integration=integration).exclude(run=run).delete()
        shifts.settle(integration, at=at)
    changed = {"cursor": run.cursor} | ({"whole_at": at} if run.whole else {})
    Directory.objects.filter(pk=directory.pk).update(**changed)
    found = Origin.objects.filter(integration=integration, present=True, user__isnull=False).count()
    due = at + timedelta(minutes=directory.sync_minutes)
    rows = Integration.objects.filter(pk=integration.pk)
    rows.update(synced_at=at, resources_found=found, sync_due_at=due)
    details = {
        "run": run.pk,
        "whole": run.whole,
        "made": run.added,
        "changed": run.changed,
        "disabled": run.missing,
        "not_taken_over": len(run.warnings),
    }
    if run.added or run.changed or run.missing or run.warnings:
        record("directory.synced", actor=work.actor, subject=subject_of(integration), details=details, at=at)
