"""The asks of the last 90 days, decided again: by policy as it is, and as it would be.

It is the same `decide` on the same facts. Compared with policy as it is now, not with what was answered then: policy
may have changed since, and that is not this change. An ask that the changed flows could not touch is not decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from accounts.queries import PersonFacts
from accounts.regrouping import Regrouped
from flows import events
from flows.choices import Trigger
from flows.current import Policy, policy
from flows.decision import Decision, Facts, Part, decide, gates, preference
from flows.decision.covering import FlowFacts, Reach, Target, target_covers
from flows.decision.replay import from_json
from flows.whatif.change import Change
from integrations.queries import Entitlement

DAYS = 90
# Of more asks than these only the newest are decided again.
ASKS_MAX = 20_000
SHOWN = 10
# Of so many people what the unchanged flows give them is remembered.
_PEOPLE_KEPT = 1_000
Near = list[tuple[FlowFacts, Target]]


class Kind(StrEnum):
    """How an ask would have gone otherwise; of several that are true the first counts."""

    REFUSED = "would have been refused"
    ALLOWED = "would have been allowed, and would be refused now"
    NO_APPROVAL = "would not have needed approval"
    APPROVAL = "would have needed approval"
    OTHER_FLOW = "would have been decided by another flow"
    OTHER_APPROVERS = "would have asked other approvers"
    OTHER_LIMIT = "would have had another limit of time"


@dataclass(slots=True)
class Past:
    """What came of deciding again: how many asks were read, and by kind how many would have gone otherwise."""

    read: int = 0
    # Those from before facts were kept; for them today's facts were used.
    of_now: int = 0
    # Whether there were more than ASKS_MAX.
    cut: bool = False
    counts: dict[Kind, int] = field(default_factory=dict)
    first: dict[Kind, list[events.Link]] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """How many would have gone otherwise."""
        return sum(self.counts.values())

    @property
    def rows(self) -> list[tuple[Kind, int, list[events.Link]]]:
        """Kind, number and the first of them, in the order of kinds."""
        return [(kind, self.counts[kind], self.first.get(kind, [])) for kind in Kind if kind in self.counts]


def replayed(change: Change, *, at: datetime) -> Past:
    """Decide the asks of the last 90 days again. Reads in batches, keeps no ask but the first of each kind."""
    past = Past()
    if not change.flows:
        return past
    again = Again(change)
    found: dict[Kind, list[events.Asked]] = {}
    for ask in events.asked_in(events.Period(at - timedelta(days=DAYS), ASKS_MAX + 1)):
        if past.read == ASKS_MAX:
            past.cut = True
            break
        past.read += 1
        past.of_now += ask.kept is None
        kind = again.differs(ask)
        if kind is not None:
            past.counts[kind] = past.counts.get(kind, 0) + 1
            found.setdefault(kind, [])
            if len(found[kind]) < SHOWN:
                found[kind].append(ask)
    past.first = {kind: events.links_to(asks) for kind, asks in found.items()}
    return past


class Again:
    """Policy as it is and as it would be, ready to decide asks.

    Of the flows that give something only the one that is preferred has a say in whether and how it is given. So decide
    looks at that one of those that do not change, and at that one of those that do; the others change no answer.
    """

    def __init__(self, change: Change) -> None:
        """Take the current flows; those that change are there twice, numbered as no saved version is."""
        ids = set(change.flows)
        others = Policy(tuple(flow for flow in policy().flows if flow.document["id"] not in ids))
        now = [one for number, key in enumerate(change.flows) for one in _facts(-1 - number, change.now(key))]
        then = [one for number, key in enumerate(change.flows) for one in _facts(-1 - number, change.then(key))]
        self.regrouped = change.regrouped
        self.now, self.then = Reach(now), Reach(then)

        # The same few people ask again and again, and are mostly known as they were.
        @lru_cache(maxsize=_PEOPLE_KEPT)
        def ranked(person: PersonFacts, duration: int | None, break_glass: bool) -> Reach:
            asked = Facts(person, person, (), (), duration_seconds=duration, break_glass=break_glass)
            return Reach(sorted(others.of(person), key=lambda one: preference(one, asked)))

        self.ranked = ranked

    def differs(self, ask: events.Asked) -> Kind | None:
        """Return how an ask would have gone otherwise; None where it would have gone the same."""
        if ask.kept is not None and not self._may_touch(ask.kept):
            return None
        facts = ask.facts if ask.facts is not None else from_json(dict(ask.kept or {}), ())
        after = facts if self.regrouped is None else _moved(facts, self.regrouped)
        now, then = _best(self.now, facts), _best(self.then, after)
        if not now and not then:
            return None
        others = self._others(facts)
        also = others if after is facts else self._others(after)
        return difference(
            decide(replace(facts, flows=_each(others, now))), decide(replace(after, flows=_each(also, then)))
        )

    def _others(self, facts: Facts) -> list[FlowFacts]:
        """Return the flows that do not change and that would be chosen, if no other were."""
        reach = self.ranked(facts.requestor, facts.duration_seconds, facts.break_glass)
        return [flow for ask in facts.asks for near in _places(reach, ask) if (flow := _first(near, ask, facts))]

    def _may_touch(self, kept: Mapping[str, Any]) -> bool:
        """Whether one of the flows that change could give any of it, by where it lies: without reading all of it."""
        places = self.now.places.keys() | self.then.places.keys()
        if self.now.queries or self.then.queries:
            return True
        return any((one["integration_id"], one["resource_type"]) in places for one in kept["asks"])


def _facts(number: int, document: Any) -> Iterator[FlowFacts]:
    if document is not None and document["trigger"] == Trigger.SELF_SERVE:
        yield FlowFacts(number, document)


def _each(*flows: list[FlowFacts]) -> tuple[FlowFacts, ...]:
    return tuple({one.version_id: one for each in flows for one in each}.values())


def _places(reach: Reach, ask: Entitlement) -> tuple[Near, Near]:
    """Return the targets that may give it, by its place and by queries, each in the order of the flows."""
    return reach.places.get((ask.integration_id, ask.resource_type), []), reach.queries


def _first(near: Near, ask: Entitlement, facts: Facts) -> FlowFacts | None:
    """Return the first flow that gives it to these people at this time."""
    for flow, target in near:
        if target_covers(target, ask) and not any(gates(flow.document, facts)):
            return flow
    return None


def _best(reach: Reach, facts: Facts) -> list[FlowFacts]:
    """Return the flows that would be chosen of these, for each thing that is asked for."""
    found = []
    for ask in facts.asks:
        usable = [one for one in reach.covering(ask) if not any(gates(one.document, facts))]
        if usable:
            found.append(min(usable, key=lambda one: preference(one, facts)))
    return found


def _moved(facts: Facts, change: Regrouped) -> Facts:
    """Return the facts as they would be with the group changed."""
    if facts.requestor == facts.grantee:
        person = regrouped(facts.requestor, change)
        return replace(facts, requestor=person, grantee=person)
    return replace(facts, requestor=regrouped(facts.requestor, change), grantee=regrouped(facts.grantee, change))


def regrouped(person: PersonFacts, change: Regrouped) -> PersonFacts:
    """Return what is known of a person, with the group changed."""
    inside = (change.group in person.group_ids or person.id in change.joining) and person.id not in change.leaving
    inside = inside and change.name_after is not None
    ids, names = person.group_ids - {change.group}, person.group_names - {change.name}
    if inside and change.name_after is not None:
        ids, names = ids | {change.group}, names | {change.name_after}
    return replace(person, group_ids=ids, group_names=names)


def difference(before: Decision, after: Decision) -> Kind | None:
    """Return what is otherwise in a second decision on one ask."""
    if before.allowed != after.allowed:
        return Kind.ALLOWED if after.allowed else Kind.REFUSED
    if not before.allowed:
        return None
    pairs = list(zip(_by_ask(before), _by_ask(after), strict=True))
    for kind, differ in _DIFFERENCES:
        if any(differ(old, new) for old, new in pairs):
            return kind
    return None


def _by_ask(decision: Decision) -> list[Part]:
    """Return which part decides each entitlement, in one order."""
    found = [((one.resource_id, one.permission_id), part) for part in decision.parts for one in part.asks]
    return [part for _, part in sorted(found, key=lambda pair: pair[0])]


_DIFFERENCES: tuple[tuple[Kind, Callable[[Part, Part], bool]], ...] = (
    (Kind.NO_APPROVAL, lambda old, new: old.needs_approval and not new.needs_approval),
    (Kind.APPROVAL, lambda old, new: new.needs_approval and not old.needs_approval),
    (Kind.OTHER_FLOW, lambda old, new: old.flow.document["id"] != new.flow.document["id"]),
    (
        Kind.OTHER_APPROVERS,
        lambda old, new: old.needs_approval and old.flow.document["approval"] != new.flow.document["approval"],
    ),
    (Kind.OTHER_LIMIT, lambda old, new: old.max_duration_seconds != new.max_duration_seconds),
)
