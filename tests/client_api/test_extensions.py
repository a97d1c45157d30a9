"""What the published description lacks: who would decide, and why not; and that nobody learns of others by it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from access_requests.models import AccessRequest
from flows.models import AccessFlow
from tests.client_api.calling import Caller, ask_body
from tests.client_api.conftest import Desk
from tests.story import amend, take_factor

PREVIEW, WHY_NOT = "extensions/preview", "extensions/why-not"


def wanted(desk: Desk, name: str = "orders_prod", **change: Any) -> dict[str, Any]:
    """Return a request for a database."""
    resource, permission = desk.story.pair(name)
    return ask_body(filter_access_unit_ids=[f"{resource}:{permission}"], **change)


def said(caller: Caller, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
    """Return what an extension answers with 200; the published description knows nothing of it."""
    answer = caller.send(method, path, body, **query)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def test_a_preview_says_who_decides_and_changes_nothing(desk: Desk) -> None:
    found = said(desk.rita, "post", PREVIEW, wanted(desk, duration_in_sec=600))
    (part,) = found["parts"]
    assert (found["status"], found["errors"], part["flow"]) == ("SUCCESS", [], "Databases")
    assert part["approvers"] == [{"why": "In the group approvers", "names": ["Abel"], "more": 0}]
    assert (part["duration_in_sec"], part["max_duration_in_sec"]) == (600, 3600)
    assert [one["resource"]["name"] for one in part["access_units"]] == ["orders_prod"]
    assert not AccessRequest.objects.exists()


def test_a_preview_says_what_a_flow_wants_besides(desk: Desk) -> None:
    one = AccessFlow.objects.get()
    fields = [{"key": "cost_centre", "label": "Cost centre", "kind": "text", "required": True}]
    amend(one, settings={"ticket_pattern": "INC-[0-9]{1,8}", "fields": fields})
    take_factor(one)
    found = said(desk.rita, "post", PREVIEW, wanted(desk))
    (part,) = found["parts"]
    assert [(each["key"], each["required"]) for each in part["custom_fields"]] == [
        ("ticket", True),
        ("cost_centre", True),
    ]
    assert part["second_factor_required"] is True
    assert found["status"] == "FAILURE"


def test_why_not_says_what_can_be_asked_for_and_whom_to_turn_to(desk: Desk) -> None:
    found = said(desk.rita, "get", WHY_NOT, search="orders_prod")
    (one,) = found["resources"]
    (way,) = one["ways"]
    resource, permission = desk.story.pair("orders_prod")
    assert (way["id"], way["can_ask"], way["flow"]) == (f"{resource}:{permission}", True, "Databases")
    assert way["hurdles"] == []


@pytest.mark.parametrize("name", ["orders_prod", "orders_nothing"])
def test_an_outsider_is_told_the_same_of_what_is_there_and_what_is_not(desk: Desk, name: str) -> None:
    told = said(desk.otto, "get", WHY_NOT, search=name)
    assert (told["resources"], told["has_more"]) == ([], False)
    shown = said(desk.otto, "post", PREVIEW, ask_body(filter_resource_ids=[name], filter_permission_ids=["READ_ONLY"]))
    assert (shown["status"], shown["parts"]) == ("FAILURE", [])
    own = said(desk.otto, "post", PREVIEW, wanted(desk))
    assert own["parts"] == []
    told_all = json.dumps([told, shown, own])
    assert not [word for word in ("Simulated server", "server/", "Rita", "Abel", "Databases") if word in told_all]


def test_nobody_asks_for_somebody_whom_no_flow_lets_them(desk: Desk) -> None:
    for who in ("abel@example.com", "nobody@example.com"):
        assert desk.rita.send("post", PREVIEW, wanted(desk, grantee_id=who)).status_code == 404
        assert desk.rita.send("get", WHY_NOT, search="orders", grantee_id=who).status_code == 404


def test_what_cannot_be_meant_is_refused(desk: Desk) -> None:
    assert desk.rita.send("get", WHY_NOT).status_code == 400
    assert desk.rita.send("get", WHY_NOT, search="x" * 201).status_code == 400
    assert desk.rita.send("post", PREVIEW, {"filter_resource_ids": 7}).status_code == 400
