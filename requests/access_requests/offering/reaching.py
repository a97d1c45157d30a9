"""Who asks, what the access flows give them, and what of it they may choose on some resources."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from accounts.queries import facts_of
from flows import queries as flow_queries
from flows.decision import FlowFacts, Reach, for_whom, target_covers, targets_of
from integrations.queries import Entitlement, entitlements_on
from integrations.search import Search, places

# How many entitlements of a bundle are looked for: one more than may be asked for is enough to know.
BUNDLE_MAX = 501


@dataclass(frozen=True, slots=True)
class Choice:
    """One permission on a resource that may be asked for. `refusal` says why it cannot be granted now, if so."""

    value: str
    name: str
    risk_level: int
    refusal: str


@dataclass(frozen=True, slots=True)
class Asker:
    """A person who asks, for whom, and all that the current access flows give that person by this one's ask.

    `flows` are all that name the asker, whoever it is for.
    """

    user: User
    reach: Reach
    grantee: User
    flows: tuple[FlowFacts, ...] = ()

    def given_on(self, resource_ids: Iterable[int]) -> dict[int, list[Entitlement]]:
        """Return what some flow gives on these resources, by resource, in their order. Three queries."""
        found: dict[int, list[Entitlement]] = defaultdict(list)
        for one in entitlements_on(resource_ids):
            if self.reach.gives(one):
                found[one.resource_id].append(one)
        return dict(found)

    def bundle(self, bundle_id: str) -> dict[str, Any] | None:
        """Return a bundle that some flow gives, as the flow has it."""
        return self.reach.bundles().get(bundle_id)

    def within(self, bundle: dict[str, Any]) -> list[Entitlement]:
        """Return what of a bundle can be granted now; at most BUNDLE_MAX, which is too many. Five queries."""
        targets = list(targets_of({"targets": [bundle]}))
        here = places(flow_queries.wanted_by(target) for target in targets)
        ids, _ = Search(here, ()).find(0, BUNDLE_MAX)
        found = [
            one
            for one in entitlements_on(ids)
            if not one.refusal and any(target_covers(target, one) for target in targets) and self.reach.gives(one)
        ]
        return found[:BUNDLE_MAX]


def asker(user: User) -> Asker:
    """Return the person as one who asks for themselves. Four queries."""
    facts = facts_of([user])[user.pk]
    flows = flow_queries.flows_for(facts)
    mine = [flow for flow in flows if for_whom(flow.document, facts, facts)]
    return Asker(user, Reach(mine), user, flows)


def on_behalf(who: Asker, grantee: User) -> Asker:
    """Return the same person as one who asks for somebody else. Three queries."""
    facts = facts_of([who.user, grantee])
    people = facts[who.user.pk], facts[grantee.pk]
    theirs = [flow for flow in who.flows if for_whom(flow.document, *people)]
    return Asker(who.user, Reach(theirs), grantee, who.flows)


def choices_of(given: Iterable[Entitlement]) -> tuple[Choice, ...]:
    """Return entitlements on one resource as choices, least risk first."""
    return tuple(Choice(value_of(one), one.permission_name, one.permission_risk, one.refusal) for one in given)


def value_of(one: Entitlement) -> str:
    """Return how a form names an entitlement."""
    return f"{one.resource_id}:{one.permission_id}"


def bundle_value(bundle_id: str) -> str:
    """Return how a form names a bundle."""
    return f"bundle:{uuid.UUID(bundle_id)}"
