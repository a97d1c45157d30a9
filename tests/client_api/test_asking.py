"""New requests by a client: what its filters come to, what is in the way, in its words, and whom for."""

from __future__ import annotations

from typing import Any

from access_requests.models import AccessRequest
from flows.models import AccessFlow
from tests.client_api.calling import Caller, ask_body
from tests.client_api.conftest import Desk
from tests.story import amend, flow, take_factor


def whole(desk: Desk, *names: str, **change: Any) -> dict[str, Any]:
    """Return an ask for databases by the ids of units."""
    pairs = [desk.story.pair(name) for name in names]
    return ask_body(filter_access_unit_ids=[f"{resource}:{permission}" for resource, permission in pairs], **change)


def test_what_is_missing_is_told_by_the_codes_and_fields_that_clients_look_for(desk: Desk) -> None:
    dry = desk.rita.post("access-requests/dry-run", whole(desk, "orders_prod", justification="", duration_in_sec=7200))
    assert dry["status"] == "FAILURE"
    assert {(one["code"], one["field"]) for one in dry["errors"]} == {
        ("FIELD_MISSING", "justification"),
        ("INVALID_DURATION", "duration_in_sec"),
    }
    (wrong,) = [one for one in dry["errors"] if one["code"] == "INVALID_DURATION"]
    assert wrong["details"]["max_duration"] == 3600
    refused = desk.rita.send("post", "access-requests", whole(desk, "orders_prod", justification=""))
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json()["errors"]] == ["justification"]
    assert AccessRequest.objects.count() == 0


def test_before_resources_are_chosen_only_what_else_is_wanted_is_told(desk: Desk) -> None:
    body = ask_body(
        filter_integration_ids=[str(desk.story.integration.pk)],
        filter_resource_type_ids=["database"],
        justification="",
    )
    dry = desk.rita.post("access-requests/dry-run", body, resource_type_only_mode="true")
    assert [(one["code"], one["field"]) for one in dry["errors"]] == [("FIELD_MISSING", "justification")]


def test_filters_name_what_fits_them_all(desk: Desk) -> None:
    where = {"filter_integration_ids": [str(desk.story.integration.pk)], "filter_permission_ids": ["READ_ONLY"]}
    every: list[tuple[dict[str, Any], set[str]]] = [
        ({"filter_resource_ids": ["orders_dev"]}, {"orders_dev"}),
        ({"filter_resources": [{"type": "search_term", "value": "prod"}]}, {"orders_prod"}),
        ({}, {"orders_prod", "orders_dev"}),
    ]
    for change, found in every:
        (name,) = desk.rita.post("access-requests", ask_body(**where, **change))["request_ids"]
        assert set(desk.rita.get(f"access-requests/{name}")["distinct_resource_names"]) == found


NOTHING_OF_THEIRS: list[dict[str, Any]] = [
    {"filter_access_unit_ids": ["nothing"]},
    {"filter_access_unit_ids": ["999999:999999"]},
    {"filter_bundle_ids": ["11111111-1111-1111-1111-111111111111"]},
    {"filter_bundle_ids": ["nothing"]},
    {"filter_resource_ids": ["999999"], "filter_permission_ids": ["READ_ONLY"]},
    {"filter_resource_ids": ["orders_dev"], "filter_permission_ids": ["ADMIN"]},
    {"filter_resource_ids": ["orders_dev"]},
    {},
]


def test_what_names_nothing_of_theirs_is_refused_and_leaves_nothing_behind(desk: Desk) -> None:
    for change in NOTHING_OF_THEIRS:
        assert desk.rita.post("access-requests/dry-run", ask_body(**change))["status"] == "FAILURE", change
        refused = desk.rita.send("post", "access-requests", ask_body(**change))
        assert refused.status_code == 422, change
        assert refused.json()["errors"], change
    assert AccessRequest.objects.count() == 0


def test_whoever_has_no_flow_gets_the_answer_of_what_does_not_exist(desk: Desk) -> None:
    theirs = desk.otto.send("post", "access-requests", whole(desk, "orders_prod"))
    nothing = desk.otto.send("post", "access-requests", ask_body(filter_access_unit_ids=["999999:999999"]))
    assert (theirs.status_code, theirs.json()) == (422, nothing.json())
    assert desk.otto.get("inventory/integrations")["data"] == []
    assert desk.otto.get("inventory/resources")["data"] == []
    assert desk.otto.get("inventory/access-units")["data"] == []


def test_others_can_be_asked_for_only_where_a_flow_says_so(desk: Desk) -> None:
    story, otto = desk.story, desk.story.cast.outsider
    body = whole(desk, "orders_prod", grantee_id=str(otto.pk))
    assert desk.rita.send("post", "access-requests", body).status_code == 404
    everybody = {"operator": "or", "conditions": [{"type": "user", "operator": "is", "values": [otto.email]}]}
    amend(AccessFlow.objects.get(), request_for={"scopes": ["self", "others"], "grantees": everybody})
    assert [one["display_name"] for one in desk.rita.get("inventory/grantees", search="otto")["data"]] == ["Otto"]
    (name,) = desk.rita.post("access-requests", body)["request_ids"]
    assert [one["id"] for one in desk.rita.get("access-requests", scope="MyDelegatedRequests")["data"]] == [name]
    assert desk.otto.get(f"access-requests/{name}")["grantee"]["source_id"] == otto.email
    assert story.cast.requester.email in str(desk.otto.get("filters/options", key="requestor_ids"))


def test_a_second_factor_is_owed_to_the_portal_for_a_token_proves_none(desk: Desk) -> None:
    take_factor(AccessFlow.objects.get())
    made = desk.rita.post("access-requests", whole(desk, "orders_prod"))
    (name,) = made["request_ids"]
    assert f"/requests/{name.removeprefix('AR-')}/second-factor/" in made["message"]
    assert desk.rita.get(f"access-requests/{name}")["status"]["status"] == "PendingMFA"
    passed = desk.rita.post("access-requests/pass-mfa")
    assert passed["affected_requests"] == {"total": 0, "access_requests_ids": []}
    assert AccessRequest.objects.get().state == "pending_mfa"


def test_the_same_can_be_asked_for_again(desk: Desk) -> None:
    first = desk.story.ask("orders_dev")
    assert desk.rita.post(f"access-requests/AR-{first.pk}/dry-run")["status"] == "SUCCESS"
    (name,) = desk.rita.post(f"access-requests/{first.pk}/request-again", {"justification": "once more"})["request_ids"]
    again = desk.rita.get(f"access-requests/{name}")
    assert (again["justification"], again["distinct_resource_names"]) == ("once more", ["orders_dev"])


def test_a_key_sent_twice_asks_once(desk: Desk) -> None:
    desk.rita.browser.defaults["HTTP_IDEMPOTENCY_KEY"] = "once"
    first, second = (desk.rita.post("access-requests", whole(desk, "orders_prod")) for _ in range(2))
    assert first == second
    assert AccessRequest.objects.count() == 1


def test_justification_is_held_against_policy_and_nothing_else(desk: Desk) -> None:
    said = desk.rita.post("justification-validation", whole(desk, "orders_prod", justification="see OPS-17"))
    assert said == {"describes_task": True, "justifies_permission_level": True, "has_ticket_id_url": True}
    said = desk.rita.post("justification-validation", whole(desk, "orders_prod", justification=""))
    assert said == {"describes_task": False, "justifies_permission_level": False, "has_ticket_id_url": False}


def test_a_token_does_what_its_scopes_say(desk: Desk) -> None:
    narrow = Caller(desk.story.cast.requester, ["end_user:access_requests:read"])
    assert narrow.get("access-requests")["data"] == []
    assert narrow.send("post", "access-requests", whole(desk, "orders_prod")).status_code == 403
    assert narrow.send("get", "inventory/resources").status_code == 403
    assert narrow.send("get", "access-sessions").status_code == 403


OTHER_SHAPES: list[Any] = [
    [],
    "text",
    {"filter_resource_ids": "orders"},
    {"filter_resource_ids": [{}]},
    {"filter_resources": [{"type": "id"}]},
    {"filter_access_unit_ids": ["x" * 800]},
    {"duration_in_sec": 10**12},
    {"duration_in_sec": "long"},
    {"custom_fields": [1]},
    {"justification": {"a": 1}},
]


def test_a_body_of_another_shape_is_a_clear_400(desk: Desk) -> None:
    for body in OTHER_SHAPES:
        for path in ("access-requests", "access-requests/dry-run", "justification-validation"):
            answer = desk.rita.send("post", path, ask_body(**body) if isinstance(body, dict) else body)
            assert answer.status_code == 400, (path, body, answer.content)
            assert answer.json()["detail"], (path, body)
    assert AccessRequest.objects.count() == 0


def test_bundles_are_asked_for_as_a_whole(desk: Desk) -> None:
    here = {"integration": str(desk.story.integration.pk), "resource_type": "database", "permissions": ["READ_ONLY"]}
    kit = {"kind": "bundle", "bundle": "22222222-2222-2222-2222-222222222222", "name": "Night shift"}
    within = [{"kind": "integration", **here, "selectors": []}]
    amend(flow(desk.story.integration, "Kits", "none"), targets=[{**kit, "targets": within}])
    (bundle,) = desk.rita.get("inventory/bundles")["data"]
    assert bundle == {"id": kit["bundle"], "name": "Night shift", "labels": {}}
    units = desk.rita.get("inventory/access-units", **{"bundle-ids": bundle["id"]})["data"]
    assert {one["resource"]["name"] for one in units} == {"orders_prod", "orders_dev"}
    (name,) = desk.rita.post("access-requests", ask_body(filter_bundle_ids=[bundle["id"]]))["request_ids"]
    desk.story.catch_up()
    (session,) = desk.rita.get("access-sessions", bundle_id=bundle["id"])["data"]
    assert session["name"].endswith(name)
    assert desk.rita.get("access-sessions", bundle_id="33333333-3333-3333-3333-333333333333")["data"] == []
