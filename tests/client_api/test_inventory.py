"""The inventory by a client, templates, parts that are not there, and how many queries lists take."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from access_requests.models import RequestTemplate
from audit.actor import system
from integrations import actions as integration_actions
from tests.client_api.conftest import Desk
from tests.story import database, flow


def test_resources_are_found_by_text_by_our_id_and_by_the_targets_own(desk: Desk) -> None:
    names = lambda **query: [one["name"] for one in desk.rita.get("inventory/resources", **query)["data"]]  # noqa: E731
    assert names() == ["orders_dev", "orders_prod"]
    assert names(limit=1, skip=1) == ["orders_prod"]
    assert names(search="PROD") == ["orders_prod"]
    assert names(**{"source-id": ["orders_prod", "orders_dev"]}) == ["orders_prod", "orders_dev"]
    assert names(**{"resource-type-id": "nothing"}) == []
    assert names(**{"integration-id": str(desk.story.integration.pk), "resource-type-id": "database"}) == names()


def test_units_are_narrowed_by_everything_there_is(desk: Desk) -> None:
    resource, permission = desk.story.pair("orders_dev")
    units = lambda **query: [one["id"] for one in desk.rita.get("inventory/access-units", **query)["data"]]  # noqa: E731
    both = units()
    assert len(both) == 2
    assert units(**{"resource-ids": str(resource)}) == [f"{resource}:{permission}"]
    assert units(**{"permission-ids": "READ_ONLY"}) == units(**{"permission-ids": "Read only"}) == both
    assert units(**{"permission-search": "READ"}) == units(search="orders") == both
    assert units(limit=1, skip=1) == both[1:]
    for nothing in ({"permission-ids": "ADMIN"}, {"permission-search": "admin"}, {"integration-ids": "nothing"}):
        assert units(**nothing) == []
    page = desk.rita.get("inventory/access-units", limit=1)["pagination"]
    assert page == {"limit": 1, "offset": 0, "has_more": True}


def test_what_a_query_selects_tells_its_permissions(desk: Desk) -> None:
    target = {"kind": "query", "query": 'resource_name = "orders_dev" and permission = "ADMIN"'}
    flow(desk.story.integration, "By query", targets=[target])
    assert [one["id"] for one in desk.rita.get("inventory/permissions")["data"]] == ["READ_ONLY", "ADMIN"]
    units = desk.rita.get("inventory/access-units", **{"permission-ids": "ADMIN"})["data"]
    assert [one["resource"]["name"] for one in units] == ["orders_dev"]


def test_grantees_are_oneself_and_whom_a_flow_allows(desk: Desk) -> None:
    assert [one["display_name"] for one in desk.rita.get("inventory/grantees")["data"]] == ["Rita"]
    assert desk.rita.get("inventory/grantees", search="otto")["data"] == []
    assert desk.rita.get("inventory/grantees", grantee_type="machine")["data"] == []
    assert desk.rita.send("get", "inventory/resources", grantee_id="otto@example.com").status_code == 404


def test_templates_are_kept_changed_and_dropped_by_whose_they_are(desk: Desk) -> None:
    resource, _ = desk.story.pair("orders_dev")
    body = {
        "name": "Nights",
        "type": "IntegrationRequest",
        "filter_integration_ids": [str(desk.story.integration.pk)],
        "filter_resource_type_ids": ["database"],
        "filter_resource_ids": [str(resource), "999999"],
        "filter_permission_ids": ["READ_ONLY", "ADMIN"],
    }
    made = desk.rita.post("access-request-templates", body)
    assert [one["name"] for one in made["resources"]] == ["orders_dev"]
    assert [one["id"] for one in made["permissions"]] == ["READ_ONLY"]
    assert desk.rita.send("post", "access-request-templates", body).status_code == 409
    at = f"access-request-templates/{made['id']}"
    assert desk.rita.put(at, body | {"name": "Days", "filter_resource_ids": []})["resources"] == []
    assert [one["name"] for one in desk.rita.get("access-request-templates", search="day")["data"]] == ["Days"]
    assert desk.rita.get(at)["name"] == "Days"
    desk.rita.delete(at)
    assert RequestTemplate.objects.count() == 0
    assert desk.rita.send("get", at).status_code == 404


NOT_HAD = {
    "get assistant/conversations/1": 404,
    "post assistant/chat": 404,
    "post agentic/auth": 404,
    "post mcp": 404,
    "post action-approval": 404,
    "get action-approval/1": 404,
    "post analytics": 202,
    "post analytics/bulk": 202,
    "post logs": 202,
}


def test_parts_that_are_not_there_say_so(desk: Desk) -> None:
    for line, status in NOT_HAD.items():
        method, _, path = line.partition(" ")
        answer = desk.rita.send(method, path, *([{"a": 1}] if method == "post" else []))
        assert answer.status_code == status, line


def test_lists_of_parts_that_are_not_there_are_empty(desk: Desk) -> None:
    assert desk.rita.get("cli-notifications") == {"notifications": []}
    for path in ("assistant/conversations", "agentic/tools/available", "agentic/trust-policies/resolved"):
        assert desk.rita.get(path)["data"] == []


# Of these, one is everywhere: the token. That it was used is written once a minute, not here.
COUNTS = {
    "access-requests": 12,
    "access-sessions": 2,
    "access-session-groups": 2,
    "inventory/integrations": 6,
    "inventory/resource-types": 6,
    "inventory/resources": 11,
    "inventory/permissions": 7,
    "inventory/access-units": 11,
    "inventory/bundles": 5,
    "inventory/grantees": 5,
    "filters/integrations": 2,
    "filters/options": 2,
    "access-request-templates": 6,
}


def taken(desk: Desk) -> dict[str, int]:
    found = {}
    for path in COUNTS:
        query: dict[str, Any] = {"key": "requestor_ids"} if path == "filters/options" else {}
        desk.rita.get(path, **query)
        with CaptureQueriesContext(connection) as queries:
            desk.rita.get(path, **query)
        found[path] = len(queries)
    return found


def test_lists_take_as_many_queries_with_one_row_as_with_many(desk: Desk) -> None:
    story = desk.story
    story.granted("orders_dev")
    assert taken(desk) == COUNTS
    story.target.databases += [database(f"more_{number}") for number in range(5)]
    integration_actions.sync(story.integration, actor=system(), at=story.now)
    story.work()
    for number in range(5):
        story.granted(f"more_{number}")
    assert len(desk.rita.get("access-requests")["data"]) == 6
    assert taken(desk) == COUNTS
