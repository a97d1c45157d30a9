"""What somebody who leaves leaves behind besides access, and who could take it over; what would give access again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from access_requests.choices import ApprovalStatus, RequestState, RevocationKind
from access_requests.models import AccessRequest, Approval, Revocation, StandingRecord
from access_requests.queries.emergencies import in_scope
from accounts.models import User
from accounts.queries import facts_of, open_sessions, sessions_ended_with
from flows.choices import ConditionType
from flows.models import AccessFlow
from flows.queries import active_flows, automatic_flows, automatic_in, people_in
from integrations.models import ConnectorToken, Integration, IntegrationOwner
from integrations.queries import owner_name

# So many flows are told of by name; nobody is named by hand in more.
FLOWS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Owned:
    """An integration that somebody owns, and who owns it beside them."""

    integration: Integration
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """An access flow that names somebody as an approver, and how many active people beside them could say yes."""

    flow: AccessFlow
    others: int


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What somebody leaves behind besides access: somebody has to take it over."""

    tasks: int
    reports: int
    links: int
    # Where they are signed in now, and how many sessions ended with the account.
    sessions: int
    sessions_ended: int
    tokens: tuple[ConnectorToken, ...]
    owned: tuple[Owned, ...]
    approves: tuple[Named, ...]
    gives: tuple[AccessFlow, ...]
    standing: tuple[StandingRecord, ...]


def leftovers_of(person: User) -> Leftovers:
    """Return what somebody who leaves leaves behind. Twelve queries, and one for each flow that names them."""
    standing = StandingRecord.objects.filter(person=person).select_related("integration")
    waiting = Approval.objects.filter(approver=person, status=ApprovalStatus.PENDING)
    # A token knows its maker by name alone, as the trail does: somebody has to look whether it is theirs.
    made = ConnectorToken.objects.filter(created_by__in=[person.name, person.email], revoked_at__isnull=True)
    return Leftovers(
        tasks=waiting.filter(request__state=RequestState.PENDING).count(),
        reports=person.reports.filter(is_active=True).count(),
        links=person.sign_in_links.filter(used_at__isnull=True).count(),
        sessions=open_sessions(person, timezone.now()).count(),
        sessions_ended=sessions_ended_with(person),
        tokens=tuple(made.select_related("connector")[:FLOWS_SHOWN]),
        owned=_owned(person),
        approves=_approves(person),
        gives=tuple(_rows([one.version_id for one in automatic_flows().of(facts_of([person])[person.pk])])),
        standing=tuple(standing.order_by("integration__name", "resource", "permission")[:50]),
    )


def _owned(person: User) -> tuple[Owned, ...]:
    """Return what they own themselves, each with its other owners who are groups or still active."""
    theirs = Integration.objects.filter(owners__user=person).order_by("name")
    rows = IntegrationOwner.objects.filter(integration__in=theirs).exclude(user=person).exclude(user__is_active=False)
    beside: dict[Any, list[str]] = defaultdict(list)
    for row in rows.select_related("user", "group"):
        beside[row.integration_id].append(owner_name(row))
    return tuple(Owned(one, tuple(sorted(beside[one.pk]))) for one in theirs)


def _approves(person: User) -> tuple[Named, ...]:
    """Return the active flows that name them as an approver, by flow; through a group they simply drop out."""
    found = {}
    for facts in active_flows():
        groups = [one for one in facts.document["approval"]["groups"] if _names(one, person)]
        if groups:
            found[facts.version_id] = groups
        if len(found) == FLOWS_SHOWN:
            break
    return tuple(
        Named(flow, min(people_in(group).exclude(pk=person.pk).count() for group in found[flow.current_id or 0]))
        for flow in _rows(list(found))
    )


def _names(group: dict[str, Any], person: User) -> bool:
    names = {str(person.pk), person.email}
    return any(
        one["type"] == ConditionType.USER and names.intersection(map(str, one["values"])) for one in group["conditions"]
    )


def _rows(versions: list[int]) -> QuerySet[AccessFlow]:
    return AccessFlow.objects.filter(current__in=versions).order_by("name")


def would_give(about: Revocation) -> list[AccessFlow]:
    """Return the active automatic flows that gave something in a revocation's scope, or would give there again."""
    gave = in_scope(about).filter(automatic=True).order_by().values("flow_version__flow")
    rows = AccessFlow.objects.filter(active=True, trigger="automatic")
    flows = rows.filter(pk__in=gave) | rows.filter(current__in=_giving(about))
    return list(flows.distinct().order_by("name"))


def _giving(about: Revocation) -> list[int]:
    """Return the versions of automatic flows that can give in a scope."""
    if about.kind == RevocationKind.PERSON and about.person is not None:
        facts = facts_of([about.person])[about.person.pk]
        return [one.version_id for one in automatic_flows().of(facts)] if facts.active else []
    if about.kind == RevocationKind.INTEGRATION:
        return [one.version_id for one in automatic_in(str(about.integration_id))]
    if about.kind == RevocationKind.FLOW:
        return [about.flow.current_id] if about.flow and about.flow.current_id else []
    return [one.version_id for one in automatic_flows().flows]


def held_through_count(flows: list[AccessFlow]) -> int:
    """Return how many requests would end with these flows, of whomever they are. One query."""
    rows = AccessRequest.objects.filter(automatic=True, flow_version__flow__in=flows)
    return rows.filter(state__in=[RequestState.GRANTING, RequestState.ACTIVE, RequestState.APPROVED]).count()
