"""What the database selects, what `holds` says and what a naive evaluator says are one and the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from integrations.aql import DEPTH_MAX, Query, parse, selected
from integrations.aql.tree import merged
from integrations.queries import entitlements
from integrations.search import Search, Wanted, gathering, places, words_of
from tests.aql import world
from tests.aql.cases import a_query


def agree(rng: random.Random, inventories: int, queries: int) -> None:
    """Ask three judges of everything."""
    found = 0
    for _ in range(inventories):
        pairs = world.make(rng)
        values = world.values(pairs, rng)
        known = entitlements((one.pk, each.pk) for one, each in pairs)
        for _ in range(queries):
            query = parse(str(a_query(rng, values)))
            expected = [(one.pk, each.pk) for one, each in pairs if world.naively(query.root, one, each)]
            held = [(one.resource_id, one.permission_id) for one in known if query.holds(one)]
            assert held == expected, str(query)
            assert selected(query).page() == expected, str(query)
            found += bool(expected) and len(expected) < len(pairs)
    assert found > inventories * queries / 5


def test_three_judges_agree(db: None, rng: random.Random) -> None:
    agree(rng, 15, 100)


@pytest.mark.full
def test_three_judges_agree_ten_thousand_times(db: None, rng: random.Random) -> None:
    agree(rng, 50, 200)


def what_may_be_asked_for(rng: random.Random, inventories: int, queries: int) -> None:
    seen = 0
    for _ in range(inventories):
        pairs = world.make(rng)
        values = world.values(pairs, rng)
        there = [(one, each) for one, each in pairs if one.status == "active" and one.integration.status != "disabled"]
        for _ in range(queries):
            some = [a_query(rng, values, depth=rng.choice([1, 2, 3])) for _ in range(rng.choice([1, 1, 2, 3]))]
            expected = {one.pk for one, each in there for query in some if world.naively(query.root, one, each)}
            here = places([Wanted(query=query) for query in some])
            found, more = Search(here, ()).find(0, 1000)
            assert sorted(found) == sorted(expected), [str(one) for one in some]
            assert not more
            counts = list(Search(here, ()).count().values())
            known = sum(one.number for one in counts)
            # What nobody counts says so; all the rest is exact.
            assert known <= len(expected) if any(one.more for one in counts) else known == len(expected)
            _pages_agree(here, rng, found)
            _grantable_agrees(some[0], there)
            seen += len(found)
    assert seen > inventories * queries


def test_a_query_merged_selects_the_same_with_less(rng: random.Random) -> None:
    text = 'resource="1" or not (integration!="a" and integration not_in ("b", "a")) or resource in ("2", "1")'
    assert str(merged(parse(text).root).parts) == str(
        parse('resource in ("1", "2") or not integration not_in ("a", "b")').root.parts
    )


def _pages_agree(here: Any, rng: random.Random, whole: list[int]) -> None:
    start, size = rng.randint(0, 5), rng.randint(1, 4)
    page, more = Search(here, ()).find(start, size)
    assert page == whole[start : start + size]
    assert more == (len(whole) > start + size)
    text = rng.choice(["orders", "a", "aws", "zebra", "database e"])
    told = {
        one.pk: f"{one.path}\n{one.name}\n{one.integration.name}\n{one.resource_type.name}".lower()
        for one in world.Resource.objects.filter(pk__in=whole).select_related("integration", "resource_type")
    }
    expected = [pk for pk in whole if all(word in told[pk] for word in text.split())]
    assert Search(here, words_of(text)).find(0, 1000)[0] == expected


def _grantable_agrees(query: Query, there: list[Any]) -> None:
    expected = [(one.pk, each.pk) for one, each in there if world.naively(query.root, one, each)]
    chosen = selected(query, grantable=True)
    assert chosen.count() == len(expected)
    assert list(chosen.pairs()) == expected
    assert chosen.page(size=3) == expected[:3]
    if len(expected) > 2:
        assert chosen.page(expected[1], 2) == expected[2:4]
        assert chosen.count(1) == 2


@pytest.mark.parametrize("gathered", [5_000, 3, 0])
def test_what_may_be_asked_for_is_what_queries_select(
    db: None, rng: random.Random, monkeypatch: pytest.MonkeyPatch, gathered: int
) -> None:
    monkeypatch.setattr(gathering, "CANDIDATES_MAX", gathered)
    what_may_be_asked_for(rng, 5, 30)


@pytest.mark.full
def test_what_may_be_asked_for_is_what_queries_select_in_many_worlds(db: None, rng: random.Random) -> None:
    what_may_be_asked_for(rng, 40, 100)


def _many(joined: str, *terms: str) -> str:
    return joined.join(term.replace("#", str(number)) for number, term in enumerate(terms))


DEEP = DEPTH_MAX - 1
LARGE = {
    "many tags": _many(" or ", *['resource_tag["k"]="#"'] * 300),
    "many tags of many keys": _many(" or ", *['resource_tag["#"]="#"'] * 300),
    "many tags left out of many keys": _many(" and ", *['resource_tag["#"]!="#"'] * 300),
    "many of two tags": _many(" or ", *['resource_tag["#"]="#" and resource_tag["b"]="#"'] * 150),
    "many tags together": _many(" and ", *['resource_tag["k"]="#"'] * 270),
    "many tags left out": _many(" and ", *['resource_tag["k"]!="#"'] * 300),
    "many integrations": _many(" or ", *['integration="#"'] * 400),
    "many of all kinds": _many(" or ", *['permission="#"and resource_context["k"]="#"'] * 180),
    "many values": "resource_name in (" + ",".join(f'"{number}"' for number in range(999)) + ")",
    "deep": 'not (resource_status="a" and ' * DEEP + 'resource_path contains "a"' + ")" * DEEP,
    "deep to the right": '(resource="1" or resource="2" and ' * DEEP + 'resource_tag["a"] contains "a"' + ")" * DEEP,
    "deep to the left": "(" * DEEP + 'resource_context["env"] contains "a"'
                        + ' or resource="2" and resource="3")' * DEEP,
    "deep and no": 'not (resource="1" or not (resource_tag["env"]="2" and ' * (DEEP // 2)
                   + 'permission contains "R"' + "))" * (DEEP // 2),
    "wide and deep": '(resource="1" or resource="2" or resource_path="x" and ' * DEEP + 'resource="3"' + ")" * DEEP
                     + " or " + _many(" or ", *['resource="#"and resource_name="b"'] * 150),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_the_largest_queries_are_answered(db: None, rng: random.Random, name: str) -> None:
    pairs = world.make(rng)
    query = parse(LARGE[name])
    expected = [(one.pk, each.pk) for one, each in pairs if world.naively(query.root, one, each)]
    assert list(selected(query).pairs()) == expected
    assert selected(query).count() == len(expected)
    there = {one.pk for one, each in pairs if one.status == "active" and one.integration.status != "disabled"
             and world.naively(query.root, one, each)}  # fmt: skip
    search = Search(places([Wanted(query=query), Wanted(query=parse('resource_tag["env"] starts_with "gone"'))]), ())
    assert set(search.find(0, 100)[0]) == there


def test_many_places_and_large_queries_are_not_too_many_values(db: None, rng: random.Random) -> None:
    world.make(rng)
    one = world.Integration.objects.exclude(status="disabled").first() or world.Integration.objects.get()
    world.Integration.objects.filter(pk=one.pk).update(status="active")
    for number in range(60):
        kind = world.ResourceType.objects.create(integration=one, type=f"type {number}", name="A")
        world.Permission.objects.create(resource_type=kind, source_id="READ", name="Read")
        world.Resource.objects.create(
            integration=one, resource_type=kind, source_id="s", name=f"here {number}", path=""
        )
    text = (
        " and ".join(f'resource_tag["k"]!="{number}"' for number in range(290)) + ' and resource_name contains "here "'
    )
    search = Search(places([Wanted(query=parse(text))]), ())
    found, more = search.find(0, 100)
    assert len(found) == 60
    assert not more
    assert sum(count.number for count in search.count().values()) == 60, "what a page has read is known"
    # Unread, nobody counts what a large query selects: that there is some is all that is said.
    assert {str(count) for count in Search(search.places, ()).count().values()} == {""}
