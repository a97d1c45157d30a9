"""What the client API reads: requests by scope, and sessions. Each list takes a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, prefetch_related_objects

from access_requests.choices import ApprovalStatus, ExtensionState, RequestState
from access_requests.models import (
    AccessGroup,
    AccessRequest,
    AccessSession,
    AccessUnit,
    Approval,
    Extension,
    ExtensionApproval,
    Favourite,
)
from accounts.models import User

MINE, TASKS, ANSWERED, DELEGATED = "MyRequests", "MyTasks", "MyHistoricTasks", "MyDelegatedRequests"
SCOPES = (MINE, TASKS, ANSWERED, DELEGATED)


def requests_in(scope: str, user: User) -> QuerySet[AccessRequest]:
    """Return the requests of a scope, the latest first: the person's own, what waits for their answer, what they have
    answered, what they asked for others."""
    rows = AccessRequest.objects.filter(in_envelope=False).order_by("-pk")
    if not user.is_active:
        return rows.none()
    if scope == DELEGATED:
        return rows.filter(requestor=user).exclude(grantee=user)
    if scope == MINE:
        return rows.filter(Q(requestor=user) | Q(grantee=user))
    said = Approval.objects.filter(request=OuterRef("pk"), approver=user)
    more = ExtensionApproval.objects.filter(extension__request=OuterRef("pk"), approver=user)
    if scope == TASKS:
        waits = Q(Exists(said.filter(status=ApprovalStatus.PENDING)), state=RequestState.PENDING)
        again = more.filter(status=ApprovalStatus.PENDING, extension__state=ExtensionState.PENDING)
        return rows.filter(waits | Q(Exists(again)))
    return rows.filter(
        Q(Exists(said.filter(decided_at__isnull=False))) | Q(Exists(more.filter(decided_at__isnull=False)))
    )


def complete_for_clients(rows: Iterable[AccessRequest]) -> list[AccessRequest]:
    """Add all that the client API shows of requests: seven queries, however many."""
    found = list(rows)
    groups = AccessGroup.objects.select_related("integration", "session").order_by("integration__name")
    units = AccessUnit.objects.select_related("resource__resource_type", "permission")
    prefetch_related_objects(
        found,
        "requestor",
        "grantee",
        "flow_version__flow__current",
        Prefetch("access_groups", groups),
        Prefetch("access_groups__units", units),
        Prefetch("approvals", Approval.objects.select_related("approver", "stands_in_for")),
        Prefetch("extensions", Extension.objects.order_by("number")),
    )
    return found


def favourites_among(user: User, rows: Iterable[AccessRequest]) -> set[int]:
    """Return the numbers of those requests that the person keeps as favourites. One query."""
    kept = Favourite.objects.filter(user=user, request__in=[row.pk for row in rows])
    return set(kept.values_list("request_id", flat=True))


def groups_in_full(rows: QuerySet[AccessGroup]) -> QuerySet[AccessGroup]:
    """Add request, integration, session and units to access groups: one query more."""
    units = AccessUnit.objects.select_related("resource__resource_type", "permission")
    found = rows.select_related("request", "integration", "session")
    return found.prefetch_related(Prefetch("units", units))


def sessions_of(user: User, *, ended: bool = False) -> QuerySet[AccessSession]:
    """Return what a person holds now, by integration, the latest first; with `ended` also what they held.

    What lies in an envelope is nobody's who signs in.
    """
    rows = AccessSession.objects.filter(group__request__grantee=user, group__request__in_envelope=False)
    if not user.is_active:
        return rows.none()
    if not ended:
        rows = rows.filter(
            group__request__state=RequestState.ACTIVE, group__ended_at__isnull=True, ended_at__isnull=True
        )
    rows = rows.select_related("group__request", "group__integration")
    return rows.order_by(F("group__integration__name").asc(), "-group__request", "pk")
