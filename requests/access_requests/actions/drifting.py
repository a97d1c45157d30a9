"""What people decide about drift: granted again, accepted, adopted, removed. Nothing of it happens by itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.asking import make_units
from access_requests.actions.beginning import approve_now
from access_requests.actions.grants import dispatch, reorder
from access_requests.actions.looking import details_of
from access_requests.actions.looking import subject_of as finding_subject
from access_requests.actions.rules import REASON_MAX, NotPossible, NotYours, lock_person
from access_requests.choices import CredentialsStatus, RequestState, UnitState
from access_requests.drift import FindingKind, FindingState
from access_requests.events import moved
from access_requests.lifecycle import subject_of
from access_requests.models import AccessGroup, AccessRequest, AccessSession, AccessUnit, DriftFinding, StandingRecord
from accounts.actions import require
from accounts.models import User
from accounts.queries import facts_of
from audit.actions import record
from audit.actor import Actor, system
from flows import queries as flow_queries
from flows.decision import Facts, FlowFacts, Problem, Reach, decide, matches
from flows.decision.conditions import setting
from integrations import actions as integrations
from integrations.models import Permission, Resource
from integrations.queries import Entitlement, entitlements, has_logins

MAY = "requests.decide_driftfinding"
# What is taken over only to be ended is held for so many seconds: the sweep ends it, and until then the target does.
AT_ONCE = 1
# What an admin need not fill in to adopt: it is asked of who asks.
_NOT_ASKED = frozenset({"ticket"})
_MADE = (CredentialsStatus.AVAILABLE, CredentialsStatus.VIEWED)


def grant_again(request: AccessRequest, *, user: User, actor: Actor, at: datetime | None = None) -> int:
    """Order again what of a request has vanished; its grantee, or an admin. Return how many units.

    The request's state does not change: it was active all the time. Raises NotYours, NotPossible where nothing is
    missing.
    """
    if not user.is_active or (user.pk != request.grantee_id and not user.has_perm(MAY)):
        raise NotYours("This access is not yours.")
    if request.in_envelope:
        raise NotPossible("The paper would not fit any more. Withdraw the envelope, and prepare its successor.")
    moment = at or timezone.now()
    with transaction.atomic():
        person = lock_person(request.grantee_id)
        rows = DriftFinding.objects.filter(
            unit__group__request=request, kind=FindingKind.VANISHED, state=FindingState.OPEN
        )
        active = rows.filter(unit__state=UnitState.ACTIVE, unit__group__request__state=RequestState.ACTIVE)
        found = list(active.select_related("unit__group__integration", "integration", "person"))
        if not found:
            raise NotPossible("Nothing of this is missing any more.")
        groups = {one.unit.group_id: one.unit.group for one in found if one.unit is not None}
        for group in groups.values():
            _renew_credentials(group)
        for one in found:
            _decide(one, FindingState.GRANTED_AGAIN, "", user, moment)
            details = details_of(one) | {"request": request.pk}
            record("drift.granted_again", actor=actor, subject=finding_subject(one), details=details, at=moment)
        for group in groups.values():
            reorder(person, group.integration, at=moment)
        moved(request.pk)
    return len(found)


def _renew_credentials(group: AccessGroup) -> None:
    """Have new credentials made where nothing of a grant is left: its login may have to be made anew."""
    there = AccessUnit.objects.filter(group=group, state=UnitState.ACTIVE).exclude(
        drift__kind=FindingKind.VANISHED, drift__state=FindingState.OPEN
    )
    if has_logins(group.integration) and not there.exists():
        AccessSession.objects.filter(group=group, credentials_status__in=_MADE).update(
            credentials_status=CredentialsStatus.RESETTING, sealed_credentials=""
        )


def accept(
    finding: DriftFinding, *, user: User, actor: Actor, reason: str, at: datetime | None = None
) -> StandingRecord:
    """Accept foreign access as standing: it is reported no more. Raises NotPossible without a reason, or when settled.

    If it goes and comes again, it is foreign again.
    """
    require(actor, MAY)
    moment, why = at or timezone.now(), _reason(reason)
    with transaction.atomic():
        lock_person(finding.person_id)
        row = _open(finding)
        kept, _ = StandingRecord.objects.update_or_create(
            integration=row.integration,
            person=row.person,
            login=row.login,
            resource_type=row.resource_type,
            resource=row.resource,
            permission=row.permission,
            defaults={"last_seen_at": row.last_seen_at},
            create_defaults={"first_seen_at": row.first_seen_at, "last_seen_at": row.last_seen_at},
        )
        _decide(row, FindingState.ACCEPTED, why, user, moment)
        details = details_of(row) | {"reason": why}
        record("drift.accepted", actor=actor, subject=finding_subject(row), details=details, at=moment)
    return kept


@dataclass(frozen=True, slots=True)
class Way:
    """How foreign access can become a request: by which flow, for how long at most; or why not, in words."""

    ask: Entitlement | None = None
    flow: FlowFacts | None = None
    at_most: int | None = None
    why_not: str = ""

    @property
    def flow_name(self) -> str:
        """Return the flow's name."""
        return str(self.flow.document["name"]) if self.flow else ""


def way_to_adopt(finding: DriftFinding, *, seconds: int | None = None, at: datetime | None = None) -> Way:
    """Say which flow would give the person this if they asked for it themselves, or why none does."""
    ask, name = _entitlement(finding), finding.person.name
    if ask is None:
        return Way(
            why_not=f"The inventory does not know {finding}, so no access flow can give it. Sync, and try again."
        )
    facts = facts_of([finding.person])[finding.person_id]
    flows = flow_queries.flows_for(facts)
    # What a request would be asked besides is not asked of who adopts.
    flows = tuple(replace(one, document=_without_forms(one.document)) for one in flows)
    asked = Facts(facts, facts, (ask,), flows, seconds, "adopted", at or timezone.now())
    decision = decide(asked)
    problem = next((one for one in decision.problems if one.field not in _NOT_ASKED), None)
    if problem is not None or not decision.parts:
        return Way(ask, why_not=_in_words(problem, finding, name))
    part = decision.parts[0]
    return Way(ask, part.flow, part.max_duration_seconds)


def _without_forms(document: dict[str, Any]) -> dict[str, Any]:
    """Return a flow's document without what its form asks for."""
    return document | {"settings": {**document["settings"], "fields": [], "ticket_pattern": ""}}


def _in_words(problem: Problem | None, finding: DriftFinding, name: str) -> str:
    if problem is None or problem.code == "NO_FLOW":
        return (
            f"No access flow gives {name} {finding}. Let a flow name {name} and this, and adopt it then; or accept it"
            " as standing."
        )
    return problem.message


def _entitlement(finding: DriftFinding) -> Entitlement | None:
    """Return a finding as something that can be asked for, as the inventory knows it."""
    resource = Resource.objects.filter(
        integration=finding.integration_id, resource_type__type=finding.resource_type, source_id=finding.resource
    ).first()
    if resource is None:
        return None
    permission = Permission.objects.filter(
        resource_type=resource.resource_type_id, source_id=finding.permission
    ).first()
    found = entitlements([(resource.pk, permission.pk)]) if permission else []
    return found[0] if found else None


def adopt(
    finding: DriftFinding,
    *,
    user: User,
    actor: Actor,
    reason: str,
    seconds: int | None = None,
    at: datetime | None = None,
) -> AccessRequest:
    """Make foreign access a request of the person, which ends like any other. Raises NotPossible with why not.

    Where access lies on the person's own account it counts as given by us from now on, and its end is proven. Where
    each grant has a login of its own the person gets ours, and the finding stays open: see `by_hand`.
    """
    require(actor, MAY)
    moment, why = at or timezone.now(), _reason(reason)
    with transaction.atomic():
        lock_person(finding.person_id)
        row = _open(finding)
        way = way_to_adopt(row, seconds=seconds, at=moment)
        if way.ask is None or way.flow is None:
            raise NotPossible(way.why_not)
        length = way.at_most if seconds is None else seconds
        if not length or length <= 0:
            raise NotPossible("Say for how long: what is adopted has an end.")
        request = _make(row, way.ask, way.flow, length, why, at=moment)
        _take_over(row, request, _Verdict(user, actor, f"Adopted by {user.name}: {why}", why), moment)
        details = details_of(row) | {"request": request.pk, "reason": why}
        record("drift.adopted", actor=actor, subject=finding_subject(row), details=details, at=moment)
    return request


def remove(
    finding: DriftFinding, *, user: User, actor: Actor, reason: str, at: datetime | None = None
) -> AccessRequest:
    """Take foreign access over and end it at once, proven. Raises NotPossible where that has to be done by hand."""
    require(actor, MAY)
    moment, why = at or timezone.now(), _reason(reason)
    with transaction.atomic():
        lock_person(finding.person_id)
        row = _open(finding)
        words = why_not_removed(row)
        flow = covering(row)
        ask = _entitlement(row)
        if words or flow is None or ask is None:
            raise NotPossible(words)
        row.removes = True
        request = _make(row, ask, flow, AT_ONCE, why, at=moment)
        words = f"Taken over by {user.name} to be removed: {why}"
        _take_over(row, request, _Verdict(user, actor, words, why), moment)
        details = details_of(row) | {"request": request.pk, "reason": why}
        record("drift.removal_begun", actor=actor, subject=finding_subject(row), details=details, at=moment)
        # Before anybody else can look: whether the person may have it is not asked of what is there to be ended.
        dispatch(request, to_end=True, at=moment)
    return request


def remove_by_flows(integration_id: uuid.UUID, *, at: datetime) -> int:
    """Take over and end what automatic flows say nobody else may have in an integration. Return how much was begun.

    It is foreign access to exactly what such a flow gives, of people whom it does not name, on their own accounts.
    """
    flows = [one for one in flow_queries.automatic_flows().flows if setting(one.document, "removes_foreign")]
    if not flows:
        return 0
    reach, done = Reach(flows), 0
    here = DriftFinding.objects.filter(integration=integration_id, kind=FindingKind.FOREIGN)
    waiting = here.filter(state=FindingState.OPEN, request__isnull=True)
    for one in waiting.select_related("integration", "person").order_by("pk"):
        ask = None if has_logins(one.integration) else _entitlement(one)
        giving = sorted(reach.covering(ask), key=lambda each: str(each.document["name"])) if ask else []
        facts = facts_of([one.person])[one.person_id] if giving else None
        if facts is not None and not any(matches(each.document["requestors"], facts) for each in giving):
            done += _remove_by_flow(one, giving[0], at)
    return done


def _remove_by_flow(finding: DriftFinding, flow: FlowFacts, at: datetime) -> bool:
    """Take one over and end it, with the flow as the reason. False when it was settled meanwhile."""
    name = str(flow.document["name"])
    why = f"The access flow {name} gives this, and names nobody else."
    with transaction.atomic():
        lock_person(finding.person_id)
        try:
            row = _open(finding)
        except NotPossible:
            return False
        ask = _entitlement(row)
        if ask is None:
            return False
        row.removes = True
        request = _make(row, ask, flow, AT_ONCE, why, at=at)
        words = f"Taken over to be removed: {why}"
        _take_over(row, request, _Verdict(None, system(), words, why, f"The access flow {name}"), at)
        details = details_of(row) | {"request": request.pk, "reason": why, "flow": name}
        record("drift.removal_begun", actor=system(), subject=finding_subject(row), details=details, at=at)
        dispatch(request, to_end=True, at=at)
    return True


def by_hand(finding: DriftFinding) -> str:
    """Say what has to be done by hand, where we cannot take what a login has that we did not make; else nothing."""
    if not has_logins(finding.integration):
        return ""
    return (
        f"{finding.integration.name} gives every grant a login of its own, and Latchkey changes no login that it did"
        f" not make. Ask whoever owns {finding.integration.name} to take {finding} from {finding.login} there. The next"
        " look sees that it is gone."
    )


def covering(finding: DriftFinding) -> FlowFacts | None:
    """Return a flow that is about this, whomever it names: a request has to have one."""
    ask = _entitlement(finding)
    flows = [*flow_queries.active_flows(), *flow_queries.automatic_flows().flows]
    found = Reach(flows).covering(ask) if ask else []
    return min(found, key=lambda one: str(one.document["name"]), default=None)


def why_not_removed(finding: DriftFinding) -> str:
    """Say why it cannot be removed from here, and what to do instead; nothing where it can."""
    words = by_hand(finding)
    if words:
        return words
    if covering(finding) is None:
        return (
            f"No access flow is about {finding}, so it cannot be taken over to be ended. Take it from {finding.login}"
            f" at {finding.integration.name} by hand. The next look sees that it is gone."
        )
    return ""


def _make(
    row: DriftFinding, ask: Entitlement, flow: FlowFacts, seconds: int, why: str, *, at: datetime
) -> AccessRequest:
    """Write the request that foreign access becomes."""
    request = AccessRequest.objects.create(
        requestor=row.person,
        grantee=row.person,
        flow_version_id=flow.version_id,
        justification=why,
        duration_seconds=seconds,
        requested_at=at,
    )
    make_units(request, [ask])
    return request


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Who takes foreign access over, and why: in words for the request, and as it was given."""

    user: User | None
    actor: Actor
    words: str
    why: str
    name: str = ""


def _take_over(row: DriftFinding, request: AccessRequest, verdict: _Verdict, at: datetime) -> None:
    """Count what a finding is about as given by us, where that can be, and approve its request."""
    details = {
        "adopted": row.pk,
        "flow": request.flow_name,
        "flow_version": request.flow_version_id,
        "duration_seconds": request.duration_seconds,
        "justification": verdict.why,
        "grantee": row.person.email,
        "entitlements": [str(row)],
    }
    record("request.created", actor=verdict.actor, subject=subject_of(request), details=details, at=at)
    own = not has_logins(row.integration)
    if own:
        unit = {"resource_type": row.resource_type, "resource": row.resource, "permission": row.permission}
        integrations.count_as_given(row.integration, row.person, unit, at=at)
    row.request = request
    row.save(update_fields=["request", "removes"])
    _decide(row, FindingState.ADOPTED if own else FindingState.OPEN, verdict.why, verdict.user, at, verdict.name)
    approve_now(request, actor=verdict.actor, reason=verdict.words, at=at)


def _open(finding: DriftFinding) -> DriftFinding:
    """Return foreign access as stored, if it waits for a decision. Raises NotPossible."""
    rows = DriftFinding.objects.select_for_update(of=("self",)).select_related("integration", "person", "request")
    row = rows.get(pk=finding.pk)
    if row.kind != FindingKind.FOREIGN or row.state != FindingState.OPEN:
        raise NotPossible("This was settled meanwhile.")
    if row.request is not None and row.request.ended_at is None:
        raise NotPossible(f"It was adopted as {row.request} already.")
    return row


def _decide(  # noqa: PLR0917  # what a decision is
    row: DriftFinding, state: FindingState, reason: str, user: User | None, at: datetime, name: str = ""
) -> None:
    """Write who decided: a person, or a flow by its name."""
    row.state, row.reason, row.decided_at = state, reason, at
    row.decided_by, row.decided_name = user, (user.name if user else name)[:200]
    row.save(update_fields=["state", "reason", "decided_at", "decided_by", "decided_name"])


def _reason(text: str) -> str:
    """Return a reason as it is kept. Raises NotPossible without one."""
    why = text.strip()
    if not why:
        raise NotPossible("Say why: the record keeps it.")
    if len(why) > REASON_MAX:
        raise NotPossible(f"A reason has at most {REASON_MAX} characters.")
    return why
