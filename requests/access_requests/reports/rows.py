"""Requests that a filter selects, newest first, page by page behind the last row: no page costs more than the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, FloatField, Func, OuterRef, Prefetch, Q, QuerySet

from access_requests.choices import OPEN as OPEN_STATES
from access_requests.choices import RequestState
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, Approval
from access_requests.queries import past_of
from access_requests.reports.filters import LATE, OPEN, Filters
from accounts.models import User
from accounts.queries import find_users
from flows.models import FlowVersion

PAGE = 25
# An end is in time when it is proven at most this long after it was due.
IN_TIME = timedelta(seconds=60)
_NUMBER = "AR-"


class Seconds(Func):
    """The seconds from the second instant to the first, counted by the database itself on both."""

    output_field = FloatField()
    arity = 2

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """EXTRACT reads an interval in seconds."""
        template = "EXTRACT(EPOCH FROM (%(expressions)s))::double precision"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **more)

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """A day of julianday has 86,400 seconds; exact to the millisecond."""
        parts, given = zip(*(compiler.compile(one) for one in self.source_expressions), strict=True)
        sql = " - ".join(f"julianday({part})" for part in parts)
        return f"(({sql}) * 86400.0)", [value for values in given for value in values]


def lag() -> Seconds:
    """Return how many seconds after it was due an end was proven; null where there is no end."""
    return Seconds(F("ended_at"), F("due_at"), output_field=FloatField())


def late(at: datetime) -> Q:
    """Return what is late: ended more than a minute after it was due, or due for more than a minute. Needs `lag`."""
    return Q(lag__gt=IN_TIME.total_seconds()) | Q(state=RequestState.REVOKING, due_at__lt=at - IN_TIME)


def matching(user: User, filters: Filters) -> QuerySet[AccessRequest]:
    """Return the requests that the filters select among those the person may see; in no order."""
    span = filters.span
    rows = past_of(user).filter(requested_at__gte=span.since, requested_at__lt=span.until)
    if filters.person:
        people = find_users(filters.person).order_by().values("pk")
        rows = rows.filter(Q(grantee__in=people) | Q(requestor__in=people))
    if filters.what:
        rows = rows.filter(_about(filters.what))
    if filters.integration:
        groups = AccessGroup.objects.filter(request=OuterRef("pk"), integration__name__icontains=filters.integration)
        rows = rows.filter(Exists(groups))
    if filters.flow:
        rows = rows.filter(flow_version__in=FlowVersion.objects.filter(flow__name__icontains=filters.flow).values("pk"))
    if filters.trigger:
        # Of the version that decided; there are far fewer versions than requests.
        rows = rows.filter(flow_version__in=FlowVersion.objects.filter(document__trigger=filters.trigger).values("pk"))
    return _in_state(rows, filters)


def _about(text: str) -> Q:
    """Select by a part of a resource, a permission or the justification, or by the number people quote: AR-12."""
    if text.upper().startswith(_NUMBER) and text[len(_NUMBER) :].isdecimal() and len(text) < 20:
        return Q(pk=int(text[len(_NUMBER) :]))
    units = AccessUnit.objects.filter(
        Q(resource_path__icontains=text) | Q(resource_source_id__icontains=text) | Q(permission_name__icontains=text),
        group__request=OuterRef("pk"),
    )
    return Q(justification__icontains=text) | Q(Exists(units))


def _in_state(rows: QuerySet[AccessRequest], filters: Filters) -> QuerySet[AccessRequest]:
    if filters.state == OPEN:
        return rows.filter(state__in=OPEN_STATES)
    if filters.state == LATE:
        return rows.alias(lag=lag()).filter(late(filters.at))
    return rows.filter(state=filters.state) if filters.state else rows


def in_detail(rows: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
    """Add people, integrations, units, approvals and the version that decided: five queries more, however many rows."""
    groups = AccessGroup.objects.select_related("integration").order_by("integration__name")
    return rows.select_related("requestor", "grantee").prefetch_related(
        # Not joined: hundreds of requests share a version, and its document is long.
        "flow_version",
        Prefetch("access_groups", groups),
        "access_groups__units",
        Prefetch("approvals", Approval.objects.select_related("approver")),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the list: at this row. In an address it is "instant_id"."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        """Write it for an address."""
        return f"{self.at.isoformat()}_{self.pk}"

    @classmethod
    def of(cls, access: AccessRequest) -> Place:
        """Return the place of a row."""
        return cls(access.requested_at, access.pk)

    @classmethod
    def read(cls, text: str) -> Place | None:
        """Read it from an address; None for what makes no sense."""
        instant, _, number = text.rpartition("_")
        try:
            # A plus that came through an address unquoted is a space.
            at = datetime.fromisoformat(instant.replace(" ", "+"))
            return cls(at, int(number)) if at.tzinfo and 0 < int(number) < 2**63 else None
        except ValueError:
            return None


def older(rows: QuerySet[AccessRequest], place: Place | None) -> QuerySet[AccessRequest]:
    """Return the rows behind a place, newest first."""
    if place is not None:
        # The first condition lets the index begin there, the second settles rows of the same instant.
        rows = rows.filter(requested_at__lte=place.at).filter(Q(requested_at__lt=place.at) | Q(pk__lt=place.pk))
    return rows.order_by("-requested_at", "-pk")


def newer(rows: QuerySet[AccessRequest], place: Place) -> QuerySet[AccessRequest]:
    """Return the rows before a place, the nearest first."""
    rows = rows.filter(requested_at__gte=place.at).filter(Q(requested_at__gt=place.at) | Q(pk__gt=place.pk))
    return rows.order_by("requested_at", "pk")


@dataclass(frozen=True, slots=True)
class Window:
    """Some rows, newest first, and the places of what lies on either side ("" where nothing does)."""

    rows: Sequence[AccessRequest]
    newer: str = ""
    older: str = ""


def window(rows: QuerySet[AccessRequest], *, behind: Place | None, before: Place | None, size: int = PAGE) -> Window:
    """Return one page: behind a place, before a place, or the first."""
    if before is not None:
        found = list(in_detail(newer(rows, before))[: size + 1])
        shown = found[:size][::-1]
        more, back = len(found) > size, bool(shown)
    else:
        found = list(in_detail(older(rows, behind))[: size + 1])
        shown = found[:size]
        more, back = behind is not None, len(found) > size
    if not shown:
        return Window(())
    return Window(shown, str(Place.of(shown[0])) if more else "", str(Place.of(shown[-1])) if back else "")
