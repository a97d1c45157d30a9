"""What is frozen, what is being revoked altogether and how far that is, what would be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from access_requests.choices import HOLDS_ACCESS, OPEN, ApprovalStatus, EndedHow, RequestState, RevocationKind
from access_requests.models import AccessRequest, Approval, Freeze, Revocation, StandingRecord
from accounts.models import User
from integrations.models import IntegrationOwner

_S = RequestState
# Before access: withdrawn from its scope by lapsing.
BEFORE = (_S.INITIALIZING, _S.PENDING_MFA, _S.PENDING, _S.APPROVED)


def frozen(integrations: Iterable[Any] | None = None) -> Freeze | None:
    """Return the freeze that keeps new access from these integrations; without any named, the one of everything.

    One query. Ends are never kept up.
    """
    rows = Freeze.objects.filter(thawed_at__isnull=True)
    here = Q(integration__isnull=True)
    if integrations is not None:
        here |= Q(integration__in=list(integrations))
    return (
        rows.filter(here).select_related("integration").order_by(F("integration").asc(nulls_first=True), "pk").first()
    )


def freezes() -> list[Freeze]:
    """Return what is frozen now; that of everything first."""
    rows = Freeze.objects.filter(thawed_at__isnull=True).select_related("integration")
    return list(rows.order_by(F("integration").asc(nulls_first=True), "began_at"))


def words_of(freeze: Freeze) -> str:
    """Return what people are told of a freeze that stands in their way."""
    where = freeze.integration.name if freeze.integration else "All access"
    return f"{where} is frozen since {freeze.began_at:%Y-%m-%d %H:%M} UTC by {freeze.began_by}: {freeze.reason}"


def in_scope(revocation: Revocation) -> QuerySet[AccessRequest]:
    """Return the requests that are open and that a revocation is about."""
    rows = AccessRequest.objects.filter(state__in=OPEN)
    if revocation.kind == RevocationKind.PERSON:
        return rows.filter(Q(grantee=revocation.person_id) | Q(requestor=revocation.person_id, state__in=BEFORE))
    if revocation.kind == RevocationKind.INTEGRATION:
        return rows.filter(access_groups__integration=revocation.integration_id)
    if revocation.kind == RevocationKind.FLOW:
        return rows.filter(flow_version__flow=revocation.flow_id)
    return rows


@dataclass(frozen=True, slots=True)
class Scope:
    """What a revocation would end: requests that hold access, and such that never came to it."""

    holding: int
    waiting: int
    automatic: int
    envelopes: int
    people: int
    integrations: int
    first: tuple[AccessRequest, ...]


def scope_of(revocation: Revocation, shown: int = 10) -> Scope:
    """Return what is in a revocation's scope now; `first` are those that hold access, by number. Two queries."""
    rows = in_scope(revocation).order_by()
    holding = Q(state__in=HOLDS_ACCESS)
    told = rows.aggregate(
        holding=Count("pk", filter=holding, distinct=True),
        waiting=Count("pk", filter=~holding, distinct=True),
        automatic=Count("pk", filter=Q(automatic=True), distinct=True),
        envelopes=Count("pk", filter=Q(in_envelope=True), distinct=True),
        people=Count("grantee", filter=holding, distinct=True),
        integrations=Count("access_groups__integration", filter=holding, distinct=True),
    )
    first = rows.filter(holding).select_related("grantee", "flow_version").distinct().order_by("pk")[:shown]
    return Scope(**told, first=tuple(first))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a revocation has come: each request it took is in exactly one of the four; `left` it has yet to take."""

    ending: int
    overdue: int
    proven: int
    declared: int
    lapsed: int
    left: int

    @property
    def taken(self) -> int:
        """How many requests it took."""
        return self.ending + self.proven + self.declared + self.lapsed

    @property
    def settled(self) -> int:
        """How many of them are over."""
        return self.taken - self.ending


def progress_of(revocation: Revocation) -> Progress:
    """Return how far a revocation has come. Two queries."""
    told = AccessRequest.objects.filter(revocation=revocation).aggregate(
        ending=Count("pk", filter=Q(state=_S.REVOKING)),
        overdue=Count("pk", filter=Q(state=_S.REVOKING, overdue_since__isnull=False)),
        proven=Count("pk", filter=Q(state=_S.REVOKED, ended_how=EndedHow.PROVEN)),
        declared=Count("pk", filter=Q(state=_S.REVOKED, ended_how=EndedHow.DECLARED)),
        lapsed=Count("pk", filter=Q(state__in=[_S.LAPSED, _S.CANCELLED, _S.REJECTED, _S.FAILED])),
    )
    left = 0
    if revocation.finished_at is None:
        left = in_scope(revocation).exclude(state=_S.REVOKING, revocation=revocation).order_by().distinct().count()
    return Progress(**told, left=left)


def taken_by(revocation: Revocation, at_most: int = 50) -> list[AccessRequest]:
    """Return what a revocation took, first what is not over yet, the longest due first."""
    rows = AccessRequest.objects.filter(revocation=revocation).select_related("grantee", "flow_version")
    rows = rows.prefetch_related("access_groups__integration")
    return list(rows.annotate(over=Q(ended_at__isnull=False)).order_by("over", "due_at", "pk")[:at_most])


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What somebody leaves behind besides access: nothing of it opens a door, but somebody has to take it over."""

    tasks: int
    reports: int
    owned: tuple[str, ...]
    standing: tuple[StandingRecord, ...]


def leftovers_of(person: User) -> Leftovers:
    """Return what somebody who leaves leaves behind. Four queries."""
    owned = IntegrationOwner.objects.filter(user=person).order_by("integration__name")
    standing = StandingRecord.objects.filter(person=person).select_related("integration")
    return Leftovers(
        tasks=Approval.objects.filter(
            approver=person, status=ApprovalStatus.PENDING, request__state=RequestState.PENDING
        ).count(),
        reports=person.reports.filter(is_active=True).count(),
        owned=tuple(owned.values_list("integration__name", flat=True)),
        standing=tuple(standing.order_by("integration__name", "resource", "permission")[:50]),
    )


def revocations(at_most: int = 20) -> list[Revocation]:
    """Return revocations, those that run first, then the latest."""
    rows = Revocation.objects.select_related("person", "integration", "flow")
    running = list(rows.filter(finished_at__isnull=True).order_by("-began_at"))
    return running + list(
        rows.filter(finished_at__isnull=False).order_by("-began_at")[: max(at_most - len(running), 0)]
    )
