"""What a flow gives: pure functions of its document and an entitlement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flows.choices import SelectorMode, SelectorType, TargetKind
from flows.decision.bounding import QUERIES, boundary_of, bounded, by_query, lies_within, query_of
from integrations.queries import Entitlement

Document = dict[str, Any]
Target = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """A flow version as it decides: its id, and its document (FlowVersion.document)."""

    version_id: int
    document: Document


def targets_of(document: Document) -> Iterator[Target]:
    """Return what a flow gives as integration targets and queries, as its version keeps them.

    A bundle is what was in it, a scope the query it was. Of a flow in a space, each says what holds it within.
    """
    boundary = boundary_of(document)
    for target in document["targets"]:
        within = target.get("targets", ()) if target["kind"] == TargetKind.BUNDLE else (target,)
        for one in within:
            if one["kind"] == TargetKind.INTEGRATION or one["kind"] in QUERIES:
                yield bounded(one, boundary)


class Reach:
    """What some flows give, by where it lies: an ask is held against the few targets of its place, not against all."""

    def __init__(self, flows: Iterable[FlowFacts]) -> None:
        """Sort the targets by (integration, resource type); queries may lie anywhere."""
        self.flows = tuple(flows)
        self.places: dict[tuple[str, str], list[tuple[FlowFacts, Target]]] = defaultdict(list)
        self.queries: list[tuple[FlowFacts, Target]] = []
        for flow in self.flows:
            for target in targets_of(flow.document):
                if target.get("kind") in QUERIES:
                    self.queries.append((flow, target))
                else:
                    self.places[target["integration"], target["resource_type"]].append((flow, target))

    def bundles(self) -> dict[str, Target]:
        """Return the bundles that the flows give, by id; each as the latest of their versions has it.

        What of it a flow gives, which may lie in a space, is asked with `gives`.
        """
        found = {}
        for flow in sorted(self.flows, key=lambda flow: flow.version_id):
            for target in flow.document["targets"]:
                if target["kind"] == TargetKind.BUNDLE and target.get("targets"):
                    found[target["bundle"]] = target
        return found

    def covering(self, ask: Entitlement) -> list[FlowFacts]:
        """Return the flows that give the entitlement, each once."""
        found = {flow.version_id: flow for flow, target in self._near(ask) if target_covers(target, ask)}
        return list(found.values())

    def gives(self, ask: Entitlement) -> bool:
        """Whether one of the flows gives the entitlement."""
        return any(target_covers(target, ask) for _, target in self._near(ask))

    def _near(self, ask: Entitlement) -> Iterator[tuple[FlowFacts, Target]]:
        yield from self.places.get((ask.integration_id, ask.resource_type), ())
        yield from self.queries


def covers(document: Document, ask: Entitlement) -> bool:
    """Whether one of the flow's targets gives the entitlement."""
    return any(target_covers(target, ask) for target in targets_of(document))


def target_covers(target: Target, ask: Entitlement) -> bool:
    """Whether an integration target, a scope or a query gives the entitlement, and the flow's space lets it."""
    return lies_within(target, ask) and _gives(target, ask)


def _gives(target: Target, ask: Entitlement) -> bool:
    if target.get("kind") in QUERIES:
        query = query_of(target.get("query", ""))
        return query is not None and query.holds(ask)
    if (target["integration"], target["resource_type"]) != (ask.integration_id, ask.resource_type):
        return False
    if ask.permission_source_id not in target["permissions"]:
        return False
    included = [one for one in target["selectors"] if one["mode"] == SelectorMode.INCLUDE]
    excluded = [one for one in target["selectors"] if one["mode"] == SelectorMode.EXCLUDE]
    return (not included or any(_selects(one, ask) for one in included)) and not any(
        _selects(one, ask) for one in excluded
    )


def _selects(selector: dict[str, Any], ask: Entitlement) -> bool:
    values = selector["values"]
    match selector["type"]:
        case SelectorType.NAME:
            return ask.resource_name in values
        case SelectorType.ID:
            return ask.resource_source_id in values or str(ask.resource_id) in values
        case SelectorType.TAG:
            return any(key == selector["key"] and value in values for key, value in ask.tags)
        case _:
            return False


def chooses(document: Document) -> bool:
    """Whether what a flow gives depends on what the inventory says: queries, scopes, names, tags, and what is left out.

    Then a resource may leave it, or come to it, without anybody changing the policy.
    """
    return any(
        by_query(target)
        or any(one["mode"] != SelectorMode.INCLUDE or one["type"] != SelectorType.ID for one in target["selectors"])
        for target in targets_of(document)
    )
