"""What monitoring asks of requests: counts and seconds, by integration; nothing about a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, Sum

from access_requests.choices import RequestState
from access_requests.models import AccessGroup, AccessRequest, Proof
from access_requests.queries.figures import overdue_rows

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lags:
    """Lags from due to proven: how many were at most so many seconds, for each bound, all of them, and their sum."""

    buckets: tuple[tuple[float, int], ...]
    count: int
    seconds: float


def overdue_by_integration() -> dict[str, int]:
    """Return how many ends are overdue in each integration that has one. One query."""
    rows = AccessGroup.objects.filter(request__in=overdue_rows().order_by().values("pk"))
    rows = rows.filter(dispatched_at__isnull=False, ended_at__isnull=True).order_by()
    return dict(rows.values_list("integration__name").annotate(number=Count("pk")))


def oldest_overdue_seconds(at: datetime) -> float:
    """Return for how long the oldest overdue end has been due; 0 when none is overdue. One query."""
    oldest = overdue_rows().aggregate(oldest=Min("due_at"))["oldest"]
    return max(0.0, (at - oldest).total_seconds()) if oldest else 0.0


def lags(bounds: Sequence[float], at: datetime) -> Lags:
    """Return the lags of what was proven in the day before `at`. One query."""
    rows = Proof.objects.filter(ended_at__gt=at - DAY, ended_at__lte=at)
    counts = {f"to_{place}": Count("pk", filter=Q(lag_seconds__lte=bound)) for place, bound in enumerate(bounds)}
    told = rows.aggregate(count=Count("pk"), seconds=Sum("lag_seconds"), **counts)
    buckets = tuple((bound, told[f"to_{place}"]) for place, bound in enumerate(bounds))
    return Lags(buckets, told["count"], told["seconds"] or 0.0)


def declared_count(at: datetime) -> int:
    """Return how many ends were declared, not proven, in the day before `at`. One query."""
    rows = AccessRequest.objects.filter(state=RequestState.REVOKED, ended_how="declared", ended_at__gt=at - DAY)
    return rows.count()
