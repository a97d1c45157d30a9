"""Sessions and what is available, by people's programs; credentials are handed out once."""

from __future__ import annotations

import pytest

from access_requests.models import AccessSession
from access_requests.offering import matching
from accounts.rest.wildcards import fits
from audit.actor import system
from integrations import actions as integration_actions
from tests.story import database
from tests.user_api.calling import BUNDLES, ENTITLEMENTS, SESSIONS
from tests.user_api.conftest import Desk
from tests.user_api.test_requests import for_others

MASKED = "********"


@pytest.fixture
def session(desk: Desk) -> AccessSession:
    return desk.story.session(desk.story.granted("orders_prod"))


def test_what_is_held_is_listed_and_shown(desk: Desk, session: AccessSession) -> None:
    (found,) = desk.rita.get(SESSIONS)["items"]
    assert found == desk.rita.get(f"{SESSIONS}/{session.pk}")
    assert found["request_ids"] == [str(session.group.request)]
    assert (found["credentials_status"], found["can_reset_credentials"]) == ("AVAILABLE", True)
    for name, value in {
        "integration_id": str(desk.story.integration.pk),
        "request_ids": str(session.group.request),
    }.items():
        assert desk.rita.get(SESSIONS, **{name: value})["items"] == [found]
        assert desk.rita.get(SESSIONS, **{name: "nothing"})["items"] == []
    other = desk.story.session(desk.story.granted("orders_dev"))
    assert {one["id"] for one in desk.rita.every(SESSIONS, limit=1)} == {str(session.pk), str(other.pk)}


def test_credentials_are_handed_out_once_to_a_program_that_names_itself(desk: Desk, session: AccessSession) -> None:
    at = f"{SESSIONS}/{session.pk}/access-details"
    password = desk.story.target.passwords[session.group.login]
    for query, headers in (({}, {}), ({"consumed_by": " "}, {}), ({"consumed_by": "me"}, {"Purpose": "prefetch"})):
        assert desk.rita.send("get", at, headers=headers, **query).json()["parameters"]["password"] == MASKED
    assert desk.rita.browser.head(at, {"consumed_by": "me"}).status_code == 405
    answer = desk.rita.send("get", at, consumed_by="me")
    assert answer.json()["parameters"]["password"] == password
    assert password in answer.json()["instructions"]
    assert (answer["Cache-Control"], "ETag" in answer) == ("no-store", False)
    assert password not in desk.rita.send("get", at, consumed_by="me").content.decode()
    session.refresh_from_db()
    assert (session.credentials_status, session.consumed_by) == ("VIEWED", "me")


def test_credentials_are_reset_by_their_grantee(desk: Desk, session: AccessSession) -> None:
    at = f"{SESSIONS}/{session.pk}/reset-credentials"
    assert desk.rita.post(at)["message"]
    assert desk.rita.get(f"{SESSIONS}/{session.pk}")["credentials_status"] == "RESETTING"
    assert desk.rita.send("post", at).status_code == 409
    desk.settle()
    assert desk.rita.get(f"{SESSIONS}/{session.pk}")["credentials_status"] == "AVAILABLE"


def test_entitlements_that_can_be_asked_for_are_found_by_names_with_wildcards(desk: Desk) -> None:
    every = desk.rita.every(ENTITLEMENTS, limit=1)
    assert {one["resource"]["name"] for one in every} == {"orders_dev", "orders_prod"}
    assert {one["permission"]["source_id"] for one in every} == {"READ_ONLY"}
    both, prod = {"orders_dev", "orders_prod"}, {"orders_prod"}
    found: list[tuple[dict[str, str], set[str]]] = [
        ({"resource_name": "orders_prod"}, prod),
        ({"resource_name": "orders"}, set()),
        ({"resource_name": "*PROD"}, prod),
        ({"resource_name": "ord*"}, both),
        ({"integration_name": "Simulated *"}, both),
        ({"integration_name": "Simulated"}, set()),
        ({"integration_id": str(desk.story.integration.pk), "resource_type_id": "database"}, both),
        ({"integration_id": "nothing"}, set()),
        ({"resource_type_id": "table"}, set()),
        ({"permission_name": "read*"}, both),
        ({"permission_name": "write*"}, set()),
    ]
    for query, names in found:
        assert {one["resource"]["name"] for one in desk.rita.every(ENTITLEMENTS, **query)} == names, query


def test_a_long_list_is_read_some_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "CHUNK", 2)
    monkeypatch.setattr(matching, "CHUNKS_MAX", 1)
    names = {f"more_{number}" for number in range(7)}
    desk.story.target.databases += [database(name) for name in names]
    integration_actions.sync(desk.story.integration, actor=system(), at=desk.story.now)
    desk.story.work()
    for size in (1, 2, 3, 100):
        found = [one["resource"]["name"] for one in desk.rita.every(ENTITLEMENTS, limit=size)]
        assert sorted(found) == sorted({*names, "orders_dev", "orders_prod"}), size
    page = desk.rita.get(ENTITLEMENTS, resource_name="orders_prod")
    assert [one["resource"]["name"] for one in page["items"]] == ["orders_prod"]


def test_what_is_available_is_told_for_whom_one_may_ask(desk: Desk) -> None:
    otto = desk.story.cast.outsider.email
    for path in (BUNDLES, ENTITLEMENTS):
        assert desk.rita.send("get", path, grantee=otto).status_code == 404
    for_others(desk)
    assert len(desk.rita.get(ENTITLEMENTS, grantee=otto)["items"]) == 2


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ("Orders", "Orders", True),
        ("Orders", "orders", False),
        ("Orders", "orders*", True),
        ("Orders", "*d*r*", True),
        ("Orders", "o*o", False),
        ("aXbXc", "a*b*c", True),
        ("ab", "ab*ab", False),
        ("a%_", "*%_", True),
        ("", "*", True),
        ("a" * 500, "*a" * 100 + "*b", False),
    ],
)
def test_a_star_stands_for_anything_and_the_rest_for_itself(text: str, pattern: str, found: bool) -> None:
    assert fits(text, pattern) is found
