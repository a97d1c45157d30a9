"""Everybody sees only what is theirs, and whatever is sent, the answer is clear and nothing is left behind."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator

from access_requests.api.older.urls import urlpatterns as older
from access_requests.api.user.urls import urlpatterns as own
from access_requests.models import AccessRequest, AccessSession
from accounts.choices import Role
from accounts.models import IdempotentAnswer, User
from audit.actor import system
from audit.models import AuditEntry
from integrations import actions as integration_actions
from tests.cast import person
from tests.story import database
from tests.user_api.calling import ACTIVITY, BULK, BUNDLES, DELEGATED, ENTITLEMENTS, OLDER, REQUESTS, SESSIONS, Caller
from tests.user_api.conftest import Desk, service
from tests.user_api.test_requests import for_others

AGAIN = {"justification": "x", "custom_fields": {}}
# Addresses that name one thing: method, and what a program sends.
THEIRS: dict[tuple[str, str], Any] = {
    ("get", f"{REQUESTS}/{{request}}"): None,
    ("get", f"{REQUESTS}/{{request}}/entitlements"): None,
    ("post", f"{REQUESTS}/{{request}}/request-again"): AGAIN,
    ("post", f"{REQUESTS}/{{request}}/revoke"): None,
    ("get", f"{DELEGATED}/{{delegated}}"): None,
    ("get", f"{SESSIONS}/{{session}}"): None,
    ("get", f"{SESSIONS}/{{session}}/access-details"): None,
    ("post", f"{SESSIONS}/{{session}}/reset-credentials"): None,
    ("get", f"{OLDER}/{{request}}"): None,
    ("get", f"{OLDER}/{{request}}/access-details"): None,
    ("post", f"{OLDER}/{{request}}/reset"): None,
}
LISTS = (SESSIONS, REQUESTS, DELEGATED, BUNDLES, ENTITLEMENTS, OLDER, ACTIVITY)
SECRETS = ("orders_prod", "orders_dev", "Rita", "rita@", "Simulated server", "AR-")


@pytest.fixture
def names(desk: Desk) -> dict[str, str]:
    """Rita's access with a password nobody has seen, and a request of hers for Abel."""
    for_others(desk)
    request = desk.story.granted("orders_prod")
    delegated = desk.story.ask("orders_dev", grantee=person("Gita", Role.GRANTEE))
    session = desk.story.session(request)
    return {"request": f"AR-{request.pk}", "delegated": f"AR-{delegated.pk}", "session": str(session.pk)}


def untouched() -> list[Any]:
    """Return all that a call could change."""
    return [
        *AccessRequest.objects.order_by("pk").values_list("pk", "state"),
        *AccessSession.objects.values_list("pk", "credentials_status"),
        AuditEntry.objects.exclude(action__startswith="token.").count(),
        IdempotentAnswer.objects.count(),
    ]


def test_an_outsider_gets_nothing_of_it_and_changes_nothing(desk: Desk, names: dict[str, str]) -> None:
    before = untouched()
    nothing = {"request": "AR-999999", "delegated": "AR-999998", "session": str(uuid.uuid4())}
    for (method, path), body in THEIRS.items():
        theirs, none = (desk.otto.send(method, path.format(**one), body, consumed_by="me") for one in (names, nothing))
        assert (theirs.status_code, none.status_code) == (404, 404), path
        assert theirs.json() == none.json(), path
    for path in LISTS:
        told = json.dumps(desk.otto.get(path))
        assert not [word for word in SECRETS if word in told], path
    for body in ({"request_ids": [names["request"]]}, {"request_ids": ["AR-999999"]}):
        assert desk.otto.send("post", BULK, body).status_code == 404
    asked = desk.otto.send("post", REQUESTS, desk.wanted())
    unknown = desk.otto.send("post", REQUESTS, desk.wanted(entitlements=[{"resource_id": "0", "permission_id": "0"}]))
    assert (asked.status_code, asked.json()) == (422, unknown.json())
    assert desk.otto.send("post", OLDER, desk.older()).status_code == 404
    assert desk.otto.send("post", OLDER, desk.older(user_id=desk.story.cast.outsider.email)).status_code == 422
    assert untouched() == before


def test_an_approver_or_admin_has_no_part_in_what_people_hold(desk: Desk, names: dict[str, str]) -> None:
    before = untouched()
    for caller in (desk.abel, desk.ada):
        for (method, path), body in THEIRS.items():
            answer = caller.send(method, path.format(**names), body, consumed_by="me")
            if path.startswith("/api/user/"):
                assert answer.status_code == 404, path
            elif "{request}/" in path:
                assert answer.status_code == 403, path
            else:
                assert answer.status_code == (200 if caller is desk.ada else 404), path
    assert untouched() == before


def test_a_service_is_told_that_these_addresses_are_for_people(desk: Desk, names: dict[str, str]) -> None:
    watcher = service(desk.story.cast, Role.ADMIN)
    for path in (SESSIONS, REQUESTS, DELEGATED, BUNDLES, ENTITLEMENTS, f"{REQUESTS}/{names['request']}"):
        answer = watcher.send("get", path)
        assert (answer.status_code, answer.json()["code"]) == (403, "personal_token_needed"), path


def test_every_address_is_in_the_tables() -> None:
    known = {path.format(request="*", delegated="*", session="*") for _, path in THEIRS} | {*LISTS, BULK}
    there = {f"/{pattern.pattern}".replace("<str:pk>", "*") for pattern in (*own, *older)}
    assert there == known
    assert len(there) == 19


def test_our_own_document_tells_of_every_address(capsys: pytest.CaptureFixture[str]) -> None:
    generator = SchemaGenerator(patterns=[*own, *older])  # type: ignore[no-untyped-call]
    document = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    assert "Warning" not in capsys.readouterr().err
    assert len(document["paths"]) == 19
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["description"].partition("\n")[0], (method, path)
            assert "200" in operation["responses"], (method, path)
    schemas = document["components"]["schemas"]
    assert schemas["OwnRequest"]["properties"]["creation_date"] == {"type": "string", "format": "date-time"}
    assert "next_page_token" in schemas["OwnNextPage"]["properties"]
    assert set(schemas["OlderCounted"]["required"]) == {"limit", "offset", "total"}


def deep(levels: int) -> Any:
    """Return lists in lists."""
    found: Any = "x"
    for _ in range(levels):
        found = [found]
    return found


ODD: list[Any] = [
    [],
    "text",
    7,
    {"entitlements": "all"},
    {"entitlements": [7]},
    {"entitlements": []},
    {"entitlements": [{"resource_id": "1"}]},
    {"entitlements": [{"resource_id": "x" * 800, "permission_id": "1"}]},
    {"entitlements": [{"resource_id": "1", "permission_id": "1"}] * 501},
    {"bundle_reference": "both"},
    {"custom_fields": [1]},
    {"custom_fields": {"a": {"b": "c"}}},
    {"custom_fields": {str(number): "x" for number in range(201)}},
    {"custom_fields": deep(40)},
    {"justification": {"a": 1}},
    {"justification": "x" * 10_001},
    {"justification": "a\0b"},
    {"justification": "\ud800"},
    {"duration_in_sec": 0},
    {"duration_in_sec": -5},
    {"duration_in_sec": 10**12},
    {"duration_in_sec": "long"},
    {"duration_in_sec": True},
    {"duration_in_sec": 1.5},
    {"grantee": ["x"]},
    {"grantee": "x" * 300},
]
ODD_OLDER: list[Any] = [
    [],
    {"user_id": None},
    {"user_id": {}},
    {"integration_id": "x" * 300},
    {"resource_ids": []},
    {"resource_ids": "orders"},
    {"resource_ids": ["x" * 800]},
    {"resource_ids": ["x"] * 501},
    {"permissions": [None]},
    {"permissions": []},
    {"justification": "a\0b"},
    {"duration_in_sec": 10**30},
]
ODD_ENDED: list[Any] = [
    {},
    [],
    {"request_ids": []},
    {"request_ids": "AR-1"},
    {"request_ids": [{}]},
    {"request_ids": ["AR-1"] * 201},
    {"request_ids": ["9" * 100]},
]


def test_a_body_of_another_shape_is_a_clear_refusal_and_leaves_nothing_behind(
    desk: Desk, names: dict[str, str]
) -> None:
    before = untouched()
    again = f"{REQUESTS}/{names['request']}/request-again"
    sent: list[tuple[str, Any, Any]] = [(REQUESTS, desk.wanted(), body) for body in ODD]
    sent += [(OLDER, desk.older(), body) for body in ODD_OLDER]
    sent += [(BULK, None, body) for body in ODD_ENDED]
    odd_again: list[Any] = [[], {"justification": 7 * [1]}, {"custom_fields": 7}]
    sent += [(again, AGAIN, body) for body in odd_again]
    for path, good, change in sent:
        whole = isinstance(change, dict) and isinstance(good, dict)
        body = {**good, **change} if whole else change
        key = {"Idempotency-Key": uuid.uuid4().hex}
        answer = desk.rita.send("post", path, body, headers=key)
        assert answer.status_code == 400, (path, str(change)[:200], answer.content)
    large = desk.rita.browser.post(REQUESTS, "[" + "1," * 600_000 + "1]", "application/json")
    assert large.status_code == 413
    assert desk.rita.browser.post(REQUESTS, "{", "application/json").status_code == 400
    assert desk.rita.browser.post(REQUESTS, {"a": "b"}).status_code == 415
    assert untouched() == before


def test_odd_addresses_and_forged_tokens_are_a_clear_refusal(desk: Desk, names: dict[str, str]) -> None:
    odd_ids = ("nothing", "AR-0", "9" * 40, "٣", "AR-1 OR 1=1", "%00", "%ED%A0%80")
    for (method, path), body in THEIRS.items():
        for name in odd_ids:
            answer = desk.rita.send(method, path.format(request=name, delegated=name, session=name), body)
            assert answer.status_code in {400, 404}, (path, name)
    forged = signing.dumps(["[]", [1]], salt="another", compress=True)
    good = desk.rita.get(REQUESTS, limit=1)["pagination"]["next_page_token"]
    for path in LISTS[:5]:
        for token in ("x", forged, good[:-2], "x" * 30_000, *([good] if path != REQUESTS else [])):
            assert desk.rita.send("get", path, page_token=token).status_code == 400, (path, token[:60])
        for limit in ("0", "many", "9" * 30):
            assert desk.rita.send("get", path, limit=limit).status_code == 400, (path, limit)
    for path in LISTS[5:]:
        for query in ({"limit": "0"}, {"offset": "-1"}, {"offset": "9" * 30}, {"days_offset": "x", "start_date": "x"}):
            assert desk.rita.send("get", path, **query).status_code == 400, (path, query)
    assert desk.rita.get(REQUESTS, limit=5000)["pagination"] == {"next_page_token": None}
    for name in ("*" * 60, "%", "_", "[a-z]*", "\\"):
        assert desk.rita.get(ENTITLEMENTS, resource_name=name)["items"] in ([], desk.rita.get(ENTITLEMENTS)["items"])


def test_a_token_does_what_its_scopes_say(desk: Desk, names: dict[str, str]) -> None:
    reader = Caller(desk.story.cast.requester, ["end_user:access_requests:read"])
    assert len(reader.get(REQUESTS)["items"]) == 2
    refused = [("post", REQUESTS), ("get", SESSIONS), ("get", ENTITLEMENTS), ("post", BULK)]
    refused += [
        ("get", f"{OLDER}/{names['request']}/access-details"),
        ("post", f"{REQUESTS}/{names['request']}/revoke"),
    ]
    for method, path in refused:
        answer = reader.send(method, path, {} if method == "post" else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope"), path


# Of these, one is everywhere: the token. That it was used is written once a minute, not here.
COUNTS = {SESSIONS: 2, REQUESTS: 6, DELEGATED: 6, BUNDLES: 5, ENTITLEMENTS: 11, OLDER: 7, ACTIVITY: 8}


def taken(desk: Desk) -> dict[str, int]:
    found = {}
    for path in COUNTS:
        desk.rita.get(path)
        with CaptureQueriesContext(connection) as queries:
            desk.rita.get(path)
        found[path] = len(queries)
    return found


def test_lists_take_as_many_queries_with_one_row_as_with_many(desk: Desk, names: dict[str, str]) -> None:
    assert taken(desk) == COUNTS
    story = desk.story
    story.target.databases += [database(f"more_{number}") for number in range(4)]
    integration_actions.sync(story.integration, actor=system(), at=story.now)
    story.work()
    for number in range(4):
        story.granted(f"more_{number}")
        story.ask(f"more_{number}", grantee=User.objects.get(name="Gita"))
    assert len(desk.rita.get(REQUESTS)["items"]) == 10
    assert taken(desk) == COUNTS
