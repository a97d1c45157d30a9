"""Older addresses about requests: whose token sees what, a new request, several ended at once, and activity."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from access_requests.models import AccessRequest, AccessSession
from access_requests.reports.fields import NAMES
from accounts.choices import Role, TokenScope
from tests.story import flow, unit
from tests.user_api.calling import ACTIVITY, BULK, OLDER, Caller
from tests.user_api.conftest import Desk, service
from tests.user_api.test_requests import for_others

PROD = {unit("orders_prod")}


def test_a_request_is_made_shown_connected_reset_and_ended(desk: Desk) -> None:
    made = desk.rita.post(OLDER, desk.older(duration_in_sec=600))
    request = AccessRequest.objects.get()
    assert made == {
        "request_id": str(request.pk),
        "friendly_request_id": f"AR-{request.pk}",
        "user_id": str(desk.story.cast.requester.pk),
        "status": "PENDING",
        "integration_id": str(desk.story.integration.pk),
        "resource_ids": [str(desk.story.pair("orders_prod")[0])],
        "permissions": ["READ_ONLY"],
        "justification": "an incident",
    }
    at = f"{OLDER}/{request.pk}"
    assert desk.rita.get(f"{OLDER}/AR-{request.pk}") == desk.rita.get(at) == made
    assert desk.rita.send("get", f"{at}/access-details").status_code == 409
    desk.story.approve(request)
    desk.story.catch_up()
    assert desk.rita.get(at)["status"] == "GRANTED"
    password = desk.story.target.passwords[AccessSession.objects.get().group.login]
    assert password not in desk.rita.get(f"{at}/access-details")["details"]
    answer = desk.rita.send("get", f"{at}/access-details", consumed_by="me")
    assert password in answer.json()["details"]
    assert answer["Cache-Control"] == "no-store"
    assert password not in desk.rita.get(f"{at}/access-details", consumed_by="me")["details"]
    desk.rita.post(f"{at}/reset")
    assert desk.rita.send("post", f"{at}/reset").status_code == 409
    desk.settle()
    assert AccessSession.objects.get().credentials_status == "AVAILABLE"


def test_what_cannot_be_asked_for_is_told_by_field_and_leaves_nothing_behind(desk: Desk) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"resource_ids": ["nothing"]}, "resource_ids"),
        ({"resource_ids": ["orders_prod", "nothing"]}, "resource_ids"),
        ({"permissions": ["ADMIN"]}, "resource_ids"),
        ({"permissions": ["READ_ONLY", "ADMIN"]}, "permissions"),
        ({"integration_id": "nothing"}, "resource_ids"),
        ({"justification": ""}, "justification"),
    ]
    for change, field in refused:
        answer = desk.rita.send("post", OLDER, desk.older(**change))
        assert answer.status_code == 422, (change, answer.content)
        assert field in {one["field"] for one in answer.json()["errors"]}, (change, answer.content)
    assert desk.rita.send("post", OLDER, desk.older(user_id=desk.story.cast.outsider.email)).status_code == 404
    assert AccessRequest.objects.count() == 0


def test_one_asks_for_somebody_else_where_a_flow_says_so(desk: Desk) -> None:
    for_others(desk)
    otto = desk.story.cast.outsider
    made = desk.rita.post(OLDER, desk.older(user_id=otto.email))
    assert made["user_id"] == str(otto.pk)
    assert AccessRequest.objects.get().requestor == desk.story.cast.requester


def test_what_would_be_several_requests_is_refused_as_a_whole(desk: Desk) -> None:
    here = {"integration": str(desk.story.integration.pk), "resource_type": "database", "permissions": ["READ_ONLY"]}
    flow(desk.story.integration, "Admins", targets=[{**here, "permissions": ["ADMIN"]}])
    answer = desk.rita.send("post", OLDER, desk.older(permissions=["READ_ONLY", "ADMIN"]))
    assert (answer.status_code, answer.json()["code"]) == (422, "several_requests")
    assert AccessRequest.objects.count() == 0


def test_admins_see_all_requests_others_their_own_and_scopes_narrow_that(desk: Desk) -> None:
    request = desk.story.ask("orders_dev")
    seen = {
        desk.rita: 1,
        desk.abel: 0,
        desk.otto: 0,
        desk.ada: 1,
        Caller(desk.story.cast.admin, [TokenScope.REQUESTS_READ]): 0,
        service(desk.story.cast, Role.VIEWER, scopes=[TokenScope.ADMIN_READ]): 1,
    }
    for caller, number in seen.items():
        for path in (OLDER, ACTIVITY):
            answer = caller.get(path)
            assert (len(answer["data"]), answer["pagination"]["total"]) == (number, number)
        assert caller.send("get", f"{OLDER}/{request.pk}").status_code == (200 if number else 404)


def test_the_list_counts_and_is_narrowed_by_days_and_person(desk: Desk) -> None:
    first, second = desk.story.ask("orders_dev"), desk.story.ask("orders_prod")
    AccessRequest.objects.filter(pk=first.pk).update(requested_at=timezone.now() - timedelta(days=9))
    AccessRequest.objects.filter(pk=second.pk).update(requested_at=timezone.now())
    page = desk.rita.get(OLDER, limit=1, offset=1)
    assert [one["request_id"] for one in page["data"]] == [str(first.pk)]
    assert page["pagination"] == {"total": 2, "limit": 1, "offset": 1}
    assert [one["request_id"] for one in desk.rita.get(OLDER, days_offset=7)["data"]] == [str(second.pk)]
    rita = desk.story.cast.requester
    for user, number in ((str(rita.pk), 2), (rita.email, 2), (desk.story.cast.approver.email, 0), ("nothing", 0)):
        assert desk.rita.get(OLDER, user_id=user)["pagination"]["total"] == number, user


def test_several_requests_are_ended_together_or_not_at_all(desk: Desk) -> None:
    held, waits = desk.story.granted("orders_prod"), desk.story.ask("orders_dev")
    hers = [f"AR-{held.pk}", str(waits.pk)]
    assert desk.otto.send("post", BULK, {"request_ids": hers}).status_code == 404
    # Abel may take away what he said yes to, but not withdraw what Rita still waits for.
    assert desk.abel.send("post", BULK, {"request_ids": hers}).status_code == 403
    assert desk.rita.send("post", BULK, {"request_ids": [*hers, "AR-999999"]}).status_code == 404
    assert desk.story.held() == PROD
    assert desk.story.fresh(held).state == "active"
    assert "2 requests" in desk.rita.post(BULK, {"request_ids": hers})["message"]
    desk.story.catch_up()
    assert desk.story.held() == set()
    assert [desk.story.fresh(one).state for one in (held, waits)] == ["revoked", "cancelled"]
    assert "ended before" in desk.rita.post(BULK, {"request_ids": hers})["message"]


def test_a_service_with_the_role_and_scope_takes_access_away_and_asks_for_none(desk: Desk) -> None:
    held = desk.story.granted("orders_prod")
    watcher = service(desk.story.cast, Role.ADMIN)
    for path in (OLDER, f"{OLDER}/{held.pk}/reset"):
        assert watcher.send("post", path, desk.older()).json()["code"] == "personal_token_needed"
    assert watcher.send("get", f"{OLDER}/{held.pk}/access-details").json()["code"] == "personal_token_needed"
    watcher.post(BULK, {"request_ids": [str(held.pk)]})
    desk.story.catch_up()
    assert desk.story.held() == set()


def test_activity_is_filtered_and_tells_the_fields_that_are_asked_for(desk: Desk) -> None:
    request = desk.story.granted("orders_prod")
    desk.story.ask("orders_dev")
    at = int(request.requested_at.timestamp())
    (row,) = desk.ada.get(ACTIVITY, **{"filter[resource]": "orders_prod"})["data"]
    assert (row["status"], row["resources"], row["trigger_type"]) == ("GRANTED", ["server/orders_prod"], "SELF_SERVE")
    assert (row["permissions"], row["extension_count"]) == (["Read only"], "0")
    rita = desk.story.cast.requester
    chosen: list[tuple[dict[str, Any], int]] = [
        ({"filter[access_flow_id]": str(desk.flow.pk)}, 2),
        ({"filter[access_flow_id]": str(rita.pk)}, 0),
        ({"filter[access_request_id]": f"AR-{request.pk}"}, 1),
        ({"filter[integration_id]": str(desk.story.integration.pk)}, 2),
        ({"filter[integration_id]": "nothing"}, 0),
        ({"filter[permission]": "READ_ONLY"}, 2),
        ({"filter[permission]": "ADMIN"}, 0),
        ({"filter[requestor_id]": [rita.email, "nothing"]}, 2),
        ({"filter[requestor_id]": desk.story.cast.approver.email}, 0),
        ({"filter[resource]": str(desk.story.pair("orders_dev")[0])}, 1),
        ({"filter[resource_type]": "table"}, 0),
        ({"filter[status]": ["PENDING", "granted"]}, 2),
        ({"filter[status]": "PENDING"}, 1),
        ({"filter[trigger_type]": "AUTOMATIC"}, 0),
        ({"start_date": at, "end_date": at}, 0 if request.requested_at.microsecond else 2),
        ({"start_date": at, "end_date": at + 1}, 2),
        ({"start_date": at * 1000, "end_date": (at + 1) * 1000}, 2),
        ({"start_date": at + 1}, 0),
    ]
    for query, number in chosen:
        assert desk.ada.get(ACTIVITY, **query)["pagination"]["total"] == number, query
    known = list(NAMES[:24])
    answer = desk.ada.browser.get(ACTIVITY, {"fields": ",".join(known)})
    assert [list(one) for one in answer.json()["data"]] == [known, known]
    for query in (
        {"fields": "secret"},
        {"filter[status]": "GONE"},
        {"filter[trigger_type]": "x"},
        {"start_date": 10**15},
    ):
        assert desk.ada.send("get", ACTIVITY, **query).status_code == 400, query
