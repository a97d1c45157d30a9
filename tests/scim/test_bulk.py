"""Many operations at once: references, limits, and what fails alone."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import PushedGroup, PushedPerson
from tests.scim.directory import BULK, ENTERPRISE, GROUP, Directory, Json, person

pytestmark = pytest.mark.django_db


def made(name: str, **more: Any) -> Json:
    return {"method": "POST", "path": "/Users", "bulkId": name, "data": person(name, **more)}


def bulk(idp: Directory, *operations: Any, **more: Any) -> Any:
    return idp.call("POST", "Bulk", {"schemas": [BULK], "Operations": list(operations), **more})


def statuses(answer: Any) -> list[str]:
    return [one["status"] for one in answer.body["Operations"]]


def test_operations_name_each_other_in_any_order() -> None:
    idp = Directory()
    members = [{"value": "bulkId:ann"}, {"value": "bulkId:bob"}]
    data = {"schemas": [GROUP], "displayName": "Ops", "members": members}
    group = {"method": "POST", "path": "/Groups", "bulkId": "ops", "data": data}
    title = {"op": "add", "path": "title", "value": "x"}
    later = {"method": "PATCH", "path": "/Users/bulkId:ann", "data": {"Operations": [title]}}
    answer = bulk(idp, later, group, made("bob", **{ENTERPRISE: {"manager": {"value": "bulkId:ann"}}}), made("ann"))
    assert statuses(answer) == ["200", "201", "201", "201"]
    ann, bob = (PushedPerson.objects.get(user_name=name) for name in ("ann", "bob"))
    assert bob.user.manager == ann.user
    assert set(PushedGroup.objects.get().group.members.all()) == {ann.user, bob.user}
    assert ann.document["title"] == "x"
    assert answer.body["Operations"][1]["location"].endswith(PushedGroup.objects.get().pk)


def test_what_waits_for_each_other_is_refused_and_nothing_else() -> None:
    idp = Directory()
    first = made("ann", **{ENTERPRISE: {"manager": {"value": "bulkId:bob"}}})
    second = made("bob", **{ENTERPRISE: {"manager": {"value": "bulkId:ann"}}})
    assert statuses(bulk(idp, first, second, made("eve"))) == ["400", "400", "201"]
    assert list(PushedPerson.objects.values_list("user_name", flat=True)) == ["eve"]


def test_errors_are_counted_and_the_rest_is_left_undone() -> None:
    idp = Directory()
    bad = made("bad", emails=[{"value": "no address"}])
    assert statuses(bulk(idp, made("a"), bad, made("b"), bad | {"bulkId": "x"}, made("c"), failOnErrors=2)) == [
        "201", "400", "201", "400",
    ]  # fmt: skip
    assert PushedPerson.objects.count() == 2
    assert statuses(bulk(idp, bad, made("d"))) == ["400", "201"]


def test_what_an_operation_lacks_is_said_in_its_place() -> None:
    idp = Directory()
    ann = idp.person("ann")
    path = f"/Users/{ann['id']}"
    answer = bulk(
        idp,
        "text", {"method": "GET", "path": path}, {"method": "POST", "path": "/Users", "data": {}},
        {"method": "POST", "path": "/Bulk", "bulkId": "b", "data": {}}, {"method": "PUT", "path": path},
        {"method": "DELETE", "path": path, "version": 'W/"7"'}, {"method": "DELETE", "path": "/Users/bulkId:none"},
        {"method": "PATCH", "path": "/Users/.search", "data": {}}, {"method": 1, "path": 2, "bulkId": 3},
        {"method": "DELETE", "path": path},
    )  # fmt: skip
    assert statuses(answer) == ["400", "400", "400", "400", "400", "412", "400", "400", "400", "204"]
    assert not PushedPerson.objects.exists()


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"Operations": []}, 400),
        ({"Operations": {}}, 400),
        ({}, 400),
        ({"Operations": [1] * 1001}, 413),
        ({"Operations": [1], "failOnErrors": "many"}, 400),
        ({"Operations": [{"bulkId": "a"}, {"bulkId": "a"}]}, 400),
    ],
)
def test_a_bulk_that_is_none_is_refused_whole(told: Json, status: int) -> None:
    assert Directory().call("POST", "Bulk", told).status == status
