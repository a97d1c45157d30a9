"""The flows that are current, kept ready in memory. What is kept is found by its digest, so it cannot be out of date.

Two thousand documents take long to read and to parse; which of them are current is one small query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from accounts.queries import PersonFacts
from flows.choices import ConditionType, LogicalOperator, MatchOperator, Trigger
from flows.decision.conditions import matches
from flows.decision.covering import Document, FlowFacts
from flows.models import AccessFlow, FlowVersion

# How many documents one query reads.
_AT_ONCE = 500
Key = tuple[str, str]


class Policy:
    """Active flows of one trigger, findable by what a person has: group, address, attribute."""

    def __init__(self, flows: tuple[FlowFacts, ...]) -> None:
        """Put each flow under one value that a requestor must have; those without such a value are always looked at."""
        self.flows = flows
        self._under: dict[Key, list[int]] = defaultdict(list)
        self._always: list[int] = []
        for number, flow in enumerate(flows):
            keys = _needed(flow.document["requestors"])
            if keys is None:
                self._always.append(number)
            for key in keys or ():
                self._under[key].append(number)

    def of(self, person: PersonFacts) -> tuple[FlowFacts, ...]:
        """Return the flows whose requestors the person is one of."""
        plausible = {number for key in _held(person) for number in self._under.get(key, ())}
        candidates = [self.flows[number] for number in sorted({*plausible, *self._always})]
        return tuple(flow for flow in candidates if matches(flow.document["requestors"], person))


def _needed(group: dict[str, Any]) -> list[Key] | None:
    """Return values one of which whoever fulfils the group must have; None when there is no telling.

    With "or", whoever fulfils it fulfils one of the conditions; with "and", the first condition on an equality will do.
    """
    every = [_wanted(condition) for condition in group["conditions"]]
    if group["operator"] == LogicalOperator.AND:
        return next((keys for keys in every if keys is not None), None)
    if any(keys is None for keys in every):
        return None
    return [key for keys in every for key in keys or ()]


def _wanted(condition: dict[str, Any]) -> list[Key] | None:
    kind = str(condition["type"])
    if condition["operator"] != MatchOperator.IS or kind == ConditionType.MANAGER:
        return None
    return [(kind, value) for value in condition["values"]]


def _held(person: PersonFacts) -> Iterable[Key]:
    yield from ((ConditionType.USER.value, value) for value in (person.id, person.email))
    yield from ((ConditionType.GROUP.value, value) for value in {*person.group_ids, *person.group_names})
    yield from person.attributes


Current = tuple[tuple[int, str], ...]
# By trigger; what is kept is replaced as a whole, so that threads see one or the other.
_documents: dict[Trigger, dict[str, Document]] = {}
_last: dict[Trigger, tuple[Current, Policy]] = {}


def policy(trigger: Trigger = Trigger.SELF_SERVE) -> Policy:
    """Return the current flows of a trigger. One query; more only for documents that are not in memory yet."""
    rows = AccessFlow.objects.filter(active=True, trigger=trigger, current__isnull=False)
    current = tuple(rows.order_by("pk").values_list("current_id", "current__digest"))
    known, last = _last.get(trigger, ((), Policy(())))
    if known == current:
        return last
    made = Policy(tuple(FlowFacts(version, document) for version, document in _read(trigger, current)))
    _last[trigger] = (current, made)
    return made


def documents() -> tuple[FlowFacts, ...]:
    """Return the current version of every flow, also of those that are off or automatic. For those who read policy."""
    rows = FlowVersion.objects.filter(pk__in=AccessFlow.objects.filter(current__isnull=False).values("current"))
    return tuple(FlowFacts(pk, document) for pk, document in rows.order_by("pk").values_list("pk", "document"))


def _read(trigger: Trigger, current: Current) -> list[tuple[int, Document]]:
    """Return the documents of versions, read where they are not in memory; what is current no more is forgotten."""
    kept = _documents.get(trigger, {})
    found = {digest: kept[digest] for _, digest in current if digest in kept}
    missing = [version for version, digest in current if digest not in found]
    for start in range(0, len(missing), _AT_ONCE):
        read = FlowVersion.objects.filter(pk__in=missing[start : start + _AT_ONCE])
        found.update(read.values_list("digest", "document"))
    _documents[trigger] = found
    # A version that was deleted between the two queries is not there: it gives nothing.
    return [(version, found[digest]) for version, digest in current if digest in found]
