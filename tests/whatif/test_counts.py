"""Who gains and who loses is counted by the database exactly as one counts it by hand."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import timedelta
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


def test_an_outside_person_who_reports_to_the_one_who_may_ask_is_reached_as_another(
    crowd: list[User], servers: list[Integration], rng: random.Random
) -> None:
    chief, guest = (one for one in crowd if one.name in {"P1", "P2"})
    guest.manager, guest.is_active, guest.is_outside = chief, True, True
    guest.invited_by, guest.leaves_at = chief, timezone.now() + timedelta(days=9)
    guest.save()
    User.objects.filter(pk=chief.pk).update(is_active=True, is_outside=False)
    named = {
        who: {
            "operator": "and",
            "conditions": [{"type": "user", "operator": "is", "source": "", "values": [who.email]}],
        }
        for who in (chief, guest)
    }
    before = world.flow(rng, str(uuid.uuid4()), crowd, servers) | {"active": True, "trigger": "self_serve"}
    before["requestors"] = named[chief]
    before["request_for"] = {"scopes": ["direct_reports", "others"], "grantees": named[guest]}
    before["targets"] = [world.integration_target(rng, servers) | {"permissions": ["READ_ONLY"], "selectors": []}]
    after = before | {"request_for": {"scopes": ["others"], "grantees": named[guest]}}
    for pair in ((before, after), (after, before)):
        effect = foresee(of_documents([pair]), at=timezone.now())
        touched = [*effect.people_gaining.first, *effect.people_losing.first]
        assert not any(guest.email in one for one in touched)
    reached = foresee(of_documents([(None, after)]), at=timezone.now()).people_gaining.first
    assert any(guest.email in one for one in reached)
