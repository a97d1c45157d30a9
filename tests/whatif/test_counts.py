"""Who gains and who loses is counted by the database exactly as one counts it by hand."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Group, User
from accounts.queries import PersonFacts
from accounts.regrouping import Regrouped
from flows.whatif import Change, Effect, foresee, of_documents
from flows.whatif.past import regrouped
from integrations.models import Integration
from integrations.queries import Entitlement
from tests.cast import Cast
from tests.story import simulated_provider
from tests.whatif import world

ROUNDS = 60


@pytest.fixture
def crowd(db: None, cast: Cast, rng: random.Random) -> list[User]:
    return world.people(rng)


@pytest.fixture
def servers(db: None, rng: random.Random) -> Iterator[list[Integration]]:
    with simulated_provider():
        yield world.inventory(rng)


def by_hand(
    change: Change, before: list[PersonFacts], after: list[PersonFacts], given: list[Entitlement]
) -> tuple[int, int, int, int]:
    """Return how many people gain and lose, and how many entitlements are gained and lost."""
    gain: set[str] = set()
    lose: set[str] = set()
    now: set[Any] = set()
    then: set[Any] = set()
    for flow in change.flows:
        old = world.reached(change.now(flow), before, given)
        new = world.reached(change.then(flow), after, given)
        gain |= {who for _, who, _ in new - old}
        lose |= {who for _, who, _ in old - new}
        now |= {pair for _, _, pair in old}
        then |= {pair for _, _, pair in new}
    return len(gain), len(lose), len(then - now), len(now - then)


def counted(effect: Effect) -> tuple[int, int, int, int]:
    return effect.people_gaining.count, effect.people_losing.count, effect.gained.count, effect.lost.count


def test_a_change_of_flows_is_counted_as_by_hand(
    crowd: list[User], servers: list[Integration], rng: random.Random
) -> None:
    people, given = world.known(crowd), world.all_entitlements()
    seen = set()
    for _ in range(ROUNDS):
        pairs = []
        for key in [str(uuid.uuid4()) for _ in range(rng.randint(1, 3))]:
            old, new = (world.flow(rng, key, crowd, servers) for _ in range(2))
            for part in ("requestors", "targets", "request_for", "trigger"):
                new[part] = old[part] if rng.random() < 0.4 else new[part]
            pairs.append(rng.choice([(old, new), (old, new), (None, new), (old, None)]))
        change = of_documents(pairs)
        wanted = by_hand(change, people, people, given)
        assert counted(foresee(change, at=timezone.now())) == wanted, pairs
        seen.add(tuple(bool(one) for one in wanted))
    assert len(seen) > 3


def test_a_change_of_a_group_is_counted_as_by_hand(
    crowd: list[User], servers: list[Integration], rng: random.Random
) -> None:
    people, given = world.known(crowd), world.all_entitlements()
    seen = 0
    for _ in range(ROUNDS):
        documents = [world.flow(rng, str(uuid.uuid4()), crowd, servers) for _ in range(2)]
        group = rng.choice(list(Group.objects.order_by("name")))
        inside = {str(pk) for pk in group.memberships.values_list("user", flat=True)}
        outside = {str(one.pk) for one in crowd} - inside
        told = Regrouped(
            str(group.pk), group.name, rng.choice([group.name, group.name, "dev-eu", "new", None]),
            frozenset(rng.sample(sorted(outside), rng.randint(0, 2))),
            frozenset(rng.sample(sorted(inside), rng.randint(0, len(inside)))),
        )  # fmt: skip
        about = {one["id"]: one for one in documents}
        change = Change(about, about, told)
        after = [regrouped(one, told) for one in people]
        wanted = by_hand(change, people, after, given)
        assert counted(foresee(change, at=timezone.now())) == wanted, (told, documents)
        seen += any(wanted)
    assert seen > 5
