"""What a sync of people has read: kept page by page, judged when all is there, and only then taken over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from audit.actions import record
from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Report
from connectors.contract.people import PeoplePage
from connectors.contract.sound import sound
from connectors.registry import BUILT_IN
from integrations.actions.people import letters
from integrations.actions.people.settings import actor_of, subject_of
from integrations.choices import OrderVerb, SyncState, Told
from integrations.models import Directory, Integration, Order, Origin, StagedFact, SyncRun

KEY_MAX = 300
# In which order things are taken over. What is told of one group is one step.
STEPS = {
    Told.PERSON: 1,
    Told.MANAGER: 2,
    Told.GROUP: 3,
    Told.MEMBERS: 4,
    Told.JOINED: 4,
    Told.LEFT: 4,
    Told.PERSON_GONE: 5,
    Told.GROUP_GONE: 6,
    Told.SHIFT: 7,
}
_NOT_PASSING = (ErrorKind.MISCONFIGURED, ErrorKind.TARGET_MISSING)
_FAILED_AGAIN = timedelta(minutes=5)


class TooLong(ValueError):
    """An id that cannot be kept whole, and so would not tell one person from another."""


def cursor_of(order: Order, *, at: datetime) -> str:
    """Return what the sync is to begin with; nothing when everybody is to be told."""
    if order.verb != OrderVerb.PEOPLE:
        return ""
    row = Directory.objects.get(integration=order.integration_id)
    fresh = row.whole_at is not None and at < row.whole_at + timedelta(hours=row.whole_hours)
    return row.cursor if fresh else ""


def rows_of(run: SyncRun, page: PeoplePage) -> list[StagedFact]:
    """Return a page as the rows that keep it. Raises TooLong."""
    rows = list(_rows(run.pk, page))
    for row in rows:
        if max(len(row.key), len(row.other)) > KEY_MAX or not row.key:
            raise TooLong(f"an id of {len(row.key)} characters, where 1 to {KEY_MAX} can be kept: {row.key[:80]}")
    return rows


def _rows(run: int, page: PeoplePage) -> Iterator[StagedFact]:
    for person in page.people:
        yield _row(run, Told.PERSON, person.source_id, data=asdict(person), active=person.active)
    for group in page.groups:
        yield _row(run, Told.GROUP, group.source_id, data={"name": group.name})
    for told in page.members:
        if told.whole:
            yield _row(run, Told.MEMBERS, told.group)
        yield from (_row(run, Told.JOINED, told.group, one) for one in told.joined)
        yield from (_row(run, Told.LEFT, told.group, one) for one in told.left)
    yield from (_row(run, Told.PERSON_GONE, one) for one in page.gone)
    yield from (_row(run, Told.GROUP_GONE, one) for one in page.gone_groups)
    for shift in page.shifts:
        yield _row(run, Told.SHIFT, shift.schedule, shift.person, data=asdict(shift))


def _row(
    run: int, kind: Told, key: str, other: str = "", *, data: dict[str, Any] | None = None, active: bool = True
) -> StagedFact:
    # A provider that speaks no HTTP may bring signs in that no database keeps.
    key, other, kept = sound(key), sound(other), sound(data or {})
    return StagedFact(run_id=run, step=STEPS[kind], kind=kind, key=key, other=other, data=kept, active=active)


def finish_reading(order: Order, report: Report, *, at: datetime) -> None:
    """End the reading of a settled order: begin to take over what was read, ask first, or say why not.

    Nothing of a reading that broke off is taken over. Needs a transaction around it.
    """
    run = SyncRun.objects.get(order=order)
    if report.error is not None:
        run.state, run.finished_at = SyncState.FAILED, at
        run.error = f"{report.error.message} {report.error.fix}".strip()
        StagedFact.objects.filter(run=run).delete()
        _due(order.integration, at + _FAILED_AGAIN)
        if report.error.kind in _NOT_PASSING:
            # The cursor may be what is wrong: the next sync asks for everybody.
            Directory.objects.filter(integration=order.integration_id).update(cursor="")
    else:
        _supersede(run, at)
        run.state = _judge(run, order.integration, at)
    run.save()
    letters.write(run, at=at)


def _supersede(run: SyncRun, at: datetime) -> None:
    """Close an earlier run that still waits for a yes: this one knows better."""
    waiting = SyncRun.objects.filter(integration=run.integration_id, state=SyncState.WAITING, pk__lt=run.pk)
    ids = list(waiting.values_list("pk", flat=True))
    StagedFact.objects.filter(run__in=ids).delete()
    SyncRun.objects.filter(pk__in=ids).update(
        state=SyncState.FAILED, finished_at=at, error="Nobody answered before a newer sync took its place."
    )


def _judge(run: SyncRun, integration: Integration, at: datetime) -> SyncState:
    """Write down who is gone, and return whether that may be taken over without a yes."""
    if run.whole:
        _conclude(run, integration)
    share = Directory.objects.get(integration=integration).share_percent
    people, groups = _present(integration, "user"), _present(integration, "group")
    run.leaving, run.groups_leaving = leaving(run).count(), groups_leaving(run).count()
    over = _over(run.leaving, people.count(), share) or _over(run.groups_leaving, groups.count(), share)
    run.total = StagedFact.objects.filter(run=run).count()
    if not over:
        return SyncState.APPLYING
    details = {"people": run.leaving, "groups": run.groups_leaving, "share_percent": share}
    record("directory.waits", actor=actor_of(integration), subject=subject_of(integration), details=details, at=at)
    return SyncState.WAITING


def _over(going: int, of: int, share: int) -> bool:
    return going * 100 > share * of


def _present(integration: Integration, kind: str) -> QuerySet[Origin]:
    return Origin.objects.filter(integration=integration, present=True, **{f"{kind}__isnull": False})


def _conclude(run: SyncRun, integration: Integration) -> None:
    """Of a sync that told everybody: whoever, and whatever group, it did not tell of is gone."""
    tells = BUILT_IN.manifest(integration.type).tells
    pairs = (("people", "user", Told.PERSON, Told.PERSON_GONE), ("groups", "group", Told.GROUP, Told.GROUP_GONE))
    for what, column, kind, gone in pairs:
        if what in tells:
            seen = StagedFact.objects.filter(run=run, kind=kind).values("key")
            missing = _present(integration, column).exclude(source_id__in=seen)
            keys = missing.values_list("source_id", flat=True)
            StagedFact.objects.bulk_create([_row(run.pk, gone, key) for key in keys], batch_size=500)


def leaving(run: SyncRun) -> QuerySet[Origin]:
    """Return who of a directory's people would be disabled by a run: gone or inactive, and told by no other."""
    gone = StagedFact.objects.filter(run=run, kind=Told.PERSON_GONE).values("key")
    inactive = StagedFact.objects.filter(run=run, kind=Told.PERSON, active=False).values("key")
    elsewhere = Origin.objects.filter(user=OuterRef("user"), present=True).exclude(integration=run.integration_id)
    rows = Origin.objects.filter(integration=run.integration_id, present=True, user__is_active=True)
    told = rows.filter(source_id__in=gone) | rows.filter(source_id__in=inactive)
    return told.exclude(Exists(elsewhere)).select_related("user").order_by("user__email")


def groups_leaving(run: SyncRun) -> QuerySet[Origin]:
    """Return the groups that a run would take away."""
    gone = StagedFact.objects.filter(run=run, kind=Told.GROUP_GONE).values("key")
    rows = Origin.objects.filter(integration=run.integration_id, present=True, group__isnull=False)
    return rows.filter(source_id__in=gone).select_related("group").order_by("group__name")


def _due(integration: Integration, at: datetime) -> None:
    Integration.objects.filter(pk=integration.pk).update(sync_due_at=at)
