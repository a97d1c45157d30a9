"""Whatever happens in whatever order, it ends in what a naive look at every person and every flow says."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from access_requests.actions import automatic
from accounts import actions as people
from accounts.models import Group, GroupMembership, User
from audit.actor import system
from flows import actions as flow_actions
from flows.models import AccessFlow, AutomaticRun
from integrations.models import Resource, Tag
from tests.automatic.giving import automatic_flow, holdings, members_of, naive, named, target, work
from tests.cast import person
from tests.story import Story

GROUPS = ("red", "green", "blue")


@pytest.fixture
def world(bare: Story) -> Story:
    """Six more people, three groups."""
    for number in range(6):
        person(f"P{number}")
    for name in GROUPS:
        Group.objects.create(name=name)
    return bare


def moves(story: Story, rng: random.Random) -> list[Callable[[], object]]:
    """Return what may happen: to people, to flows, to the inventory, and on the clock."""
    user, group = rng.choice(list(User.objects.all())), Group.objects.get(name=rng.choice(GROUPS))
    flow = AccessFlow.objects.order_by("?").first()
    name = flow.name if flow and rng.random() < 0.6 else f"Flow {rng.randint(0, 3)}"
    known = AccessFlow.objects.filter(name=name).first()
    return [
        lambda: people.add_member(group, user, actor=system()),
        lambda: people.add_member(group, user, actor=system()),
        lambda: people.remove_member(group, user, actor=system()),
        lambda: switch_person(story, user),
        lambda: people.set_attributes(user, [("shift", rng.choice(["day", "night"]))], actor=system()),
        lambda: automatic_flow(
            story.integration, name, flow=known, targets=some_targets(story, rng), requestors=some_people(rng)
        ),
        lambda: flow and flow_actions.set_active(flow, rng.random() < 0.5, actor=system()),
        lambda: retag(rng, str(story.integration.pk)),
        step_once,
        step_once,
        lambda: work(story) if rng.random() < 0.3 else None,
    ]


def switch_person(story: Story, user: User) -> None:
    if user != story.cast.admin:
        (people.disable_user if user.is_active else people.enable_user)(user, actor=system())


def some_people(rng: random.Random) -> dict[str, object]:
    if rng.random() < 0.3:
        conditions = [{"type": "shift", "operator": rng.choice(["is", "is_not"]), "values": ["night"]}]
        return {"operator": "and", "conditions": conditions}
    return members_of(*rng.sample(GROUPS, rng.randint(1, 2)))


def some_targets(story: Story, rng: random.Random) -> list[dict[str, object]]:
    if rng.random() < 0.4:
        return [{"kind": "query", "query": 'resource_tag["env"] = "prod" and permission = "ADMIN"'}]
    chosen = named(*rng.sample(["orders_prod", "orders_dev"], rng.randint(1, 2)))
    return [
        target(story.integration, selectors=chosen, permissions=rng.choice([["READ_ONLY"], ["READ_ONLY", "ADMIN"]]))
    ]


def retag(rng: random.Random, integration_id: str) -> None:
    """Say of a database that it is something else, as a sync would."""
    one = rng.choice(list(Resource.objects.filter(resource_type__type="database")))
    Tag.objects.filter(resource=one, key="env").update(value=rng.choice(["prod", "dev"]))
    automatic.inventory_changed(integration_id)


def step_once() -> None:
    run = AutomaticRun.objects.filter(finished_at__isnull=True).order_by("moved_at").first()
    if run is not None:
        automatic.step(run)


def test_any_order_of_changes_and_steps_ends_in_what_should_be(
    world: Story, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automatic, "PEOPLE", 2)
    monkeypatch.setattr(automatic, "CHANGES", 1)
    something = 0
    for _ in range(6):
        for _ in range(14):
            rng.choice(moves(world, rng))()
        work(world)
        assert holdings() == naive()
        something += len(naive())
    assert something > 0


def test_two_thousand_people_and_twenty_flows(bare_rows: tuple[list[User], list[AccessFlow]]) -> None:
    """Nobody’s target is asked anything here."""
    users, flows = bare_rows
    while automatic.sweep_runs(seconds=60):
        pass
    for flow in flows:
        assert flow.runs.get().given == len(users) // 400
    assert holdings() == naive()
    GroupMembership.objects.filter(user__in=users[:20]).delete()
    automatic.sweep_flows()
    while automatic.sweep_runs(seconds=60):
        pass
    assert holdings() == naive()


@pytest.fixture
def bare_rows(bare: Story) -> tuple[list[User], list[AccessFlow]]:
    """2,000 people, 20 groups of five of them, and a flow for each group."""
    users = User.objects.bulk_create(User(email=f"u{n}@example.com", name=f"U{n}") for n in range(2000))
    groups = Group.objects.bulk_create(Group(name=f"team{n}") for n in range(20))
    GroupMembership.objects.bulk_create(
        GroupMembership(group=group, user=user) for n, group in enumerate(groups) for user in users[n::400]
    )
    flows = [automatic_flow(bare.integration, one.name, requestors=members_of(one.name)) for one in groups]
    return users, flows
