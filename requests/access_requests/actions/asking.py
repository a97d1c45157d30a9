"""Asking: a dry run, and the ask itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.beginning import advance
from access_requests.actions.questions import begin_calls
from access_requests.actions.reviewing import owe_review
from access_requests.actions.tiers import Groups, asked_first, could_settle, everybody, make_approvals
from access_requests.lifecycle import subject_of
from access_requests.models import AccessGroup, AccessRequest, AccessUnit, AskedFacts
from access_requests.queries.emergencies import frozen, words_of
from access_requests.queries.reviews import MAY as MAY_REVIEW
from access_requests.queries.reviews import late_of
from accounts.models import User
from accounts.queries import PersonFacts, factor_counts, facts_of, people_with, why_cannot_ask
from audit.actions import record
from audit.actor import Actor
from flows import queries as flow_queries
from flows.choices import ApprovalMode
from flows.decision import Facts, Part, Problem, Reach, decide
from flows.decision.conditions import setting
from flows.decision.replay import to_json
from integrations.queries import Entitlement, entitlements, over_limits

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
    """What one part of an ask would become: who would be asked, by approver group, each with the reason why.

    `tier` is the highest that is asked at once. Where the glass is broken nobody is asked, and all of them are told.
    """

    part: Part
    approvers: Groups
    tier: int = 0


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would happen, said before submission."""

    plans: tuple[PartPlan, ...]
    problems: tuple[Problem, ...]
    # What was looked at; nothing where nothing was found to look at.
    facts: Facts | None = None

    @property
    def allowed(self) -> bool:
        """Whether it may be submitted as it stands."""
        return bool(self.plans) and not self.problems


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for besides entitlements. `duration_seconds` None means: as long as the flow allows."""

    duration_seconds: int | None = None
    justification: str = ""
    break_glass: bool = False
    ticket: str = ""
    # What was written into the flows' own fields, by key.
    answers: Mapping[str, str] = field(default_factory=dict)


def dry_run(
    requestor: User,
    pairs: Iterable[tuple[int, int]],
    *,
    grantee: User | None = None,
    wish: Wish | None = None,
    at: datetime | None = None,
    **wished: Any,
) -> DryRun:
    """Say which flow decides what, whose approval it takes, how long at most, and what is missing. Changes nothing.

    `pairs` are (resource id, permission id). What does not exist and what no flow gives are answered alike. The wish
    may be told by its fields.
    """
    wanted = list(dict.fromkeys(pairs))
    person = grantee or requestor
    people = facts_of([requestor, person])
    reach = Reach(flow_queries.flows_for(people[requestor.pk]))
    # What no flow gives is not named to the person: its name may be a secret.
    asks = [one for one in entitlements(wanted[: ENTITLEMENTS_MAX + 1]) if reach.gives(one)]
    if wanted and not asks:
        return DryRun(plans=(), problems=tuple(_about_number(wanted, 0)))
    told = wish or Wish(**wished)
    facts = Facts(
        requestor=people[requestor.pk],
        grantee=people[person.pk],
        asks=tuple(asks),
        flows=reach.flows,
        duration_seconds=told.duration_seconds,
        justification=told.justification,
        at=at or timezone.now(),
        break_glass=told.break_glass,
        ticket=told.ticket,
        answers=tuple(sorted(told.answers.items())),
    )
    decision = decide(facts)
    problems = [*_about_inviters(requestor, person), *_about_number(wanted, len(asks)), *decision.problems]
    plans = [_plan(part, facts.requestor, facts.grantee) for part in decision.parts]
    problems.extend(problem for plan in plans for problem in _about_approvers(plan, facts))
    problems.extend(_about_reviews(facts))
    problems.extend(_about_freeze(facts))
    problems.extend(Problem("LIMIT", words) for part in decision.parts for words in over_limits(part.asks))
    return DryRun(plans=tuple(plans), problems=tuple(problems), facts=facts)


def glass_of(run: DryRun) -> list[Part]:
    """Return what breaking the glass would open at once: all of the ask, or nothing. No query."""
    if run.facts is None:
        return []
    parts = decide(replace(run.facts, break_glass=True)).parts
    opened = sum(len(part.asks) for part in parts)
    return list(parts) if opened == len(run.facts.asks) else []


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
    document = part.flow.document
    if document["approval"]["mode"] == ApprovalMode.NONE:
        return PartPlan(part, {})
    if part.break_glass:
        return PartPlan(part, everybody(document, requestor, grantee, owner=part.owner))
    tier, groups = asked_first(document, requestor, grantee, owner=part.owner)
    return PartPlan(part, groups, tier)


def _about_approvers(plan: PartPlan, facts: Facts) -> Iterable[Problem]:
    """Say so when nobody could answer: a request that waits for nobody is refused, never held.

    What comes after the glass was broken takes somebody as well: to review it.
    """
    document = plan.part.flow.document
    name = document["name"]
    if plan.part.break_glass:
        own = {facts.requestor.id, facts.grantee.id}
        if not any(plan.approvers.values()) and all(str(one.pk) in own for one in people_with(MAY_REVIEW)):
            yield Problem("NO_REVIEWER", f"Nobody but you could review this in the access flow {name}. Ask an admin.")
    elif plan.part.needs_approval and not could_settle(document, plan.approvers):
        yield Problem("NO_APPROVER", f"Nobody but you could approve this in the access flow {name}. Ask an admin.")


def _about_reviews(facts: Facts) -> Iterable[Problem]:
    """Say so when a review is overdue: until it is given, the same people do not break the glass again."""
    late = late_of([facts.requestor.id, facts.grantee.id], facts.at) if facts.break_glass and facts.at else None
    if late is not None:
        message = f"The review of {late.request} is overdue. Until it is given, you cannot break the glass again."
        yield Problem("REVIEW_OVERDUE", message, field="break_glass")


def _about_freeze(facts: Facts) -> Iterable[Problem]:
    """Say so when the glass cannot be broken because of a freeze. Anything else may be asked for, and waits."""
    ice = frozen({one.integration_id for one in facts.asks}) if facts.break_glass else None
    if ice is not None and not ice.break_glass:
        yield Problem("FROZEN", f"{words_of(ice)}. The glass cannot be broken meanwhile.", field="break_glass")


def ask(
    requestor: User,
    pairs: Iterable[tuple[int, int]],
    *,
    actor: Actor,
    grantee: User | None = None,
    wish: Wish | None = None,
    mfa_at: datetime | None = None,
    at: datetime | None = None,
    **wished: Any,
) -> list[AccessRequest]:
    """Submit an ask: one request for each part that a flow decides. Raises BadAsk; then nothing is kept.

    `mfa_at` is when the requestor proved a second factor, if that counts still.
    """
    moment, person = at or timezone.now(), grantee or requestor
    told = wish or Wish(**wished)
    with transaction.atomic():
        run = dry_run(requestor, pairs, grantee=person, wish=told, at=moment)
        if not run.allowed or run.facts is None:
            raise BadAsk(run.problems)
        made = [_make(plan, (requestor, person), told, actor=actor, at=moment, mfa_at=mfa_at) for plan in run.plans]
        AskedFacts.objects.create(asked_at=moment, facts=to_json(run.facts)).requests.set(made)
    return made


def _make(
    plan: PartPlan, people: tuple[User, User], wish: Wish, *, actor: Actor, at: datetime, mfa_at: datetime | None
) -> AccessRequest:
    document = plan.part.flow.document
    keys = {one["key"] for one in setting(document, "fields") or ()}
    request = AccessRequest.objects.create(
        requestor=people[0],
        grantee=people[1],
        flow_version_id=plan.part.flow.version_id,
        justification=wish.justification.strip(),
        ticket=wish.ticket.strip(),
        fields={key: value.strip() for key, value in wish.answers.items() if key in keys and value.strip()},
        break_glass=wish.break_glass,
        duration_seconds=plan.part.duration_seconds,
        mfa_at=mfa_at if mfa_at is not None and factor_counts(mfa_at, at) else None,
        requested_at=at,
        asked_tier=plan.tier,
        lapses_at=at + timedelta(seconds=document["pending_seconds"]),
    )
    make_units(request, plan.part.asks)
    record("request.created", actor=actor, subject=subject_of(request), details=_told(request, plan), at=at)
    _make_approvals(request, plan, actor=actor, at=at)
    begin_calls(request, document, at=at)
    advance(request, at=at)
    return request


def _told(request: AccessRequest, plan: PartPlan) -> dict[str, Any]:
    """Return what the audit keeps of an ask."""
    more = {"ticket": request.ticket, "fields": request.fields, "break_glass": request.break_glass}
    for_whom = {"grantee": request.grantee.email} if request.grantee_id != request.requestor_id else {}
    return {
        "flow": plan.part.flow.document["name"],
        "flow_version": plan.part.flow.version_id,
        "duration_seconds": request.duration_seconds,
        "justification": request.justification,
        "entitlements": [f"{one.permission_name} on {one.resource_path}" for one in plan.part.asks],
        **{name: value for name, value in more.items() if value},
        **for_whom,
    }


def make_units(request: AccessRequest, asks: Iterable[Entitlement]) -> None:
    """Write what a request names: an access group for each integration, a unit for each entitlement."""
    by_integration = defaultdict(list)
    for one in asks:
        by_integration[one.integration_id].append(one)
    for integration_id, here in by_integration.items():
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
            for one in here
        )


def _make_approvals(request: AccessRequest, plan: PartPlan, *, actor: Actor, at: datetime) -> None:
    """Write who is asked; where the glass was broken, who is told and may review it."""
    if request.break_glass:
        owe_review(request, plan.approvers, actor=actor, at=at)
    elif plan.part.needs_approval:
        make_approvals(request, plan.part.flow.document, plan.approvers, at=at)
