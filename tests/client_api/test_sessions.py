"""Sessions by a client: the details to connect, and credentials that are handed out once."""

from __future__ import annotations

from typing import Any

import pytest

from access_requests.api.client.sessions_shape import details_shape
from access_requests.models import AccessSession
from tests.client_api.calling import conform
from tests.client_api.conftest import Desk

MASKED = "********"


@pytest.fixture
def session(desk: Desk) -> AccessSession:
    return desk.story.session(desk.story.granted("orders_prod"))


def at(session: AccessSession) -> str:
    return f"access-sessions/{session.pk}/access-details"


NOT_WANTED: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, {}),
    ({"consumed_by": " "}, {}),
    ({"consumed_by": "cli", "format_type": "cli"}, {}),
    ({"consumed_by": "cli", "format_type": "link"}, {}),
    ({"consumed_by": "cli"}, {"Sec-Purpose": "prefetch"}),
]


def test_what_does_not_want_the_password_does_not_use_it_up(desk: Desk, session: AccessSession) -> None:
    for query, headers in NOT_WANTED:
        answer = desk.rita.browser.get(f"/api/client/v1/{at(session)}", query, headers=headers)
        assert (answer.status_code, answer.json()["json"]["password"]) == (200, MASKED), query
        assert answer["Cache-Control"] == "no-store"
    session.refresh_from_db()
    assert session.credentials_status == "AVAILABLE"
    assert desk.rita.send("head", at(session), consumed_by="cli").status_code == 405


def test_the_password_is_in_the_answer_once_and_nothing_keeps_it(desk: Desk, session: AccessSession) -> None:
    answer = desk.rita.send("get", at(session), consumed_by="cli", format_type="JSON")
    conform("get", at(session), answer)
    password = desk.story.target.passwords[session.group.login]
    assert answer.json()["json"]["password"] == password
    assert f"Password: {password}" in answer.json()["instructions"]["plain"]
    assert answer["Cache-Control"] == "no-store"
    assert "ETag" not in answer
    later = desk.rita.get(at(session), consumed_by="another")
    assert (later["json"]["password"], later["consumed_by"]) == (MASKED, "cli")
    assert "reset" in later["instructions"]["plain"]


def test_a_part_of_a_request_tells_the_same_without_the_password(desk: Desk, session: AccessSession) -> None:
    group = f"access-groups/{session.group_id}"
    told = desk.rita.get(f"{group}/details")
    assert MASKED in told["plain"]
    assert told["can_reset_credentials"] is True
    desk.rita.post(f"{group}/reset")
    session.refresh_from_db()
    assert session.credentials_status == "RESETTING"
    again = desk.rita.send("post", f"{group}/reset")
    assert (again.status_code, again.json()["detail"]) == (409, "New credentials are being made.")


def test_sessions_are_narrowed_and_grouped(desk: Desk, session: AccessSession) -> None:
    request, here = session.group.request, session.group.integration
    found: dict[str, Any] = {
        "integration_id": str(here.pk),
        "request_id": str(request),
        "credentials_id": str(session.pk),
        "integration_types": "simulated",
        "session_types": "simulated",
        "search": "SIMUL",
        "status": "active",
    }
    for name, value in found.items():
        assert [one["id"] for one in desk.rita.get("access-sessions", **{name: value})["data"]] == [str(session.pk)]
    for name in found:
        assert desk.rita.get("access-sessions", **{name: "nothing"})["data"] == [], name
    (group,) = desk.rita.get("access-session-groups", **{"sessions-page-size": 1})["data"]
    assert (group["total"], len(group["sessions"])) == (1, 1)
    template = desk.rita.get(f"access-sessions/{session.pk}/request-template")
    assert [one["name"] for one in template["resources"]] == ["orders_prod"]
    desk.rita.post(f"access-requests/{request}/revoke")
    desk.story.catch_up()
    assert desk.rita.get("access-sessions")["data"] == []
    assert desk.rita.get("access-sessions", include_disconnected="true")["data"][0]["status"] == "Disconnected"
    assert desk.rita.send("get", f"access-sessions/{session.pk}").status_code == 404


def test_text_of_a_target_stays_text_in_markdown(desk: Desk, session: AccessSession) -> None:
    session.details = {"host": "a`b", "command": "run\nmore", "uri": "https://target.example/x"}
    session.group.integration.custom_access_details = "Ask *Ada*."
    shown = details_shape(session, {"password": "``"})
    assert "- **Host**: `` a`b ``" in shown["instructions"]["markdown"]
    assert "```\nrun\nmore\n```" in shown["instructions"]["markdown"]
    assert shown["link"]["url"] == "https://target.example/x"
    assert shown["instructions"]["custom_message"] == "Ask *Ada*."
