"""Figures of a selection: every one of them counts the same requests that the list shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Exists, F, FloatField, Func, IntegerField, Max, OuterRef, Q, QuerySet, When

from access_requests.models import AccessRequest, Approval
from access_requests.reports.filters import Filters
from access_requests.reports.periods import Span
from access_requests.reports.rows import Seconds, lag, late

# Every time zone's hours and days begin at a quarter of an hour.
_QUARTER = 900
_DAILY, _HOURLY = timedelta(days=93), timedelta(hours=49)


class Slot(Func):
    """The number of the slot of so many `seconds` in which an instant lies, counted by the database since 1970."""

    output_field = IntegerField()
    arity = 1

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """The database divides."""
        template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s) / %(seconds)d)::bigint"
        return self.as_sql(compiler, connection, template=template, **more)

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """The database divides."""
        template = "(CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) / %(seconds)d)"
        return self.as_sql(compiler, connection, template=template, **more)


@dataclass(slots=True)
class Bar:
    """One hour, day, week or month of the chart: how many were asked for then, and of these how many ended late."""

    begin: datetime
    total: int = 0
    late: int = 0


@dataclass(slots=True)
class Figures:
    """What a selection comes to. Waits are seconds; `ended` counts ends that were due, `late` those over a minute."""

    total: int = 0
    unasked: int = 0
    answered: int = 0
    ended: int = 0
    late: int = 0
    longest_wait: float | None = None
    median_wait: float | None = None
    grain: str = "day"
    bars: list[Bar] = field(default_factory=list)

    @property
    def busiest(self) -> int:
        """How many requests the highest bar stands for."""
        return max((bar.total for bar in self.bars), default=0)

    @property
    def unasked_share(self) -> float:
        """How many per cent were approved by policy alone."""
        return 100 * self.unasked / self.total if self.total else 0.0

    @property
    def in_time_share(self) -> float:
        """How many per cent of the ends came within a minute; never rounded up to all of them."""
        share = 100 * (self.ended - self.late) / self.ended if self.ended else 0.0
        return min(share, 99.9) if self.late else share


def figures(rows: QuerySet[AccessRequest], filters: Filters, zone: ZoneInfo) -> Figures:
    """Count a selection: one query for all but the median, which takes another."""
    asked = Exists(Approval.objects.filter(request=OuterRef("pk")))
    wait = Seconds(F("decided_at"), F("requested_at"), output_field=FloatField())
    # How long people were waited for; null where nobody was, or nobody has answered yet.
    waited = Case(When(decided_at__isnull=False, then=Case(When(asked, then=wait))))
    seconds = _slot(filters.span, zone)
    counted = rows.alias(lag=lag(), waited=waited).annotate(slot=Slot(F("requested_at"), seconds=seconds))
    slots = (
        counted.order_by()
        .values("slot")
        .annotate(
            total=Count("pk"),
            decided=Count("decided_at"),
            answered=Count("waited"),
            longest=Max("waited"),
            # Due ends that are over, and those that are due and late already.
            ended=Count("pk", filter=Q(lag__isnull=False) | late(filters.at)),
            late=Count("pk", filter=late(filters.at)),
        )
    )
    found: list[dict[str, Any]] = [dict(slot) for slot in slots]
    result = Figures()
    for name in ("total", "answered", "ended", "late"):
        setattr(result, name, sum(slot[name] for slot in found))
    result.unasked = sum(slot["decided"] for slot in found) - result.answered
    result.longest_wait = max((slot["longest"] for slot in found if slot["longest"] is not None), default=None)
    result.grain = grain_of(filters.span)
    result.bars = _bars(found, filters.span, zone, result.grain, seconds)
    if result.answered:
        result.median_wait = _median(rows.filter(asked, decided_at__isnull=False), wait, result.answered)
    return result


def _median(rows: QuerySet[AccessRequest], wait: Seconds, count: int) -> float | None:
    """Return the middle of so many waits, or of the two in the middle."""
    waits = rows.annotate(wait=wait).order_by("wait").values_list("wait", flat=True)
    values = list(waits[(count - 1) // 2 : count // 2 + 1])
    return sum(values) / len(values) if values else None


def _slot(span: Span, zone: ZoneInfo) -> int:
    """Return the seconds of a slot: hours, unless the zone's hours begin at other times than those of UTC."""
    days = range((span.until - span.since).days + 2)
    offsets = [zone.utcoffset((span.since + timedelta(days=day)).astimezone(zone)) or timedelta() for day in days]
    return 3600 if all(offset % timedelta(hours=1) == timedelta() for offset in offsets) else _QUARTER


def grain_of(span: Span) -> str:
    """Return how long one bar is: days, unless they would be too few or too many to tell apart."""
    length = span.until - span.since
    if length <= _HOURLY:
        return "hour"
    if length <= _DAILY:
        return "day"
    return "week" if length <= 8 * _DAILY else "month"


def _begin(at: datetime, zone: ZoneInfo, grain: str) -> datetime:
    """Return the beginning of the hour, day, week or month of the zone in which an instant lies."""
    local = at.astimezone(zone)
    if grain == "hour":
        return local.replace(minute=0, second=0, microsecond=0)
    local = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if grain == "week":
        return local - timedelta(days=local.weekday())
    return local.replace(day=1) if grain == "month" else local


def _after(begin: datetime, zone: ZoneInfo, grain: str) -> datetime:
    """Return the beginning of the next bar."""
    if grain == "hour":
        return (begin.astimezone(UTC) + timedelta(hours=1)).astimezone(zone)
    days = {"day": 1, "week": 7, "month": 32}[grain]
    return _begin(begin + timedelta(days=days), zone, grain)


def _bars(
    found: Sequence[Mapping[str, Any]], span: Span, zone: ZoneInfo, grain: str, seconds: int = _QUARTER
) -> list[Bar]:
    """Lay the counted slots into bars, with the empty ones between."""
    heights: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
    for slot in found:
        begin = _begin(datetime.fromtimestamp(slot["slot"] * seconds, UTC), zone, grain).astimezone(UTC)
        heights[begin][0] += slot["total"]
        heights[begin][1] += slot["late"]
    bars: list[Bar] = []
    begin = _begin(span.since, zone, grain)
    while begin < span.until and len(bars) < 1000:
        total, behind = heights.get(begin.astimezone(UTC), (0, 0))
        bars.append(Bar(begin, total, behind))
        begin = _after(begin, zone, grain)
    return bars
