"""The decision against a second one, written as plainly as can be: flows, people, times and targets by chance.

The oracle shares nothing with the product but the shape of documents.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.queries import PersonFacts
from flows.decision import Facts, FlowFacts, decide
from flows.decision.conditions import matches
from flows.decision.replay import from_json, to_json
from integrations.queries import Entitlement
from tests.flows.test_decision import CITIES, GROUPS, USERS, condition, entitlement, facts_of, selector

DAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]
QUERIES = {
    'resource_name = "shop"': lambda ask: ask.resource_name == "shop",
    'resource_tag["env"] = "prod"': lambda ask: dict(ask.tags).get("env") == "prod",
    'resource_tag["env"] != "prod"': lambda ask: dict(ask.tags).get("env") != "prod",
    'not (resource_name starts_with "s" or permission = "ADMIN")': lambda ask: (
        ask.resource_name[0] != "s" and ask.permission_source_id != "ADMIN"
    ),
    'permission in ("ADMIN", "WRITE") and resource_type = "database"': lambda ask: (
        ask.permission_source_id in {"ADMIN", "WRITE"}
    ),
}


def a_person(rng: random.Random) -> PersonFacts:
    name = rng.choice(USERS)
    made = facts_of(name, tuple(rng.sample(GROUPS, rng.randint(0, 2))), rng.choice([*CITIES, ""]), rng.random() < 0.95)
    boss = facts_of(rng.choice([one for one in USERS if one != name]))
    managed = {"manager_id": boss.id, "manager_email": boss.email} if rng.random() < 0.5 else {}
    return replace(made, outside=rng.random() < 0.15, **managed)


def an_ask(rng: random.Random) -> Entitlement:
    tags = {"env": rng.choice(["prod", "dev"])} if rng.random() < 0.7 else {}
    return entitlement(rng.choice(["shop", "stock", "logs"]), rng.choice(["READ_ONLY", "ADMIN"]), **tags)


def a_group(rng: random.Random, most: int = 3) -> dict[str, Any]:
    values = {
        "user": [f"{name}@example.com" for name in USERS],
        "group": list(GROUPS),
        "city": list(CITIES),
        "manager": [f"{name}@example.com" for name in USERS],
    }
    conditions = []
    for _ in range(rng.randint(0, most)):
        kind = rng.choice(list(values))
        operator = rng.choice(["is", "is", "is_not", "contains", "does_not_contain", "starts_with"])
        chosen = rng.sample(values[kind], 0 if kind == "manager" and rng.random() < 0.4 else rng.randint(1, 2))
        conditions.append(condition(kind, operator, *(value[: rng.choice([2, 99])] for value in chosen)))
    return {"operator": rng.choice(["and", "or"]), "conditions": conditions}


def a_target(rng: random.Random, bundles: bool = True) -> dict[str, Any]:
    match rng.choice(["integration", "integration", "query", "access_scope", "bundle" if bundles else "query"]):
        case "query":
            return {"kind": "query", "query": rng.choice(list(QUERIES))}
        case "access_scope":
            return {"kind": "access_scope", "access_scope": "1", "name": "s", "query": rng.choice(list(QUERIES))}
        case "bundle":
            inside = [a_target(rng, bundles=False) for _ in range(rng.randint(0, 2))]
            return {"kind": "bundle", "bundle": "b", "name": "b", "targets": inside}
    ways = [("name", ["shop", "stock", "logs"], ""), ("id", ["source of shop"], ""), ("tag", ["prod", "dev"], "env")]
    selectors = []
    for _ in range(rng.randint(0, 2)):
        kind, values, key = rng.choice(ways)
        chosen = rng.sample(values, rng.randint(1, len(values)))
        selectors.append(selector(rng.choice(["include", "exclude"]), kind, *chosen, key=key))
    permissions = rng.sample(["READ_ONLY", "ADMIN"], rng.randint(1, 2))
    return {
        "kind": "integration",
        "integration": "pg",
        "resource_type": rng.choice(["database", "database", "schema"]),
        "permissions": permissions,
        "selectors": selectors,
    }


def a_window(rng: random.Random) -> dict[str, Any] | None:
    if rng.random() < 0.6:
        return None
    hours = [f"{rng.randrange(24):02}:{rng.choice([0, 15, 30]):02}" for _ in range(2)]
    return {
        "start": hours[0],
        "end": hours[1],
        "days": rng.sample(DAYS, rng.randint(1, 7)),
        "time_zone": rng.choice(ZONES),
    }


def a_flow(number: int, rng: random.Random) -> FlowFacts:
    groups = [a_group(rng) | {"tier": tier} for tier in sorted(rng.choices([0, 0, 1], k=rng.randint(1, 3)))]
    mode = rng.choice(["none", "any_of", "all_of"])
    document = {
        "id": f"flow {number}",
        "name": rng.choice("abc"),
        "active": rng.random() < 0.9,
        "trigger": "self_serve" if rng.random() < 0.9 else "automatic",
        "requestors": a_group(rng),
        "request_for": {
            "scopes": rng.sample(["self", "others", "direct_reports"], rng.randint(1, 3)),
            "grantees": a_group(rng),
        },
        "targets": [a_target(rng) for _ in range(rng.randint(0, 3))],
        "approval": {"mode": mode, "groups": [] if mode == "none" else groups, "escalation_seconds": None},
        "duration_seconds": rng.choice([None, 600, 3600, 7200]),
        "pending_seconds": 86400,
        "timeframe": a_window(rng),
        "settings": {
            "justification_required": rng.random() < 0.3,
            "self_approval": False,
            "break_glass": rng.random() < 0.5,
        },
    }
    return FlowFacts(number, document)


def some_facts(rng: random.Random, *flows: FlowFacts) -> Facts:
    requestor = a_person(rng)
    grantee = requestor if rng.random() < 0.6 else a_person(rng)
    # Around the changes of the clock, too: 29 March and 25 October 2026 in Berlin, 8 March and 1 November in New York.
    month, day = rng.choice([(3, 8), (3, 29), (10, 25), (11, 1)])
    at = datetime(2026, month, day, tzinfo=UTC) + timedelta(minutes=rng.randrange(-2000, 2000))
    return Facts(
        requestor=requestor,
        grantee=grantee if grantee.id != requestor.id else requestor,
        asks=(an_ask(rng),),
        flows=flows,
        duration_seconds=rng.choice([None, 600, 3600, 99999]),
        justification=rng.choice(["", "an incident"]),
        at=at,
        break_glass=rng.random() < 0.2,
    )


def says(one: dict[str, Any], person: PersonFacts) -> bool:
    whole = one["operator"] in {"is", "is_not"}
    held = {
        "user": {person.email} | ({person.id} if whole else set()),
        "group": set(person.group_names) | (set(person.group_ids) if whole else set()),
        "city": {value for kind, value in person.attributes if kind == "city"},
        "manager": {person.manager_email} | ({person.manager_id} if whole else set()) if person.manager_id else set(),
    }[one["type"]]
    if one["type"] == "manager" and not one["values"]:
        return person.manager_id is not None
    return {
        "is": any(h == w for h in held for w in one["values"]),
        "is_not": not any(h == w for h in held for w in one["values"]),
        "contains": any(w in h for h in held for w in one["values"]),
        "does_not_contain": not any(w in h for h in held for w in one["values"]),
        "starts_with": any(h[: len(w)] == w for h in held for w in one["values"]),
    }[one["operator"]]


def is_one_of(group: dict[str, Any], person: PersonFacts) -> bool:
    answers = [says(one, person) for one in group["conditions"]]
    if person.outside:
        named = [a for a, one in zip(answers, group["conditions"], strict=True)
                 if one["operator"] == "is" and one["type"] in {"user", "group"}]  # fmt: skip
        if True not in named:
            return False
    if not answers:
        return False
    return False not in answers if group["operator"] == "and" else True in answers


def lies_in(target: dict[str, Any], ask: Entitlement) -> bool:
    if target["kind"] == "bundle":
        return any(lies_in(one, ask) for one in target["targets"])
    if target["kind"] != "integration":
        return bool(QUERIES[target["query"]](ask))
    if target["resource_type"] != "database" or ask.permission_source_id not in target["permissions"]:
        return False

    def meant(one: dict[str, Any]) -> bool:
        told = {"name": ask.resource_name, "id": ask.resource_source_id, "tag": dict(ask.tags).get(one["key"])}
        return told[one["type"]] in one["values"]

    ins = [meant(one) for one in target["selectors"] if one["mode"] == "include_resources"]
    outs = [meant(one) for one in target["selectors"] if one["mode"] == "exclude_resources"]
    return (not ins or True in ins) and True not in outs


def open_at(window: dict[str, Any] | None, at: datetime) -> bool:
    """Walk back along the clock on the wall, minute by minute, until a start or an end is met."""
    if window is None:
        return True
    wall = at.astimezone(ZoneInfo(window["time_zone"])).replace(tzinfo=None, second=0, microsecond=0)
    whole_day = window["start"] == window["end"]
    for back in range(24 * 60 + 1):
        moment = wall - timedelta(minutes=back)
        clock = f"{moment:%H:%M}"
        if clock == window["end"] and not whole_day:
            return False
        if clock == window["start"]:
            return f"{moment:%A}".upper() in window["days"]
    return False


def fits(flow: FlowFacts, facts: Facts) -> bool:
    document, ask = flow.document, facts.asks[0]
    scopes, me, them = document["request_for"]["scopes"], facts.requestor, facts.grantee
    if me.id == them.id:
        whom = "self" in scopes
    else:
        report = "direct_reports" in scopes and them.manager_id == me.id and not them.outside
        whom = report or ("others" in scopes and is_one_of(document["request_for"]["grantees"], them))
    return (
        document["active"]
        and document["trigger"] == "self_serve"
        and is_one_of(document["requestors"], me)
        and whom
        and any(lies_in(target, ask) for target in document["targets"])
        and (document["settings"]["break_glass"] or not facts.break_glass)
        and facts.at is not None
        and open_at(document["timeframe"], facts.at)
    )


def best(flows: list[FlowFacts], facts: Facts) -> FlowFacts:
    """Return the flow that has to decide, found by striking out, not by sorting."""
    left = flows
    long_enough = [f for f in left if f.document["duration_seconds"] is None
                   or (facts.duration_seconds or 0) <= f.document["duration_seconds"]]  # fmt: skip
    left = long_enough or left

    def answers(flow: FlowFacts) -> int:
        approval = flow.document["approval"]
        if approval["mode"] == "none" or facts.break_glass:
            return 0
        first = len([group for group in approval["groups"] if group["tier"] == 0])
        return max(first, 1) if approval["mode"] == "all_of" else 1

    left = [f for f in left if answers(f) == min(answers(one) for one in left)]
    endless = [f for f in left if f.document["duration_seconds"] is None]
    if endless:
        left = endless
    else:
        left = [f for f in left if f.document["duration_seconds"] == max(o.document["duration_seconds"] for o in left)]
    left = [f for f in left if f.document["name"] == min(o.document["name"] for o in left)]
    return next(f for f in left if f.document["id"] == min(o.document["id"] for o in left))


def test_the_decision_is_the_one_that_a_plain_reading_of_the_policy_gives(rng: random.Random) -> None:
    chosen = 0
    for _ in range(4000):
        facts = some_facts(rng, *(a_flow(number, rng) for number in range(rng.randint(0, 5))))
        decision = decide(facts)
        fitting = [flow for flow in facts.flows if fits(flow, facts)]
        assert bool(decision.parts) == bool(fitting)
        if fitting:
            chosen += 1
            (part,) = decision.parts
            assert part.flow is best(fitting, facts)
            assert {one.version_id for one in (part.flow, *part.rivals)} == {one.version_id for one in fitting}
        if not (facts.requestor.active and facts.grantee.active):
            assert not decision.allowed
    assert chosen > 200, "chance never met a flow that fits: the test says nothing"


def test_the_order_of_flows_never_changes_the_answer_and_kept_facts_are_decided_alike(rng: random.Random) -> None:
    for _ in range(1000):
        facts = some_facts(rng, *(a_flow(number, rng) for number in range(rng.randint(1, 5))))
        mixed = replace(facts, flows=tuple(rng.sample(facts.flows, len(facts.flows))))
        kept = from_json(to_json(facts), facts.flows)
        answers = [decide(one) for one in (facts, mixed, kept)]
        told = [[(part.flow.version_id, part.asks, part.duration_seconds) for part in one.parts] for one in answers]
        problems = [sorted((one.code, one.message) for one in answer.problems) for answer in answers]
        assert told[0] == told[1] == told[2]
        assert problems[0] == problems[1] == problems[2]


def test_nothing_is_given_that_no_flow_states_and_taking_a_flow_away_gives_nothing_new(rng: random.Random) -> None:
    for _ in range(1000):
        facts = some_facts(rng, *(a_flow(number, rng) for number in range(rng.randint(1, 4))))
        fewer = replace(facts, flows=facts.flows[1:])
        assert not (decide(fewer).parts and not decide(facts).parts)
        assert not decide(replace(facts, flows=())).parts


def test_one_more_condition_under_and_never_widens_and_one_more_exclusion_neither(rng: random.Random) -> None:
    for _ in range(2000):
        group, extra, person = a_group(rng), a_group(rng), a_person(rng)
        both = {"operator": "and", "conditions": [*group["conditions"], *extra["conditions"]]}
        alone = {"operator": "and", "conditions": group["conditions"]}
        # An outside person has to be named: the extra condition may be what names them.
        if alone["conditions"] and not person.outside:
            assert not (matches(both, person) and not matches(alone, person))
        one = a_flow(1, rng)
        facts = some_facts(rng, one)
        less = [
            target | {"selectors": [*target["selectors"], selector("exclude", "name", rng.choice(["shop", "logs"]))]}
            if target["kind"] == "integration"
            else target
            for target in one.document["targets"]
        ]
        narrowed = replace(facts, flows=(FlowFacts(1, one.document | {"targets": less}),))
        assert not (decide(narrowed).parts and not decide(facts).parts)
