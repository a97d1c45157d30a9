"""Drift, to be read: what waits for a decision, and how much of each integration was looked at."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from access_requests.drift import FindingKind, FindingState
from access_requests.models import AccessRequest, DriftFinding, Look, ReconcileRun
from accounts.models import User
from integrations.choices import IntegrationStatus
from integrations.models import Integration


@dataclass(frozen=True, slots=True)
class Coverage:
    """How an integration was looked at: of how many people there are, how many were ever, and the oldest last look."""

    integration: Integration
    people: int
    looked: int = 0
    oldest_at: datetime | None = None
    vanished: int = 0
    foreign: int = 0
    running: ReconcileRun | None = None
    last: ReconcileRun | None = None

    @property
    def next_at(self) -> datetime | None:
        """When the clock begins the next run; None for never."""
        hours = self.integration.reconcile_hours
        if not hours or self.last is None:
            return None
        return self.last.started_at + timedelta(hours=hours * self.last.spread)

    @property
    def disabled(self) -> bool:
        """Whether nothing is looked at there."""
        return self.integration.status == IntegrationStatus.DISABLED or self.integration.deleting_since is not None


def coverage(integrations: Iterable[Integration]) -> list[Coverage]:
    """Return how each of some integrations was looked at. Five queries, however many."""
    rows = list(integrations)
    ids = [one.pk for one in rows]
    people = User.objects.filter(is_active=True).count()
    looks = Look.objects.filter(integration__in=ids, person__is_active=True, last_at__isnull=False)
    seen = {
        pk: (number, oldest)
        for pk, number, oldest in looks.order_by()
        .values_list("integration")
        .annotate(number=Count("pk"), oldest=Min("last_at"))
    }
    counts = _open_in(ids)
    runs = _latest(ids)
    return [
        Coverage(
            one,
            people,
            *seen.get(one.pk, (0, None)),
            vanished=counts[one.pk, FindingKind.VANISHED.value],
            foreign=counts[one.pk, FindingKind.FOREIGN.value],
            running=runs[one.pk].running,
            last=runs[one.pk].last,
        )
        for one in rows
    ]


def _open_in(ids: list[uuid.UUID]) -> dict[tuple[uuid.UUID, str], int]:
    rows = DriftFinding.objects.filter(state=FindingState.OPEN, integration__in=ids).order_by()
    found: dict[tuple[uuid.UUID, str], int] = defaultdict(int)
    found.update({(pk, kind): n for pk, kind, n in rows.values_list("integration", "kind").annotate(n=Count("pk"))})
    return found


@dataclass(slots=True)
class _Runs:
    """The run under way in an integration, and the last one that ended."""

    running: ReconcileRun | None = None
    last: ReconcileRun | None = None
    numbers: list[int] = field(default_factory=list)


def _latest(ids: list[uuid.UUID]) -> dict[uuid.UUID, _Runs]:
    """Return the runs of each integration that matter; of each no more than twenty are kept."""
    found: dict[uuid.UUID, _Runs] = defaultdict(_Runs)
    for run in ReconcileRun.objects.filter(integration__in=ids).order_by("-pk"):
        here = found[run.integration_id]
        if run.finished_at is None:
            here.running = run
        elif here.last is None:
            here.last = run
    return found


def open_drift() -> dict[str, int]:
    """Return how much of each kind waits for a decision; nothing where nothing does. One query, by its own index."""
    rows = DriftFinding.objects.filter(state=FindingState.OPEN).order_by().values_list("kind")
    return dict(rows.annotate(number=Count("pk")))


def findings(*, kind: str = "", state: str = "", integration: str = "", person: str = "") -> QuerySet[DriftFinding]:
    """Return findings, the latest first; none that is only suspected. An empty state means: what waits."""
    rows = DriftFinding.objects.exclude(state=FindingState.SUSPECTED)
    rows = rows.filter(kind=kind) if kind else rows
    rows = rows.filter(state=state or FindingState.OPEN) if state != "all" else rows
    rows = rows.filter(integration=uuid.UUID(integration)) if integration else rows
    if person:
        rows = rows.filter(Q(person__email__icontains=person) | Q(person__name__icontains=person))
    return rows.select_related("integration", "person", "request", "unit__group")


def drift_of(access: AccessRequest) -> list[DriftFinding]:
    """Return what vanished of a request or was open after its end, and the finding it was made from. One query."""
    missing = Q(kind=FindingKind.VANISHED, state=FindingState.OPEN) | Q(kind=FindingKind.REOPENED)
    mine = Q(unit__group__request=access) & missing
    return list(DriftFinding.objects.filter(mine | Q(request=access)).select_related("integration").order_by("pk"))
