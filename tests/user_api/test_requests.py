"""Requests by people's programs: asked for, read, ended, made for others."""

from __future__ import annotations

import datetime
from typing import Any

from access_requests.models import AccessRequest
from tests.story import amend, flow
from tests.user_api.calling import BUNDLES, DELEGATED, REQUESTS
from tests.user_api.conftest import Desk


def for_others(desk: Desk) -> None:
    everybody = {
        "operator": "or",
        "conditions": [{"type": "user", "operator": "is_not", "source": "", "values": ["x"]}],
    }
    amend(desk.flow, request_for={"scopes": ["self", "others"], "grantees": everybody})


def test_a_request_is_asked_for_granted_and_handed_back(desk: Desk) -> None:
    (made,) = desk.rita.post(REQUESTS, desk.wanted(duration_in_sec=600))
    assert (made["status"], made["duration_in_sec"], made["justification"]) == ("Pending", 600, "an incident")
    assert (made["requestor"], made["grantee"], made["bundle"], made["revocation_date"]) == (None, None, None, None)
    assert datetime.datetime.fromisoformat(made["creation_date"]).tzinfo
    (group,) = made["access_groups"]
    assert group["integration"] == {"id": str(desk.story.integration.pk), "name": "Simulated server"}
    assert group["resource_types"][0]["id"] == "database"
    desk.story.approve(AccessRequest.objects.get())
    desk.story.catch_up()
    at = f"{REQUESTS}/{made['id']}"
    assert desk.rita.get(at)["status"] == "Active"
    (asked,) = desk.rita.get(f"{at}/entitlements")["items"]
    assert (asked["resource"]["name"], asked["permission"]["name"]) == ("orders_prod", "Read only")
    assert asked["status"] == "Active"
    assert desk.rita.post(f"{at}/revoke")["message"]
    desk.story.catch_up()
    assert desk.rita.get(at)["status"] == "Revoked"
    assert desk.rita.get(at)["revocation_date"]
    assert desk.rita.send("post", f"{at}/revoke").status_code == 409
    (again,) = desk.rita.post(f"{at}/request-again", {"justification": "once more", "custom_fields": {}})
    assert (again["duration_in_sec"], again["justification"]) == (600, "once more")


def test_things_are_named_by_our_ids_or_the_targets_own(desk: Desk) -> None:
    resource, permission = desk.story.pair("orders_prod")
    for pair in ((str(resource), "READ_ONLY"), ("orders_prod", str(permission)), ("orders_prod", "Read only")):
        one = {"resource_id": pair[0], "permission_id": pair[1]}
        (made,) = desk.rita.post(REQUESTS, desk.wanted(entitlements=[one]))
        (asked,) = desk.rita.get(f"{REQUESTS}/{made['id']}/entitlements")["items"]
        assert asked["resource"]["id"] == str(resource)


def test_what_policy_says_against_it_is_told_by_field_and_leaves_nothing_behind(desk: Desk) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"justification": ""}, "justification"),
        ({"duration_in_sec": 7200}, "duration_in_sec"),
        ({"entitlements": [{"resource_id": "nothing", "permission_id": "READ_ONLY"}]}, "entitlements"),
        ({"entitlements": [{"resource_id": "orders_prod", "permission_id": "ADMIN"}]}, "entitlements"),
        ({"entitlements": None, "bundle_reference": "nothing"}, "bundle_reference"),
    ]
    for change, field in refused:
        answer = desk.rita.send("post", REQUESTS, desk.wanted(**change))
        assert answer.status_code == 422, (change, answer.content)
        assert field in {one["field"] for one in answer.json()["errors"]}, change
    assert AccessRequest.objects.count() == 0


def test_a_bundle_is_named_by_id_or_name(desk: Desk) -> None:
    here = {"integration": str(desk.story.integration.pk), "resource_type": "database", "permissions": ["READ_ONLY"]}
    kit = {"kind": "bundle", "bundle": "22222222-2222-2222-2222-222222222222", "name": "Night shift"}
    within = [{"kind": "integration", **here, "selectors": []}]
    amend(flow(desk.story.integration, "Kits", "none"), targets=[{**kit, "targets": within}])
    assert desk.rita.get(BUNDLES, name="night*")["items"] == [{"id": kit["bundle"], "name": kit["name"]}]
    assert desk.rita.get(BUNDLES, name="day*")["items"] == []
    for reference in (kit["bundle"], kit["name"]):
        (made,) = desk.rita.post(REQUESTS, desk.wanted(entitlements=None, bundle_reference=reference))
        assert len(desk.rita.get(f"{REQUESTS}/{made['id']}/entitlements")["items"]) == 2


def test_a_request_for_somebody_else_is_told_to_both(desk: Desk) -> None:
    cast = desk.story.cast
    assert desk.rita.send("post", REQUESTS, desk.wanted(grantee=cast.outsider.email)).status_code == 404
    for_others(desk)
    (made,) = desk.rita.post(REQUESTS, desk.wanted(grantee=cast.outsider.email))
    otto = {"id": str(cast.outsider.pk), "source_id": cast.outsider.email}
    assert (made["requestor"], made["grantee"]) == (None, otto)
    (told,) = desk.rita.get(DELEGATED, grantee=cast.outsider.email)["items"]
    assert (told["id"], told["grantee"]) == (made["id"], otto)
    assert desk.rita.get(DELEGATED, grantee=cast.approver.email)["items"] == []
    assert desk.rita.get(f"{DELEGATED}/{made['id']}")["requestor"] is None
    theirs = desk.otto.get(f"{REQUESTS}/{made['id']}")
    assert (theirs["requestor"]["source_id"], theirs["grantee"]) == (cast.requester.email, None)
    assert desk.otto.get(REQUESTS, requestor=cast.requester.email)["items"] == [theirs]
    assert desk.otto.get(REQUESTS, requestor=str(cast.approver.pk))["items"] == []
    # Otto holds it, and made it for nobody.
    assert desk.otto.send("get", f"{DELEGATED}/{made['id']}").status_code == 404
    own = desk.rita.post(REQUESTS, desk.wanted("orders_dev"))[0]["id"]
    assert desk.rita.send("get", f"{DELEGATED}/{own}").status_code == 404


def test_lists_are_paged_by_token_and_narrowed_by_status(desk: Desk) -> None:
    made = [
        desk.rita.post(REQUESTS, desk.wanted(name))[0]["id"] for name in ("orders_dev", "orders_prod", "orders_dev")
    ]
    desk.rita.post(f"{REQUESTS}/{made[0]}/revoke")
    assert [one["id"] for one in desk.rita.every(REQUESTS, limit=1)] == made[::-1]
    assert [one["id"] for one in desk.rita.every(REQUESTS, statuses=["pending", "PendingMFA"])] == made[:0:-1]
    first = desk.rita.get(REQUESTS, limit=1, statuses="Pending")["pagination"]["next_page_token"]
    # Some clients send their filters with the first page only; a token is nobody else's, and of no other list.
    assert desk.rita.get(REQUESTS, page_token=first, limit=5)["items"][0]["id"] == made[1]
    assert desk.abel.send("get", REQUESTS, page_token=first).status_code == 400
    assert desk.rita.send("get", DELEGATED, page_token=first).status_code == 400
    assert desk.rita.send("get", REQUESTS, page_token=first, statuses="Failed").status_code == 400
    assert desk.rita.send("get", REQUESTS, statuses="Sleeping").status_code == 400


def test_entitlements_of_a_request_are_narrowed_and_paged(desk: Desk) -> None:
    both = desk.wanted("orders_dev")["entitlements"] + desk.wanted("orders_prod")["entitlements"]
    (made,) = desk.rita.post(REQUESTS, desk.wanted(entitlements=both))
    at = f"{REQUESTS}/{made['id']}/entitlements"
    assert {one["resource"]["name"] for one in desk.rita.every(at, limit=1)} == {"orders_dev", "orders_prod"}
    here = str(desk.story.integration.pk)
    for query in ({"integration_ids": here}, {"resource_types": "database"}, {"statuses": "pending"}):
        assert len(desk.rita.every(at, **query)) == 2, query
        name = next(iter(query))
        assert desk.rita.send("get", at, **{name: "Failed"}).json().get("items") == [], name
    assert desk.rita.send("get", at, statuses="odd").status_code == 400


def test_the_same_post_with_its_key_is_done_once(desk: Desk) -> None:
    key = {"Idempotency-Key": "mine"}
    first = desk.rita.send("post", REQUESTS, desk.wanted(), headers=key)
    again = desk.rita.send("post", REQUESTS, desk.wanted(), headers=key)
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
    assert AccessRequest.objects.count() == 1
    assert desk.rita.send("post", REQUESTS, desk.wanted("orders_dev"), headers=key).status_code == 422


def test_a_poll_that_finds_nothing_new_is_short(desk: Desk) -> None:
    (made,) = desk.rita.post(REQUESTS, desk.wanted())
    at = f"{REQUESTS}/{made['id']}"
    tag = {"If-None-Match": desk.rita.send("get", at)["ETag"]}
    assert desk.rita.send("get", at, headers=tag).status_code == 304
    desk.story.approve(AccessRequest.objects.get())
    assert desk.rita.send("get", at, headers=tag).status_code == 200
