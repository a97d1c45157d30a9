"""What the database counts is what the decision decides: for any condition, for any person, on both databases."""

from __future__ import annotations

import random
from typing import Any

import pytest

from accounts.models import Attribute, User
from accounts.queries import facts_of
from audit.actor import system
from flows import reach
from flows.choices import MatchOperator
from flows.decision import matches
from flows.document import compose
from flows.findings import doubts
from integrations import actions as systems
from integrations.models import Integration, Resource, ResourceType, Tag
from tests.cast import Cast, person
from tests.story import flow, put_into, simulated_provider

NAMES = ("ops", "Ops", "ops-eu", "o%s", "o_s", "a.b", "ünïcode")
# Short ones, too, that happen to stand in anybody's id.
PARTS = ("o", "O", "ops", "%", "_", "a", "e", "0", "ü", "-eu", "example")


@pytest.fixture
def crowd(db: None, cast: Cast, rng: random.Random) -> list[User]:
    """People in groups with like names, with attributes, some of them disabled."""
    people = [person(f"P{number}") for number in range(12)]
    for name in NAMES:
        put_into(name, *rng.sample(people, 4))
    for user in people:
        for value in rng.sample(NAMES, rng.randint(0, 3)):
            Attribute.objects.create(user=user, type="city", value=value)
    User.objects.filter(pk__in=[user.pk for user in rng.sample(people, 3)]).update(is_active=False)
    return list(User.objects.all())


def condition(rng: random.Random, crowd: list[User]) -> dict[str, Any]:
    kind = rng.choice(["user", "group", "city", "nothing"])
    operator = rng.choice(list(MatchOperator)).value
    one = rng.choice(crowd)
    known = [one.email, str(one.pk)] if kind == "user" else list(NAMES)
    values = rng.sample([*known, *PARTS], rng.randint(1, 2))
    return {"type": kind, "operator": operator, "source": "", "values": values}


def test_the_database_finds_exactly_those_whom_the_decision_lets_ask(crowd: list[User], rng: random.Random) -> None:
    facts = facts_of(crowd)
    for _ in range(150):
        conditions = [condition(rng, crowd) for _ in range(rng.randint(0, 3))]
        group = {"operator": rng.choice(["and", "or"]), "conditions": conditions}
        wanted = {pk for pk, one in facts.items() if one.active and matches(group, one, one)}
        assert set(reach.people(group).values_list("pk", flat=True)) == wanted, group


def test_an_id_that_happens_to_hold_a_letter_lets_nobody_in(crowd: list[User]) -> None:
    facts = facts_of(crowd)
    for operator in ("contains", "starts_with"):
        letters = {"type": "user", "operator": operator, "source": "", "values": list("0123456789-")}
        found = {one.email for one in facts.values() if matches({"operator": "or", "conditions": [letters]}, one, one)}
        assert all(any(letter in email for letter in "0123456789-") for email in found)
        assert operator == "contains" or not found


def test_a_count_stops_where_nobody_reads_on(crowd: list[User], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "COUNT_MAX", 5)
    everybody = {"operator": "or", "conditions": [{"type": "user", "operator": "contains", "values": ["@"]}]}
    assert reach.counted(reach.people(everybody)) == 6
    assert reach.in_words(6, "person", "people") == "more than 5 people"
    assert reach.in_words(1, "person", "people") == "1 person"


@pytest.fixture
def server(db: None, cast: Cast) -> Integration:
    """A server with four databases, not synced: rows are enough here."""
    with simulated_provider():
        made = systems.connect("S", "simulated", config={"hostname": "x"}, secrets={"password": "y"}, actor=system())
    kind = ResourceType.objects.get(integration=made, type="database")
    for name, team in (("a", "x"), ("b", "y"), ("c", ""), ("d", "x")):
        row = Resource.objects.create(integration=made, resource_type=kind, source_id=f"id-{name}", name=name)
        if team:
            Tag.objects.create(resource=row, type="database", key="team", value=team)
    return made


@pytest.mark.parametrize(
    ("selectors", "names"),
    [
        ([], "abcd"),
        ([("include_resources", "name", "", ["a", "c"])], "ac"),
        ([("include_resources", "tag", "team", ["x"]), ("include_resources", "name", "", ["c"])], "acd"),
        ([("exclude_resources", "tag", "team", ["x"])], "bc"),
        ([("include_resources", "tag", "team", ["x", "y"]), ("exclude_resources", "id", "", ["id-a"])], "bd"),
        ([("include_resources", "id", "", ["²", "9" * 30, "id-b"])], "b"),
        ([("include_resources", "name", "", ["nothing"])], ""),
    ],
)
def test_a_target_selects_what_its_selectors_say(server: Integration, selectors: list[Any], names: str) -> None:
    told = [dict(zip(("mode", "type", "key", "values"), one, strict=True)) for one in selectors]
    target = {"integration": str(server.pk), "resource_type": "database", "permissions": ["A", "B"], "selectors": told}
    assert "".join(reach.resources(target).order_by("name").values_list("name", flat=True)) == names
    assert reach.entitlements_of(target) == 2 * len(names)


def test_doubts_name_the_lonely_approver_and_those_without_a_manager(server: Integration, cast: Cast) -> None:
    put_into("engineers", cast.requester, cast.approver)
    put_into("approvers", cast.approver)
    cast.requester.manager = cast.admin
    cast.requester.save()
    lonely = flow(server, "Lonely")
    assert any("Only Abel" in one.text and "may ask as well" in one.text for one in doubts(compose(lonely)))
    groups = [{"operator": "or", "conditions": [{"type": "manager", "operator": "is", "values": []}]}]
    managed = flow(server, "Managed", approval={"groups": groups})
    assert any(one.text.startswith("1 person who may ask have no active manager") for one in doubts(compose(managed)))


def test_a_flow_whose_only_requestor_is_its_only_approver_is_refused(server: Integration, cast: Cast) -> None:
    put_into("engineers", cast.approver)
    put_into("approvers", cast.approver)
    with pytest.raises(ValueError, match=r"Only Abel .* may ask and only they could approve"):
        flow(server)
    flow(server, columns={"self_approval": True})


def test_doubts_name_the_empty_group_among_others(server: Integration, cast: Cast) -> None:
    put_into("engineers", cast.requester)
    put_into("approvers", cast.approver)
    groups = [
        {"operator": "or", "conditions": [{"type": "group", "operator": "is", "values": [name]}]}
        for name in ("approvers", "nobody-here")
    ]
    texts = [one.text for one in doubts(compose(flow(server, approval={"groups": groups})))]
    assert "Nobody active is in the group “nobody-here”. So nobody in approver group 2 could answer." in texts
