"""Whatever arrives, the answer is a clear 4xx in SCIM's form, and nothing is left of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import PushedGroup, PushedPerson, User
from audit.models import AuditEntry
from tests.cast import Cast
from tests.scim.directory import CORE, ENTERPRISE, Directory, Json, person

pytestmark = pytest.mark.django_db

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "text": b'"x"',
    "not UTF-8": b'{"userName": "\xff"}',
    "deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "deep lists": b'{"userName": ' + b"[" * 900 + b"]" * 900 + b"}",
    "too large": b'{"userName": "' + b"x" * (2 * 1024 * 1024) + b'"}',
    "NaN": b'{"userName": NaN}',
    "infinite": b'{"userName": 1e999}',
    "a huge number": b'{"userName": ' + b"9" * 5000 + b"}",
    "NUL": b'{"schemas": ["' + CORE.encode() + b'"], "userName": "a\\u0000b@example.com"}',
    "half a character": b'{"userName": "\\ud800@example.com"}',
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "Users"), ("POST", "Groups"), ("POST", "Bulk"), ("PATCH", "Users/x")]
)
def test_a_body_that_is_none_is_refused(name: str, method: str, path: str) -> None:
    idp = Directory()
    entries = AuditEntry.objects.count()
    assert idp.call(method, path, BODIES[name]).status in {400, 404, 413}
    assert AuditEntry.objects.count() == entries


WRONG: list[Json] = [
    {"userName": 5}, {"userName": None}, {"userName": ""}, {"userName": " a"}, {"userName": "x" * 255},
    {"userName": ["a"]}, {"emails": "a@example.com"}, {"emails": [{"value": "a@b"}]}, {"emails": [5]},
    {"emails": [{"value": "\u212aim@example.com"}]}, {"emails": [{"value": "a@example.com\nb"}]},
    {"emails": [{"value": f"a{n}@example.com"} for n in range(60)]}, {"title": "x" * 301}, {"title": "a\x07b"},
    {"title": {"a": 1}}, {"active": "perhaps"}, {"active": {}}, {"name": "Ann"}, {"name": []}, {"schemas": "x"},
    {"schemas": ["urn:other"]}, {ENTERPRISE: []}, {ENTERPRISE: {"manager": {"value": "nobody"}}},
    {ENTERPRISE: {"manager": {"value": 5}}}, {"externalId": "x" * 301}, {"addresses": [{"locality": ["x"]}]},
    {"emails": [{"value": "a@example.com", "primary": True}, {"value": "b@example.com", "primary": True}]},
]  # fmt: skip


@pytest.mark.parametrize("told", WRONG, ids=lambda told: json.dumps(told)[:40])
def test_a_wrong_value_is_refused_and_nobody_is_made(told: Json) -> None:
    idp = Directory()
    before = User.objects.count()
    answer = idp.call("POST", "Users", person("ann") | told)
    assert answer.status == 400, answer.body
    assert (User.objects.count(), PushedPerson.objects.count()) == (before, 0)


def test_ids_of_people_who_were_not_pushed_lead_nowhere(cast: Cast) -> None:
    idp = Directory()
    ann, group = idp.person("ann"), idp.group("Ops")
    stored = PushedPerson.objects.get()
    strange = [str(cast.requester.pk), str(stored.user_id), cast.requester.pk.hex, ann["id"].upper(), "0", "../Groups",
               "%00", "x" * 3000, "\u202e", "a\nb", f"{ann['id']}/", "' or 1=1", group["id"]]  # fmt: skip
    for pk in strange:
        for method, body in (("GET", None), ("PUT", person("eve")), ("PATCH", {"Operations": []}), ("DELETE", None)):
            path = f"Users/{pk if pk == '%00' else quote(pk)}"
            if pk.endswith("/") and method != "PATCH":
                continue
            assert idp.call(method, path, body).status in {400, 404}, (pk, method)
        told = {"op": "add", "path": "members", "value": [{"value": pk}]}
        if "\n" not in pk:
            assert idp.patch(f"Groups/{group['id']}", told).status == 400
    assert idp.call("GET", f"Users/{ann['id']}").status == 200
    assert not cast.requester.groups.exists()
    assert PushedGroup.objects.get().version == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("startIndex=-5&count=-5", 200), ("startIndex=999999999999&count=1", 200), ("count=999999999", 200),
        ("startIndex=x", 400), ("count=1.5", 400), ("count=" + "9" * 400, 400), ("startIndex=" + "9" * 5000, 400),
        ("count=%D9%A1", 400), ("sortBy=nothing", 400), ("sortBy=name", 400), ("sortBy=" + "x" * 999, 400),
        ("sortOrder=up", 400), ("attributes=%00", 400), ("filter=%00", 400),
        ("filter=title%20eq%20%22%ED%A0%80%22", 200),
        ("attributes=a&excludedAttributes=b", 400), ("attributes=" + "a," * 9999, 400), ("sortBy=emails&count=0", 200),
        ("attributes=(", 400), ("sortBy=groups.value", 400), ("sortBy=meta.location", 400), ("unknown=1", 200),
        ("&".join(f"a{n}=1" for n in range(3000)), 400),
    ],
)  # fmt: skip
def test_forged_paging_and_queries_are_bounded_or_refused(query: str, status: int) -> None:
    idp = Directory()
    idp.person("ann")
    answer = idp.call("GET", f"Users?{query}")
    assert answer.status == status, answer.body
    if status == 200:
        assert answer.body["itemsPerPage"] <= 1


@pytest.mark.parametrize("told", [{"filter": 5}, {"filter": ["x"]}, {"count": {}}, {"sortBy": {}}, {"attributes": 5}])
def test_a_search_of_wrong_types_is_refused(told: Json) -> None:
    assert Directory().call("POST", "Users/.search", told).status == 400


def test_methods_and_addresses_that_are_none_are_told_apart() -> None:
    idp = Directory()
    for method, path, status in (
        ("DELETE", "Users", 405), ("PUT", "Groups", 405), ("GET", "Bulk", 405), ("POST", "Schemas", 405),
        ("GET", "Users/.search", 404), ("OPTIONS", "Users", 405), ("GET", "Me", 404), ("GET", "Users/a/b", 404),
        ("GET", "Schemas/nothing", 404), ("GET", "ResourceTypes/User", 200), ("GET", "Schemas?filter=x", 403),
    ):  # fmt: skip
        answer = idp.client.generic(method, f"/scim/v2/{path}", headers={"Authorization": f"Bearer {idp.token}"})
        assert answer.status_code in {status, 405 if path == "Users/.search" else status}, (method, path)


def test_names_that_look_alike_stay_two_and_names_that_are_alike_are_one() -> None:
    idp = Directory()
    first: Any = idp.person("x1", userName="\u00e9va")
    assert idp.call("POST", "Users", person("x2", userName="E\u0301VA")).status == 409
    assert idp.call("POST", "Users", person("x3", userName="eva")).status == 201
    assert idp.call("POST", "Users", person("x4", userName="\u0435va")).status == 201
    assert idp.found("Users", filter='userName eq "E\u0301va"')["Resources"][0]["id"] == first["id"]
