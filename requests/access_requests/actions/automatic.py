"""Automatic flows: whoever matches holds, whoever stops matching loses.

Two ways lead there. A run looks at everybody of one flow, some people a step: what the flow gives is the same for all,
so one statement names those who hold other than they should. News of a few people looks at these only: which flows they
match now against which they hold through. Both decide about a person with that person's row locked, so nothing is given
twice; and both leave behind nothing that a run would not leave.

A request names what it names for ever. What is added is given by a further request; when some of a request is not given
any more, the request ends whole, and what stays of it is ordered anew together with that end, so it stays open.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from access_requests.actions.asking import make_units
from access_requests.actions.beginning import advance
from access_requests.actions.endings import end, lapse
from access_requests.actions.grants import dispatch
from access_requests.automatic import HELD, batch, count_people, differing, held_by, held_through, plan
from access_requests.choices import EndReason, RequestState
from access_requests.events import ring_automatic
from access_requests.lifecycle import subject_of
from access_requests.models import AccessRequest
from accounts.models import User
from accounts.queries import facts_of
from audit.actions import record
from audit.actor import system
from flows import actions as flow_actions
from flows import queries as flow_queries
from flows.choices import Trigger
from flows.decision import covers
from flows.giving import Given, given_by, gives_by_itself
from flows.models import AccessFlow, AutomaticRun, FlowVersion
from integrations.queries import Entitlement, entitlements

# How many people a step looks at, how many of them it may have to change, and about how many entitlements it writes.
PEOPLE, CHANGES, UNITS = 1000, 100, 5000
# News of more people than this is not gone through one by one: every automatic flow is looked at instead.
FEW = 200
# What could not be granted is tried again by a run, but not sooner than this.
TRIED_AGAIN = timedelta(hours=1)
_log = logging.getLogger(__name__)
Pair = tuple[int, int]


@dataclass(slots=True)
class Rule:
    """An automatic flow as it is now, with what it gives. `given` is asked for when it is first needed."""

    flow: AccessFlow
    _given: Given | None = None
    # What was looked at besides: the entitlement where the flow gives it, whatever can be granted now.
    _covered: dict[Pair, Entitlement | None] = field(default_factory=dict)

    @property
    def version(self) -> FlowVersion:
        """What decides."""
        if self.flow.current is None:
            raise AssertionError(f"{self.flow} was saved without a version.")
        return self.flow.current

    @property
    def gives(self) -> bool:
        """Whether it gives anything to anybody."""
        return self.flow.active and self.flow.current is not None and gives_by_itself(self.flow.current.document)

    @property
    def given(self) -> Given:
        """What it gives to each of its people now."""
        if self._given is None:
            self._given = given_by(self.version.document) if self.gives else Given(())
        return self._given

    def lost(self, pairs: Iterable[Pair]) -> set[Pair]:
        """Return which of the pairs the flow does not give any more, even if they could be granted."""
        asks = {(one.resource_id, one.permission_id) for one in self.given.asks}
        wanted = {pair for pair in pairs if pair not in asks}
        known = self._covered
        for one in entitlements(pair for pair in wanted if pair not in known):
            known[one.resource_id, one.permission_id] = one if covers(self.version.document, one) else None
        return {pair for pair in wanted if known.get(pair) is None}

    def asks_for(self, pairs: Iterable[Pair]) -> Sequence[Entitlement]:
        """Return what somebody should hold who holds these pairs, which `lost` has looked at.

        Of a flow that gives too much that is what of it they hold already: nothing is added, and nothing else is taken.
        """
        if not self.given.problem:
            return self.given.asks
        held = (self._covered.get(pair) for pair in sorted(pairs))
        return [one for one in held if one is not None and not one.refusal]

    def why_not(self, person: User) -> str:
        """Return why this person gets nothing of it, in words."""
        if not person.is_active:
            return "The account is disabled."
        if not self.flow.active:
            return f"The access flow {self.flow.name} is switched off."
        if not self.gives:
            return f"The access flow {self.flow.name} gives nothing by itself any more."
        return f"The access flow {self.flow.name} no longer names {person.name}."


Rules = dict[uuid.UUID, Rule]


def sweep_runs(*, seconds: float = 20, at: datetime | None = None) -> int:
    """Go on with unfinished runs for a while, a step each in turn. Return how many steps were done."""
    deadline, done, rules = time.monotonic() + seconds, 0, Rules()
    put_off: set[int] = set()
    while time.monotonic() < deadline:
        unfinished = AutomaticRun.objects.filter(finished_at__isnull=True).exclude(pk__in=put_off)
        run = unfinished.order_by("moved_at", "pk").first()
        if run is None:
            break
        try:
            stepped = step(run, rules, at=at)
        except Exception as error:  # noqa: BLE001  # the next sweep tries again; other flows must not wait for it
            _log.exception("run %s of an automatic flow has to wait for the next sweep", run.pk)
            flow_actions.put_off_run(run.pk, _words(error), at=at or timezone.now())
            stepped = False
        done += stepped
        if not stepped:
            put_off.add(run.pk)
    return done


def sweep_flows(*, at: datetime | None = None) -> int:
    """Have everybody looked at for every automatic flow, and for those that are none any more but still give."""
    automatic = AccessFlow.objects.filter(trigger=Trigger.AUTOMATIC, active=True).order_by().values("pk")
    giving = AccessRequest.objects.filter(automatic=True, state__in=HELD).order_by().values("flow_version__flow")
    flows = AccessFlow.objects.filter(pk__in=automatic.union(giving)).values_list("pk", flat=True)
    for flow_id in list(flows):
        flow_actions.start_run(flow_id, "the clock", at=at)
    return len(flows)


def step(run: AutomaticRun, rules: Rules | None = None, *, at: datetime | None = None) -> bool:
    """Do one step of a run. False when it is finished, or another process is at it.

    `rules` keeps what flows give from one step to the next.
    """
    moment, known = at or timezone.now(), {} if rules is None else rules
    with transaction.atomic():
        row = flow_actions.take_up(run.pk)
        if row is None:
            return False
        rule = _rule(row.flow, known)
        matching = flow_queries.who_matches(row.flow.current.document) if row.flow.current else User.objects.none()
        matching = matching if rule.gives else User.objects.none()
        if row.cursor is None:
            known[row.flow_id] = rule = Rule(row.flow)
            row.total = count_people(row.flow_id, matching)
        these = batch(row.flow_id, matching, row.cursor, PEOPLE)
        other = differing(row.flow_id, rule.given.asks, these)
        upto, given, taken = _settle_some(other, rule, matching, moment)
        cut = upto is not None and upto != other[-1]
        seen = sum(one <= upto for one in these.people) if cut and upto is not None else len(these.people)
        cursor = upto if cut else None if these.last else these.people[-1]
        flow_actions.move_run(row, flow_actions.Step(cursor, seen, given, taken, rule.given.problem), at=moment)
    return True


def _words(error: Exception) -> str:
    return f"A step failed ({type(error).__name__}) and is tried again; the log says more."


def _rule(flow: AccessFlow, known: Rules) -> Rule:
    """Return the flow with what it gives; what is kept of an older version does not count."""
    kept = known.get(flow.pk)
    if kept is None or kept.flow.current_id != flow.current_id:
        kept = known[flow.pk] = Rule(flow)
    return kept


def _settle_some(
    people: Sequence[uuid.UUID], rule: Rule, matching: Any, at: datetime
) -> tuple[uuid.UUID | None, int, int]:
    """Settle people in turn until the step has done enough; return the last one, and how much was given and taken."""
    upto, given, taken, written = None, 0, 0, 0
    at_once = max(1, min(CHANGES, UNITS // max(1, len(rule.given.asks))))
    for start in range(0, len(people), at_once):
        locked = _lock(people[start : start + at_once])
        # Read again under the locks: news that came meanwhile waits for them, or is seen here.
        named = set(matching.filter(pk__in=[one.pk for one in locked]).values_list("pk", flat=True))
        held = held_by(rule.flow.pk, [one.pk for one in locked])
        named -= _failed_lately(rule.flow.pk, named - held.keys(), at)
        for person in locked:
            more, less = _settle(person, rule, person.pk in named, held.get(person.pk, {}), at)
            given, taken, upto = given + more, taken + less, person.pk
            written += more * max(1, len(rule.given.asks)) + less
        if written >= UNITS or given + taken >= CHANGES:
            break
    return upto, given, taken


def _failed_lately(flow_id: uuid.UUID, people: Collection[uuid.UUID], at: datetime) -> set[uuid.UUID]:
    """Return those of some people who hold nothing because their targets have just refused it."""
    rows = AccessRequest.objects.filter(automatic=True, flow_version__flow=flow_id, grantee__in=people)
    failed = rows.filter(state=RequestState.FAILED, ended_at__gt=at - TRIED_AGAIN)
    return set(failed.order_by().values_list("grantee", flat=True))


def _lock(people: Collection[Any]) -> list[User]:
    """Lock people's rows in the order of their ids, so that two who lock some never wait for each other in a circle."""
    return list(User.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=people).order_by("pk"))


def _settle(person: User, rule: Rule, named: bool, held: dict[int, set[Pair]], at: datetime) -> tuple[int, int]:
    """Make what a person holds through a flow agree with it; return how many requests were given and taken.

    The caller holds the person's lock.
    """
    if not named:
        why = rule.why_not(person)
        return 0, sum(_take(pk, rule, why, at) for pk in sorted(held))
    pairs = {pair for each in held.values() for pair in each}
    lost = rule.lost(pairs)
    wanted = plan(rule.asks_for(pairs), held, lost)
    for part in wanted.give:
        _give(person, rule, part, at)
    for part in wanted.replacing:
        # Ordered before the end is, so that the order which ends the one carries the other.
        dispatch(_give(person, rule, part, at), at=at)
    why = f"The access flow {rule.flow.name} no longer gives all of this. What stays is given by another request."
    taken = sum(_take(pk, rule, why, at) for pk in wanted.end)
    return len(wanted.give) + len(wanted.replacing), taken


def _give(person: User, rule: Rule, asks: Sequence[Entitlement], at: datetime) -> AccessRequest:
    """Give some entitlements, without an end: approved at once, and dispatched by the sweep."""
    request = AccessRequest.objects.create(
        requestor=person,
        grantee=person,
        flow_version=rule.version,
        automatic=True,
        duration_seconds=None,
        requested_at=at,
    )
    make_units(request, asks)
    details = {
        "automatic": True,
        "flow": rule.flow.name,
        "flow_version": rule.version.pk,
        "entitlements": [f"{one.permission_name} on {one.resource_path}" for one in asks],
    }
    record("request.created", actor=system(), subject=subject_of(request), details=details, at=at)
    advance(request, at=at)
    return request


def _take(request_id: int, rule: Rule, why: str, at: datetime) -> bool:
    """End one request, or let it lapse where it has not come to access."""
    row = AccessRequest.objects.get(pk=request_id)
    reason = EndReason.NOT_ELIGIBLE if rule.flow.active else EndReason.FLOW_DISABLED
    if row.state == RequestState.APPROVED:
        return lapse(row, reason, note=why, actor=system(), at=at)
    return end(row, reason, actor=system(), note=why, at=at)


def people_changed(ids: Iterable[Any], *, at: datetime | None = None) -> int:
    """Look at these people for every automatic flow: what they match now against what they hold. Return how many moved.

    A handful of queries where nothing is to be done, however many flows there are.
    """
    people = sorted({uuid.UUID(str(one)) for one in ids})
    policy = flow_queries.automatic_flows()
    held_at_all = AccessRequest.objects.filter(automatic=True, state__in=HELD, grantee__in=people[: FEW + 1])
    if not people or not (policy.flows or held_at_all.exists()):
        return 0
    if len(people) > FEW:
        sweep_flows(at=at)
        ring_automatic()
        return 0
    moment = at or timezone.now()
    with transaction.atomic():
        locked = {one.pk: one for one in _lock(people)}
        facts = facts_of(locked)
        holding = defaultdict(set)
        rows = held_at_all.order_by().values_list("grantee", "flow_version__flow").distinct()
        for person_id, flow_id in rows:
            holding[person_id].add(flow_id)
        moved: list[tuple[User, uuid.UUID, bool]] = []
        for pk, person in locked.items():
            told = facts[pk]
            mine = {uuid.UUID(one.document["id"]) for one in policy.of(told)} if told.active else set()
            moved += [(person, flow_id, flow_id in mine) for flow_id in sorted(mine ^ holding[pk])]
        return _settle_moved(moved, moment)


def _settle_moved(moved: Sequence[tuple[User, uuid.UUID, bool]], at: datetime) -> int:
    """Give to who matches a flow now and take from who does not any more; what a flow gives is asked for once."""
    flows = AccessFlow.objects.select_related("current").in_bulk({flow_id for _, flow_id, _ in moved})
    rules = {flow_id: Rule(flow) for flow_id, flow in flows.items()}
    for flow_id, rule in rules.items():
        if any(named for _, one, named in moved if one == flow_id) and rule.given.problem:
            # A run says it aloud.
            flow_actions.start_run(flow_id, "it gives too much", at=at)
            ring_automatic()
    done = 0
    for person, flow_id, named in moved:
        if flow_id not in rules:
            continue  # deleted a moment ago: nothing was given by it
        rule = rules[flow_id]
        held = {} if named else held_by(flow_id, [person.pk]).get(person.pk, {})
        done += sum(_settle(person, rule, named and rule.gives, held, at))
    return done


def flow_changed(flow_id: Any, *, at: datetime | None = None) -> bool:
    """Look at everybody for a flow that was saved or switched, if it gives by itself or has given."""
    flow = AccessFlow.objects.filter(pk=flow_id).first()
    if flow is None or not (flow.trigger == Trigger.AUTOMATIC or held_through(flow.pk).exists()):
        return False
    flow_actions.start_run(flow.pk, "the access flow was changed", at=at)
    ring_automatic()
    return True


def inventory_changed(integration_id: str, *, at: datetime | None = None) -> int:
    """Look at everybody for each automatic flow that can give something of an integration."""
    reaching = flow_queries.automatic_in(integration_id)
    for flow in reaching:
        flow_actions.start_run(uuid.UUID(flow.document["id"]), "the inventory changed", at=at)
    if reaching:
        ring_automatic()
    return len(reaching)
