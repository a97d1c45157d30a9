"""PATCH does what RFC 7644 says, however the provider writes it: held against a naive model."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as some

from accounts.models import GroupMembership, PushedGroup
from tests.scim.directory import ENTERPRISE, Directory, Json

pytestmark = pytest.mark.django_db
TEXT = some.sampled_from(["x", "y", "Zoë", "long text"])
SIMPLE = ["title", "nickName", "displayName"]


class Undo(Exception):
    """Ends an example without a trace."""


def one_of_a_person() -> Any:
    """Make one operation on a person, as providers write them."""
    simple = some.tuples(some.sampled_from(["add", "Replace"]), some.sampled_from(SIMPLE), TEXT)
    gone = some.tuples(some.just("Remove"), some.sampled_from(["title", "nickName"]), some.none())
    part = some.tuples(some.just("replace"), some.sampled_from(["name.givenName", "name.familyName"]), TEXT)
    more = some.tuples(some.just("add"), some.just(f"{ENTERPRISE}:department"), TEXT)
    whole = some.tuples(
        some.just("replace"), some.none(), some.dictionaries(some.sampled_from(SIMPLE), TEXT, min_size=1)
    )
    active = some.tuples(some.just("Replace"), some.just("active"), some.sampled_from([True, False, "True", "False"]))
    return some.one_of(simple, gone, part, more, whole, active)


def naively(told: Json, op: str, path: str | None, value: Any) -> None:
    """Do one operation on a document."""
    if path is None:
        told.update(value)
    elif op.lower() == "remove":
        told.pop(path, None)
    elif path == "active":
        told["active"] = str(value) == "True"
    elif path.startswith(ENTERPRISE):
        told.setdefault(ENTERPRISE, {})["department"] = value
    elif "." in path:
        head, tail = path.split(".")
        told.setdefault(head, {})[tail] = value
    else:
        told[path] = value


def written(op: str, path: str | None, value: Any) -> Json:
    """Write an operation as JSON."""
    told: Json = {"op": op} | ({"path": path} if path else {})
    return told if op.lower() == "remove" and value is None else told | {"value": value}


@settings(max_examples=20)
@given(some.lists(some.lists(one_of_a_person(), min_size=1, max_size=3), min_size=1, max_size=4))
def test_changes_of_a_person_add_up_as_in_a_naive_model(changes: list[list[Any]]) -> None:
    with pytest.raises(Undo), transaction.atomic():
        idp = Directory()
        made = idp.person("ann")
        model = copy.deepcopy(made)
        for operations in changes:
            for one in operations:
                naively(model, *one)
            answer = idp.patch(f"Users/{made['id']}", *(written(*one) for one in operations))
            assert answer.status == 200, answer.body
        shown = idp.call("GET", f"Users/{made['id']}").body
        for told in (model, shown):
            told.pop("meta")
            told.pop("schemas")
        assert shown == model
        raise Undo


def one_of_a_group() -> Any:
    """Make one operation on a group's members: what, how it is written, and which of three people."""
    people = some.lists(some.integers(0, 2), min_size=1, max_size=3)
    ways = some.sampled_from(["add", "replace", "remove by filter", "remove by value", "remove all", "whole", "slow"])
    return some.tuples(ways, people)


def members_after(there: set[str], way: str, ids: list[str]) -> set[str]:
    """Say naively who is in the group afterwards."""
    if way in {"add", "slow"}:
        return there | set(ids)
    if way in {"replace", "whole"}:
        return set(ids)
    return set() if way == "remove all" else there - set(ids[:1] if way == "remove by filter" else ids)


def of_members(way: str, ids: list[str]) -> Json:
    """Write an operation on members."""
    entries = [{"value": each} for each in ids]
    ways: dict[str, Json] = {
        "add": {"op": "Add", "path": "members", "value": entries},
        "replace": {"op": "replace", "path": "members", "value": entries},
        "remove by filter": {"op": "remove", "path": f'members[value eq "{ids[0]}"]'},
        "remove by value": {"op": "Remove", "path": "members", "value": entries},
        "remove all": {"op": "remove", "path": "members"},
        "whole": {"op": "replace", "value": {"members": entries}},
        # With its URN there is no quick way.
        "slow": {"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": entries},
    }
    return ways[way]


@settings(max_examples=15)
@given(some.lists(some.lists(one_of_a_group(), min_size=1, max_size=3), min_size=1, max_size=4))
def test_members_come_and_go_as_in_a_naive_model(changes: list[list[Any]]) -> None:
    with pytest.raises(Undo), transaction.atomic():
        idp = Directory()
        ids = [idp.person(name)["id"] for name in "abc"]
        group, model = idp.group("Ops", ids[0]), {ids[0]}
        for operations in changes:
            told = [(way, [ids[each] for each in chosen]) for way, chosen in operations]
            for way, chosen in told:
                model = members_after(model, way, chosen)
            answer = idp.patch(f"Groups/{group['id']}", *(of_members(*one) for one in told))
            assert answer.status == 200, answer.body
            assert {one["value"] for one in answer.body.get("members", [])} == model
        stored = GroupMembership.objects.filter(group__pushed=group["id"]).values_list("user__pushed", flat=True)
        assert set(stored) == model
        raise Undo


def test_adding_one_member_reads_no_others(django_assert_max_num_queries: Any) -> None:
    idp = Directory()
    ids = [idp.person(name)["id"] for name in "ab"]
    group = idp.group("Ops", ids[0])
    operation = {"op": "add", "path": "members", "value": [{"value": ids[1]}]}
    with django_assert_max_num_queries(22):
        answer = idp.call("PATCH", f"Groups/{group['id']}?excludedAttributes=members", {"Operations": [operation]})
    assert (answer.status, "members" in answer.body) == (200, False)


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "add", "path": "members", "value": [{"value": "nobody"}]}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": " x"}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": ""}, None),
        ({"op": "remove", "path": "displayName"}, "mutability"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "jump", "path": "displayName", "value": "x"}, "invalidValue"),
        ({"op": "add", "path": "members[", "value": []}, "invalidPath"),
        ({"op": "add", "path": "members", "value": [{"value": "x", "type": "Group"}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": "x"}, None),
        ({"op": "add", "path": ["members"], "value": "x"}, None),
    ],
)
def test_what_is_wrong_with_a_change_is_said_and_nothing_is_changed(operation: Json, scim_type: str | None) -> None:
    idp = Directory()
    group = idp.group("Ops")
    right = {"op": "replace", "path": "externalId", "value": "e-2"}
    answer = idp.patch(f"Groups/{group['id']}", right, operation)
    assert answer.status == 400
    assert scim_type in {None, answer.body.get("scimType")}, answer.body
    assert PushedGroup.objects.get().external_id == ""
    assert PushedGroup.objects.get().version == 1
