"""The decision is a pure function: a table of cases, and a second, naive implementation as its oracle."""

from __future__ import annotations

import itertools
import random
import uuid
from dataclasses import replace
from typing import Any

import pytest

from accounts.queries import PersonFacts
from flows.decision import Facts, FlowFacts, covers, decide, fulfils, matches, words_for
from integrations.queries import Entitlement

GROUPS, CITIES, USERS = ("engineers", "dba", "on call"), ("Berlin", "Bern", "Rome"), ("rita", "abel", "ada")


def facts_of(name: str, groups: tuple[str, ...] = (), city: str = "", active: bool = True) -> PersonFacts:
    """Return a person."""
    return PersonFacts(
        id=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        email=f"{name}@example.com",
        name=name.title(),
        active=active,
        group_ids=frozenset(f"id of {group}" for group in groups),
        group_names=frozenset(groups),
        attributes=(("city", city),) if city else (),
        manager_id=None,
        manager_email=None,
    )


def entitlement(name: str, permission: str = "READ_ONLY", refusal: str = "", **tags: str) -> Entitlement:
    """Return an entitlement on a database."""
    return Entitlement(
        integration_id="pg",
        integration_name="PG",
        integration_type="postgresql",
        resource_id=sum(name.encode()),
        resource_type="database",
        resource_source_id=f"source of {name}",
        resource_name=name,
        resource_path=f"pg/{name}",
        tags=tuple(sorted(tags.items())),
        permission_id=1,
        permission_source_id=permission,
        permission_name=permission,
        refusal=refusal,
    )


def condition(kind: str, operator: str, *values: str) -> dict[str, Any]:
    return {"type": kind, "operator": operator, "source": "", "values": list(values)}


def flow(number: int = 1, **change: Any) -> FlowFacts:
    """Return a flow: engineers may read any database for an hour, somebody approves."""
    document: dict[str, Any] = {
        "id": f"flow {number}",
        "name": f"Flow {number}",
        "active": True,
        "trigger": "self_serve",
        "requestors": {"operator": "or", "conditions": [condition("group", "is", "engineers")]},
        "targets": [target()],
        "approval": {"mode": "any_of", "groups": []},
        "duration_seconds": 3600,
        "pending_seconds": 86400,
        "settings": {"justification_required": False, "self_approval": False},
    }
    return FlowFacts(number, document | change)


def target(*selectors: dict[str, Any], permissions: tuple[str, ...] = ("READ_ONLY",)) -> dict[str, Any]:
    return {
        "kind": "integration",
        "integration": "pg",
        "resource_type": "database",
        "permissions": list(permissions),
        "selectors": list(selectors),
    }


def selector(mode: str, kind: str, *values: str, key: str = "") -> dict[str, Any]:
    return {"mode": f"{mode}_resources", "type": kind, "key": key, "values": list(values)}


RITA = facts_of("rita", ("engineers",), "Berlin")


def facts(*asks: Entitlement, flows: tuple[FlowFacts, ...] = (flow(),), **more: Any) -> Facts:
    return Facts(requestor=RITA, grantee=RITA, asks=asks or (entitlement("shop"),), flows=flows, **more)


@pytest.mark.parametrize(
    ("kind", "operator", "values", "holds"),
    [
        ("group", "is", ["engineers"], True),
        ("group", "is", ["id of engineers"], True),
        ("group", "is", ["Engineers"], False),
        ("group", "is", ["dba", "engineers"], True),
        ("group", "is_not", ["dba"], True),
        ("group", "is_not", ["engineers", "dba"], False),
        ("group", "contains", ["gine"], True),
        ("group", "does_not_contain", ["gine"], False),
        ("group", "starts_with", ["eng"], True),
        ("group", "starts_with", ["gine"], False),
        ("user", "is", ["rita@example.com"], True),
        ("user", "is_not", ["rita@example.com"], False),
        ("city", "is", ["Berlin"], True),
        ("city", "is_not", ["Rome"], True),
        ("country", "is", ["Germany"], False),
        ("country", "is_not", ["Germany"], True),
        ("manager", "is", [], False),
        ("group", "sounds_like", ["engineers"], False),
    ],
)
def test_a_condition_holds_or_not(kind: str, operator: str, values: list[str], holds: bool) -> None:
    assert fulfils(condition(kind, operator, *values), RITA, RITA) is holds


def test_the_manager_is_the_requestors() -> None:
    boss = facts_of("abel")
    rita = replace(RITA, manager_id=boss.id)
    assert fulfils(condition("manager", "is"), boss, rita)
    assert not fulfils(condition("manager", "is"), facts_of("ada"), rita)
    assert not fulfils(condition("manager", "is", "ada@example.com"), boss, rita)


def test_no_conditions_mean_nobody() -> None:
    for operator in ("and", "or"):
        assert not matches({"operator": operator, "conditions": []}, RITA, RITA)


@pytest.mark.parametrize(
    ("selectors", "covered"),
    [
        ([], {"shop", "stock", "logs"}),
        ([selector("include", "name", "shop", "stock")], {"shop", "stock"}),
        ([selector("exclude", "name", "logs")], {"shop", "stock"}),
        ([selector("include", "tag", "prod", key="env")], {"shop", "logs"}),
        ([selector("include", "tag", "prod", key="env"), selector("exclude", "id", "source of logs")], {"shop"}),
        ([selector("include", "name", "SHOP")], set()),
    ],
)
def test_selectors_include_and_exclude(selectors: list[dict[str, Any]], covered: set[str]) -> None:
    asks = [entitlement("shop", env="prod"), entitlement("stock", env="dev"), entitlement("logs", env="prod")]
    document = flow(targets=[target(*selectors)]).document
    assert {ask.resource_name for ask in asks if covers(document, ask)} == covered


def test_a_target_of_a_kind_that_is_not_offered_covers_nothing() -> None:
    for kind in ("bundle", "access_scope", "query"):
        assert not covers(flow(targets=[target() | {"kind": kind}]).document, entitlement("shop"))


def test_of_flows_that_cover_the_same_the_order_of_rows_decides_nothing() -> None:
    flows = (
        flow(1),
        flow(2, duration_seconds=7200),
        flow(3, approval={"mode": "none", "groups": []}, duration_seconds=60),
    )
    for asked, chosen in ((None, 3), (60, 3), (61, 2), (7200, 2), (9000, 3)):
        for order in itertools.permutations(flows):
            (part,) = decide(facts(flows=order, duration_seconds=asked)).parts
            assert part.flow.version_id == chosen, asked


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"trigger": "automatic"},
        {"targets": []},
        {"targets": [target(permissions=("ADMIN",))]},
        {"requestors": {"operator": "or", "conditions": []}},
        {"requestors": {"operator": "and", "conditions": [condition("group", "is", "engineers", "dba")] * 1}},
    ],
)
def test_what_no_flow_states_is_not_given(change: dict[str, Any]) -> None:
    decision = decide(facts(flows=(flow(**change),)))
    given = bool(decision.parts)
    assert given is (change.get("requestors", {}).get("operator") == "and")
    assert decision.allowed is given


def test_refused_entitlements_and_disabled_people_get_nothing() -> None:
    refused = decide(facts(entitlement("shop", refusal="No role is prepared.")))
    assert [problem.message for problem in refused.problems] == ["No role is prepared."]
    gone = replace(RITA, active=False)
    assert not decide(Facts(gone, gone, (entitlement("shop"),), (flow(),))).allowed


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3600, "1 h"), (5400, "1 h 30 min"), (59, "59 s"), (90000, "1 d 1 h"), (0, "0 s"), (86400, "1 d")],
)
def test_durations_read_as_people_say_them(seconds: int, words: str) -> None:
    assert words_for(seconds) == words


def naive(person: PersonFacts, ask: Entitlement, flows: list[FlowFacts]) -> set[int]:
    """Return which flows give `ask` to `person`, written as plainly as can be, sharing nothing with the product."""
    given = set()
    for one in flows:
        document = one.document
        answers = []
        for each in document["requestors"]["conditions"]:
            held = {
                "user": {person.id, person.email},
                "group": set(person.group_ids) | set(person.group_names),
                "city": {value for kind, value in person.attributes if kind == "city"},
            }[each["type"]]
            wanted = set(each["values"])
            answers.append(
                {
                    "is": bool(held & wanted),
                    "is_not": not held & wanted,
                    "contains": any(w in h for w in wanted for h in held),
                    "does_not_contain": not any(w in h for w in wanted for h in held),
                    "starts_with": any(h[: len(w)] == w for w in wanted for h in held),
                }[each["operator"]]
            )
        joined = document["requestors"]["operator"]
        who = bool(answers) and (False not in answers if joined == "and" else True in answers)
        what = False
        for each in document["targets"]:
            names = [s["values"] for s in each["selectors"] if s["mode"] == "include_resources"]
            outs = [s["values"] for s in each["selectors"] if s["mode"] == "exclude_resources"]
            inside = ask.resource_name in sum(names, []) if names else True
            if ask.permission_source_id in each["permissions"] and inside and ask.resource_name not in sum(outs, []):
                what = True
        if who and what and document["active"]:
            given.add(one.version_id)
    return given


def a_flow(number: int, rng: random.Random) -> FlowFacts:
    """Return a flow made by chance."""
    values = {"user": [f"{name}@example.com" for name in USERS], "group": list(GROUPS), "city": list(CITIES)}
    conditions = []
    for _ in range(rng.randint(0, 3)):
        kind = rng.choice(list(values))
        operator = rng.choice(["is", "is_not", "contains", "does_not_contain", "starts_with"])
        chosen = rng.sample(values[kind], rng.randint(1, 2))
        conditions.append(condition(kind, operator, *(value[: rng.choice([2, 99])] for value in chosen)))
    names = ["shop", "stock", "logs"]
    selectors = [
        selector(rng.choice(["include", "exclude"]), "name", *rng.sample(names, rng.randint(1, 2)))
        for _ in range(rng.randint(0, 2))
    ]
    permissions = tuple(rng.sample(["READ_ONLY", "ADMIN"], rng.randint(1, 2)))
    return flow(
        number,
        active=rng.random() < 0.9,
        requestors={"operator": rng.choice(["and", "or"]), "conditions": conditions},
        targets=[target(*selectors, permissions=permissions)],
    )


def test_the_decision_agrees_with_a_naive_one(rng: random.Random) -> None:
    for _ in range(3000):
        person = facts_of(rng.choice(USERS), tuple(rng.sample(GROUPS, rng.randint(0, 2))), rng.choice([*CITIES, ""]))
        ask = entitlement(rng.choice(["shop", "stock", "logs"]), rng.choice(["READ_ONLY", "ADMIN"]))
        flows = [a_flow(number, rng) for number in range(rng.randint(0, 4))]
        decision = decide(Facts(person, person, (ask,), tuple(flows)))
        given = naive(person, ask, flows)
        assert bool(decision.parts) == bool(given)
        if decision.parts:
            assert decision.parts[0].flow.version_id in given


def test_adding_a_condition_under_and_never_widens(rng: random.Random) -> None:
    for _ in range(2000):
        one, extra = a_flow(1, rng), a_flow(2, rng)
        person = facts_of(rng.choice(USERS), tuple(rng.sample(GROUPS, rng.randint(0, 2))), rng.choice([*CITIES, ""]))
        group = {"operator": "and", "conditions": one.document["requestors"]["conditions"]}
        if not group["conditions"]:
            continue
        more = group | {"conditions": [*group["conditions"], *extra.document["requestors"]["conditions"]]}
        assert not (matches(more, person, person) and not matches(group, person, person))
