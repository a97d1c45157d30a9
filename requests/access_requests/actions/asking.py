"""Asking: a dry run, and the ask itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from access_requests.actions.beginning import advance
from access_requests.actions.standing_in import ask_stand_ins
from access_requests.lifecycle import subject_of
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, Approval
from accounts.models import User
from accounts.queries import PersonFacts, factor_counts, facts_of, why_cannot_ask
from audit.actions import record
from audit.actor import Actor
from flows import queries as flow_queries
from flows.choices import ApprovalMode
from flows.decision import Facts, Part, Problem, Reach, decide
from integrations.queries import entitlements, over_limits

# How many entitlements one ask may name.
ENTITLEMENTS_MAX = 500


class BadAsk(ValueError):
    """An ask that cannot be submitted; `problems` says what is in the way."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems."""
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class PartPlan:
    """What one part of an ask would become: who would be asked, by approver group, each with the reason why."""

    part: Part
    approvers: tuple[tuple[tuple[PersonFacts, str], ...], ...]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would happen, said before submission."""

    plans: tuple[PartPlan, ...]
    problems: tuple[Problem, ...]

    @property
    def allowed(self) -> bool:
        """Whether it may be submitted as it stands."""
        return bool(self.plans) and not self.problems


def dry_run(
    requestor: User,
    pairs: Iterable[tuple[int, int]],
    *,
    grantee: User | None = None,
    duration_seconds: int | None = None,
    justification: str = "",
) -> DryRun:
    """Say which flow decides what, whose approval it takes, how long at most, and what is missing. Changes nothing.

    `pairs` are (resource id, permission id). What does not exist and what no flow gives are answered alike.
    """
    wanted = list(dict.fromkeys(pairs))
    person = grantee or requestor
    facts = facts_of([requestor, person])
    reach = Reach(flow_queries.flows_for(facts[requestor.pk]))
    # What no flow gives is not named to the person: its name may be a secret.
    asks = [one for one in entitlements(wanted[: ENTITLEMENTS_MAX + 1]) if reach.gives(one)]
    if wanted and not asks:
        return DryRun(plans=(), problems=tuple(_about_number(wanted, 0)))
    decision = decide(
        Facts(
            requestor=facts[requestor.pk],
            grantee=facts[person.pk],
            asks=tuple(asks),
            flows=reach.flows,
            duration_seconds=duration_seconds,
            justification=justification,
        )
    )
    problems = [*_about_inviters(requestor, person), *_about_number(wanted, len(asks)), *decision.problems]
    plans = [_plan(part, facts[requestor.pk], facts[person.pk]) for part in decision.parts]
    problems.extend(problem for plan in plans for problem in _about_approvers(plan))
    problems.extend(Problem("LIMIT", words) for part in decision.parts for words in over_limits(part.asks))
    return DryRun(plans=tuple(plans), problems=tuple(problems))


def _too_many(number: int) -> str:
    return f"One request can name at most {ENTITLEMENTS_MAX} entitlements, and this one names {number}. Remove some."


def _about_inviters(*people: User) -> Iterable[Problem]:
    """Say so when nobody answers for somebody from outside any more."""
    for reason in dict.fromkeys(filter(None, map(why_cannot_ask, people))):
        yield Problem("INVITER_GONE", reason)


def _about_number(wanted: list[tuple[int, int]], found: int) -> Iterable[Problem]:
    if len(wanted) > ENTITLEMENTS_MAX:
        yield Problem("TOO_MANY", _too_many(len(wanted)), field="entitlements")
    elif found < len(wanted):
        yield Problem("NO_FLOW", "No access flow gives you some of this. Choose again from the list.")


def _plan(part: Part, requestor: PersonFacts, grantee: PersonFacts) -> PartPlan:
    if not part.needs_approval:
        return PartPlan(part, ())
    groups = flow_queries.approvers(part.flow.document, requestor, grantee)
    return PartPlan(part, tuple(tuple(group) for group in groups))


def _about_approvers(plan: PartPlan) -> Iterable[Problem]:
    """Say so when nobody could answer: a request that waits for nobody is refused, never held."""
    if not plan.part.needs_approval:
        return
    answers = [bool(group) for group in plan.approvers]
    everybody = plan.part.flow.document["approval"]["mode"] == ApprovalMode.ALL_OF
    if not (all(answers) if everybody else any(answers)) or not answers:
        name = plan.part.flow.document["name"]
        yield Problem("NO_APPROVER", f"Nobody but you could approve this in the access flow {name}. Ask an admin.")


def ask(
    requestor: User,
    pairs: Iterable[tuple[int, int]],
    *,
    actor: Actor,
    grantee: User | None = None,
    duration_seconds: int | None = None,
    justification: str = "",
    mfa_at: datetime | None = None,
    at: datetime | None = None,
) -> list[AccessRequest]:
    """Submit an ask: one request for each flow that decides a part of it. Raises BadAsk; then nothing is kept.

    `mfa_at`: when the requestor last proved a second factor, in the session that asks.
    """
    moment, person = at or timezone.now(), grantee or requestor
    with transaction.atomic():
        run = dry_run(requestor, pairs, grantee=person, duration_seconds=duration_seconds, justification=justification)
        if not run.allowed:
            raise BadAsk(run.problems)
        made = [
            _make(
                plan,
                requestor=requestor,
                grantee=person,
                justification=justification.strip(),
                mfa_at=mfa_at,
                actor=actor,
                at=moment,
            )
            for plan in run.plans
        ]
    return made


def _make(
    plan: PartPlan,
    *,
    requestor: User,
    grantee: User,
    justification: str,
    mfa_at: datetime | None,
    actor: Actor,
    at: datetime,
) -> AccessRequest:
    document = plan.part.flow.document
    request = AccessRequest.objects.create(
        requestor=requestor,
        grantee=grantee,
        flow_version_id=plan.part.flow.version_id,
        justification=justification,
        duration_seconds=plan.part.duration_seconds,
        mfa_at=mfa_at if mfa_at is not None and factor_counts(mfa_at, at) else None,
        requested_at=at,
        lapses_at=at + timedelta(seconds=document["pending_seconds"]),
    )
    _make_units(request, plan.part)
    details = {
        "flow": document["name"],
        "flow_version": plan.part.flow.version_id,
        "duration_seconds": plan.part.duration_seconds,
        "justification": justification,
        "entitlements": [f"{one.permission_name} on {one.resource_path}" for one in plan.part.asks],
    }
    record("request.created", actor=actor, subject=subject_of(request), details=details, at=at)
    _make_approvals(request, plan)
    ask_stand_ins(request, at=at)
    advance(request, at=at)
    return request


def _make_units(request: AccessRequest, part: Part) -> None:
    by_integration = defaultdict(list)
    for one in part.asks:
        by_integration[one.integration_id].append(one)
    for integration_id, asks in by_integration.items():
        group = AccessGroup.objects.create(request=request, integration_id=integration_id)
        AccessUnit.objects.bulk_create(
            AccessUnit(
                group=group,
                resource_id=one.resource_id,
                permission_id=one.permission_id,
                resource_type=one.resource_type,
                resource_source_id=one.resource_source_id,
                resource_path=one.resource_path,
                permission_source_id=one.permission_source_id,
                permission_name=one.permission_name,
            )
            for one in asks
        )


def _make_approvals(request: AccessRequest, plan: PartPlan) -> None:
    Approval.objects.bulk_create(
        Approval(request=request, approver_id=person.id, group_index=index, why=why)
        for index, group in enumerate(plan.approvers)
        for person, why in group
    )
