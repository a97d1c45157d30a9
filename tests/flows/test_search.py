"""What search finds is exactly what the decision gives, whatever the targets, the text and the page."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import connection

from flows.current import policy
from flows.decision import FlowFacts, Reach, covers
from flows.queries import requestable
from integrations import search as searching
from integrations.models import Connector, Integration, Permission, Resource, ResourceType, Tag
from integrations.queries import Entitlement, entitlements_on
from integrations.search import Count, Search, words_of
from tests.flows.test_decision import condition, facts_of, flow, selector
from tests.portal import making

NAMES = ("orders", "ledger", "Ledger", "100%_sure", "a\\b", "it's", "Ärger", "日本語", "orders_ledger")
SYSTEMS = ("alpha prod", "Beta", "gamma%")
KINDS = (("database", "Database"), ("table", "Tables of it"))
PERMISSIONS = ("READ_ONLY", "ADMIN")
TEXTS = ("", "l", "or", "led", "LEDGER", "prod", "tables led", "beta database", "%", "_", "\\", "'", "ärger", "日本",
         "zebra", "l e d", "orders_ledger", "ledger alpha", "7", "a/b")  # fmt: skip


def a_world(rng: random.Random) -> list[ResourceType]:
    """Make a small inventory by chance."""
    connector = Connector.objects.create(name="here")
    kinds = []
    for name in SYSTEMS:
        status = "disabled" if name == SYSTEMS[-1] and rng.random() < 0.3 else "active"
        one = Integration.objects.create(name=name, type="postgresql", connector=connector, status=status)
        kinds += [ResourceType.objects.create(integration=one, type=kind, name=label) for kind, label in KINDS]
    for place, kind in enumerate(kinds):
        for source in rng.sample(PERMISSIONS, rng.choice([0, 1, 2]) if place % 2 else 2):
            Permission.objects.create(resource_type=kind, source_id=source, name=source, risk_level=1)
        for number in range(rng.randint(6, 14)):
            _a_resource(kind, number, rng)
    return kinds


def _a_resource(kind: ResourceType, number: int, rng: random.Random) -> None:
    name = rng.choice(NAMES)
    made = Resource.objects.create(
        integration=kind.integration, resource_type=kind, source_id=f"s{number}", name=name,
        path=rng.choice([name, f"a/{name}", f"{rng.choice(NAMES)}/{name}", ""]),
        status="missing" if rng.random() < 0.1 else "active",
    )  # fmt: skip
    for key in rng.sample(["team", "env"], rng.randint(0, 2)):
        Tag.objects.create(resource=made, type=kind.type, key=key, value=rng.choice(["x", "y"]))


def a_target(kinds: list[ResourceType], rng: random.Random) -> dict[str, Any]:
    """Make a target by chance; some name what is not there, and numbers that are no ids."""
    kind = rng.choice(kinds)
    selectors = []
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        mode = rng.choice(["include", "include", "exclude"])
        ids = [str(rng.randint(1, 60)), f"s{rng.randint(0, 9)}", "007", "²", "9" * 30, "-1"]
        match rng.choice(["name", "id", "tag", "colour"]):
            case "name":
                selectors.append(selector(mode, "name", *rng.sample(NAMES, rng.randint(0, 3))))
            case "id":
                selectors.append(selector(mode, "id", *rng.sample(ids, rng.randint(0, 4))))
            case "tag":
                values = rng.sample(["x", "y", "z"], rng.randint(0, 2))
                selectors.append(selector(mode, "tag", *values, key=rng.choice(["team", "env"])))
            case other:
                selectors.append(selector(mode, other, "red"))
    return {
        "kind": "integration", "integration": str(kind.integration_id), "resource_type": kind.type,
        "permissions": rng.sample([*PERMISSIONS, "GONE"], rng.randint(0, 2)), "selectors": selectors,
    }  # fmt: skip


def some_flows(kinds: list[ResourceType], rng: random.Random) -> list[FlowFacts]:
    """Make flows by chance, some of them of bundles."""
    made = []
    for number in range(rng.randint(0, 5)):
        targets = [a_target(kinds, rng) for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.3:
            targets = [{"kind": "bundle", "bundle": f"b{number}", "name": f"Kit {number}", "targets": targets}]
        if rng.random() < 0.2:
            targets.append({"kind": "access_scope", "access_scope": "s"})
        made.append(flow(number, targets=targets))
    return made


def fits(one: Entitlement, text: str) -> bool:
    """Whether every word is somewhere, said as plainly as can be."""
    told = "\n".join((one.resource_path, one.resource_name, one.integration_name, one.resource_type_name)).lower()
    return all(word in told for word in text.lower().split())


def naively(flows: list[FlowFacts], text: str) -> list[int]:
    """Return the resources some flow gives some permission on, by asking of every entitlement there is."""
    found = {}
    resources = Resource.objects.filter(status="active").exclude(integration__status="disabled")
    for one in entitlements_on(resources.values_list("pk", flat=True)):
        if any(covers(each.document, one) for each in flows) and fits(one, text):
            found[one.resource_id] = None
    return list(found)


def test_search_finds_what_the_decision_gives(db: None, rng: random.Random) -> None:
    kinds = a_world(rng)
    seen = 0
    for _ in range(40):
        flows = some_flows(kinds, rng)
        places = requestable(Reach(flows))
        for text in rng.sample(TEXTS, 5):
            expected = naively(flows, text)
            found, more = Search(places, words_of(text)).find(0, 1000)
            assert sorted(found) == sorted(expected), (text, [one.document["targets"] for one in flows])
            assert not more
            seen += len(found)
            _pages_agree(places, text, found, rng)
    assert seen > 50


def _pages_agree(places: Any, text: str, whole: list[int], rng: random.Random) -> None:
    start, size = rng.randint(0, 5), rng.randint(1, 4)
    page, more = Search(places, words_of(text)).find(start, size)
    assert page == whole[start : start + size]
    assert more == (len(whole) > start + size)
    counted = sum(Search(places, words_of(text)).count().values(), Count(0))
    assert counted.number == len(whole)
    assert not counted.more


@pytest.mark.parametrize("rare", [True, False])
def test_both_ways_through_the_inventory_find_the_same(
    db: None, rng: random.Random, rare: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        monkeypatch.setattr(searching, "FIRST_TYPES", 1 if rare else 16)
    else:
        monkeypatch.setattr(searching, "COMMON", 10**9 if rare else -1)
    test_search_finds_what_the_decision_gives(db, rng)


def test_counting_stops_where_nobody_reads_on(db: None, cast: Any) -> None:
    made = making.integration("big", ())
    for number in range(130):
        making.resource(made, f"mart_{number:03}")
    target = {"kind": "integration", "integration": str(made.pk), "resource_type": "database",
              "permissions": ["ADMIN"], "selectors": []}  # fmt: skip
    (count,) = Search(requestable(Reach([flow(targets=[target])])), words_of("ma")).count().values()
    assert str(count) == "100+"


def test_flows_are_found_by_what_a_person_has_and_none_is_missed(rng: random.Random) -> None:
    from flows.current import Policy
    from flows.decision import matches
    from tests.flows.test_decision import CITIES, GROUPS, USERS, a_flow

    for _ in range(300):
        flows = tuple(a_flow(number, rng) for number in range(12))
        person = facts_of(rng.choice(USERS), tuple(rng.sample(GROUPS, rng.randint(0, 2))), rng.choice([*CITIES, ""]))
        expected = [one for one in flows if matches(one.document["requestors"], person, person)]
        assert list(Policy(flows).of(person)) == expected


def test_a_flow_for_managers_or_for_all_but_some_is_always_looked_at() -> None:
    from flows.current import Policy

    person = facts_of("rita", ("engineers",))
    negative = flow(1, requestors={"operator": "or", "conditions": [condition("group", "is_not", "dba")]})
    either = flow(2, requestors={"operator": "or", "conditions": [condition("group", "is", "dba"),
                                                                 condition("city", "is_not", "Rome")]})  # fmt: skip
    assert Policy((negative, either)).of(person) == (negative, either)


def test_memory_never_gives_what_was_rolled_back(fresh_database: None, cast: Any) -> None:
    from django.db import transaction

    from flows.models import AccessFlow

    made = making.flow(making.integration(), cast.requester)
    for minutes in (10, 20, 30):
        with transaction.atomic():
            AccessFlow.objects.filter(pk=made.pk).update(grant_duration_minutes=minutes)
            made.refresh_from_db()
            making.flow_actions.save(made, actor=making.system())
            (inside,) = policy().flows
            assert inside.document["duration_seconds"] == minutes * 60
            if minutes != 30:
                transaction.set_rollback(True)
        made.refresh_from_db()
        (after,) = policy().flows
        assert after.document["duration_seconds"] == (1800 if minutes == 30 else 240 * 60)
