"""What is done to requests by clients."""

from __future__ import annotations

import pytest

from access_requests.api.states import WORDS
from access_requests.choices import RequestState, in_client_api
from flows.models import AccessFlow
from tests.client_api.conftest import Desk
from tests.story import allow_extensions, amend


def test_a_no_ends_it_and_tells_why(desk: Desk) -> None:
    name = f"AR-{desk.story.ask('orders_dev').pk}"
    desk.abel.post(f"access-requests/{name}/reject", {"justification": "not now"})
    shown = desk.rita.get(f"access-requests/{name}")
    assert shown["status"]["status"] == "Rejected"
    assert shown["status"]["description"] == "not now"
    assert shown["challenge"]["approvers"][0]["status"] == "Rejected"
    assert [one["id"] for one in desk.abel.get("access-requests", scope="MyHistoricTasks")["data"]] == [name]
    assert desk.abel.get("access-requests", scope="MyTasks")["data"] == []
    again = desk.abel.send("post", f"access-requests/{name}/approve", {})
    assert (again.status_code, again.json()["status"]) == (409, 409)


def test_a_reason_is_wanted_where_the_flow_wants_one(desk: Desk) -> None:
    amend(AccessFlow.objects.get(), settings={"approver_reason_required": True})
    name = f"AR-{desk.story.ask('orders_dev').pk}"
    assert desk.rita.get(f"access-requests/{name}")["require_approver_reason"] is True
    assert desk.abel.send("post", f"access-requests/{name}/approve", {}).status_code == 409
    desk.abel.post(f"access-requests/{name}/approve", {"justification": "fine"})


def test_what_is_not_granted_yet_is_withdrawn_by_revoking_it(desk: Desk) -> None:
    name = f"AR-{desk.story.ask('orders_dev').pk}"
    desk.rita.post(f"access-requests/{name}/revoke")
    shown = desk.rita.get(f"access-requests/{name}")["status"]
    assert (shown["status"], shown["metadata"]["state"]) == ("Revoked", "cancelled")


def test_an_approver_takes_away_what_they_gave(desk: Desk) -> None:
    name = f"AR-{desk.story.granted('orders_dev').pk}"
    desk.abel.post(f"access-requests/{name}/revoke")
    desk.story.catch_up()
    assert desk.rita.get(f"access-requests/{name}")["status"]["metadata"]["end_reason"] == "revoked_by_approver"


def test_more_time_is_asked_for_and_answered_through_the_request(desk: Desk) -> None:
    allow_extensions(AccessFlow.objects.get(), 1, 600)
    desk.story.catch_up()
    name = f"AR-{desk.story.granted('orders_dev').pk}"
    before = desk.rita.get(f"access-requests/{name}")
    assert before["extend_options"] == {
        "can_extend": True,
        "extension_availability": "AVAILABLE",
        "extend_duration_in_sec": 600,
        "remaining_extensions": 1,
    }
    desk.rita.post(f"access-requests/{name}/extend")
    assert [one["id"] for one in desk.abel.get("access-requests", scope="MyTasks")["data"]] == [name]
    assert desk.rita.get(f"access-requests/{name}")["extend_options"]["extension_availability"] == "PENDING"
    desk.abel.post(f"access-requests/{name}/approve", {})
    after = desk.rita.get(f"access-requests/{name}")
    assert after["extension_count"] == 1
    assert after["revocation_time"] == pytest.approx(before["revocation_time"] + 600)
    assert desk.rita.send("post", f"access-requests/{name}/extend").status_code == 409


def test_favourites_are_found_again(desk: Desk) -> None:
    kept, other = (f"AR-{desk.story.ask(name).pk}" for name in ("orders_dev", "orders_prod"))
    assert desk.rita.post(f"access-requests/{kept}/favorite", {"favorite": True})["favorite"] is True
    assert [one["id"] for one in desk.rita.get("access-requests", favorite_only="true")["data"]] == [kept]
    assert desk.rita.post(f"access-requests/{kept}/favorite", {"favorite": False})["favorite"] is False
    assert {one["id"] for one in desk.rita.get("access-requests")["data"]} == {kept, other}


def test_the_list_narrows_and_pages(desk: Desk) -> None:
    story = desk.story
    first, second = (f"AR-{story.ask(name).pk}" for name in ("orders_dev", "orders_prod"))
    desk.rita.post(f"access-requests/{first}/revoke")
    ids = lambda **query: [one["id"] for one in desk.rita.get("access-requests", **query)["data"]]  # noqa: E731
    assert ids() == [second, first]
    assert ids(statuses="pending") == [second]
    assert ids(statuses=["Revoked", "Failed"]) == [first]
    assert ids(request_ids=f"{first},{second}") == [second, first]
    assert ids(grantee_ids=str(story.cast.approver.pk)) == []
    assert ids(requestor_ids=str(story.cast.requester.pk), limit=1, skip=1) == [first]
    paging = desk.rita.get("access-requests", limit=1)["pagination"]
    assert paging == {"limit": 1, "offset": 0, "has_more": True}
    assert desk.rita.get("access-requests", limit=5000)["pagination"]["limit"] == 1000
    assert desk.rita.get("access-requests", access_units_summary_limit=0)["data"][0]["access_units_summary"] == []
    for query in ({"statuses": "Nothing"}, {"limit": "many"}, {"skip": -1}, {"scope": "Everybody"}):
        assert desk.rita.send("get", "access-requests", **query).status_code == 400


def test_every_state_has_a_word_of_the_contract() -> None:
    words = {in_client_api(state) for state in RequestState}
    assert words == set(WORDS)
    assert words == {
        "Initializing", "PendingMFA", "Pending", "Granting", "Active", "Revoking", "Revoked", "Failed", "Rejected",
    }  # fmt: skip


def test_filters_tell_what_occurs_in_ones_own_lists(desk: Desk) -> None:
    desk.story.ask("orders_dev")
    (system,) = desk.rita.get("filters/integrations", scope="MyRequests")["data"]
    assert system["name"] == "Simulated server"
    assert [
        one["display_name"] for one in desk.abel.get("filters/options", key="requestor", scope="MyTasks")["data"]
    ] == ["Rita"]
    assert desk.rita.get("filters/options", key="integration_ids", search="nothing")["data"] == []
    assert {one["id"] for one in desk.rita.get("filters/options", key="statuses")["data"]} == set(WORDS)
    assert desk.rita.send("get", "filters/options", key="nothing").status_code == 400
