"""Reading people."""

from __future__ import annotations

import uuid
from typing import Any

from accounts import actions, queries
from accounts.queries import PersonFacts
from audit.actor import system
from tests.cast import Cast
from tests.cast import person as somebody


def test_facts_are_all_that_is_known(cast: Cast) -> None:
    groups = [actions.create_group(name, actor=system()) for name in ("Ops", "Ops", "Staff")]
    for group in groups:
        actions.add_member(group, cast.requester, actor=system())
    actions.set_attributes(cast.requester, [("city", "Bonn"), ("city", "Berlin")], actor=system())
    actions.edit_user(cast.requester, actor=system(), manager=cast.approver)
    facts = queries.facts_of([cast.requester, cast.outsider.pk, uuid.uuid4()])
    assert set(facts) == {cast.requester.pk, cast.outsider.pk}
    assert facts[cast.requester.pk] == PersonFacts(
        id=str(cast.requester.pk),
        email="rita@example.com",
        name="Rita",
        active=True,
        group_ids=frozenset(str(group.pk) for group in groups),
        group_names=frozenset({"Ops", "Staff"}),
        attributes=(("city", "Berlin"), ("city", "Bonn")),
        manager_id=str(cast.approver.pk),
        manager_email="abel@example.com",
    )
    alone = facts[cast.outsider.pk]
    assert (alone.group_ids, alone.attributes, alone.manager_id) == (frozenset(), (), None)


def test_facts_say_who_is_disabled(cast: Cast) -> None:
    actions.disable_user(cast.requester, actor=system())
    assert not queries.facts_of([cast.requester])[cast.requester.pk].active


def test_facts_cost_three_queries_however_many_people(cast: Cast, django_assert_num_queries: Any) -> None:
    people = [somebody(f"P{number}") for number in range(30)]
    for number in (1, 30):
        with django_assert_num_queries(3):
            assert len(queries.facts_of(people[:number])) == number
    with django_assert_num_queries(0):
        assert queries.facts_of([]) == {}


def test_more_people_than_a_statement_takes_are_read_in_parts(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(queries, "_AT_ONCE", 3)
    people = [somebody(f"P{number}") for number in range(7)]
    assert set(queries.facts_of(people)) == {user.pk for user in people}


def test_people_are_found_by_name_and_address(cast: Cast) -> None:
    assert list(queries.find_users("RIT")) == [cast.requester]
    assert list(queries.find_users("abel@")) == [cast.approver]
    assert list(queries.find_users("%")) == []


def test_active_people_are_those_not_disabled(cast: Cast) -> None:
    actions.disable_user(cast.outsider, actor=system())
    assert list(queries.active_users()) == [cast.approver, cast.admin, cast.requester]
