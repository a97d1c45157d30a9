"""Access flows, bundles and scopes as a Terraform provider keeps them: made, read, changed, deleted, planned again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import TokenScope
from audit.models import AuditEntry
from flows.models import AccessFlow, AccessScope, Bundle
from tests.public.conftest import Api, api, fields
from tests.story import Story
from tests.story import flow as defined

FLOWS, BUNDLES, SCOPES = "/api/admin/v2/access-flows", "/api/admin/v2/bundles", "/api/admin/v1/access-scopes"


def integration_target(name: str, *permissions: str, **more: Any) -> dict[str, Any]:
    told = {"integration_reference": name, "resource_type": "database", "permissions": list(permissions)}
    return {"integration": told | more}


def body(story: Story, **change: Any) -> dict[str, Any]:
    group = {
        "logical_operator": "OR",
        "approvers": [{"type": "group", "match_operator": "is", "values": ["approvers"]}],
    }
    return {
        "name": "Reads",
        "active": True,
        "trigger": "SELF_SERVE",
        "requestors": {
            "logical_operator": "OR",
            "conditions": [{"type": "group", "match_operator": "is", "values": ["zebras", "engineers"]}],
        },
        "access_targets": [integration_target(story.integration.name, "READ_ONLY")],
        "approver_policy": {"approval_mode": "ANY_OF", "approver_groups": [group]},
        "grant_duration_in_min": 60,
        "settings": {
            "justification_required": True,
            "require_approver_reason": False,
            "requestor_cannot_approve_himself": True,
            "require_mfa": False,
            "labels": [],
        },
        "request_for_others": False,
    } | change


def test_a_flow_is_made_read_changed_and_deleted(story: Story, admin: Api) -> None:
    made = admin.made(FLOWS, body(story))
    read = admin.get(f"{FLOWS}/{made['id']}").json()
    assert read == made
    assert read["requestors"]["conditions"][0]["values"] == ["zebras", "engineers"], "as it was written"
    assert read["access_targets"][0]["integration"]["integration_name"] == story.integration.name
    null = {"request_for", "escalation_policy", "timeframe", "description", "latchkey"}
    assert not null & set(read), "what nobody said is not there, not null"
    assert "source_integration_name" not in read["requestors"]["conditions"][0]
    changed = admin.changed(f"{FLOWS}/{made['id']}", body(story, name="Reads more", grant_duration_in_min=None))
    assert changed["name"] == "Reads more"
    assert "grant_duration_in_min" not in changed
    assert admin.send("DELETE", f"{FLOWS}/{made['id']}").status_code == 204
    assert admin.get(f"{FLOWS}/{made['id']}").status_code == 404
    assert admin.send("DELETE", f"{FLOWS}/{made['id']}").status_code == 404


def test_the_second_plan_is_empty_and_makes_no_version(story: Story, admin: Api) -> None:
    settings = body(story)["settings"] | {"max_extensions": 0, "labels": ["b", "a"]}
    told = body(
        story,
        settings=settings,
        request_for={"request_scopes": ["self"]},
        timeframe={
            "start_time": "08:00",
            "end_time": "17:00",
            "days_of_week": ["TUESDAY", "MONDAY"],
            "time_zone": "Europe/Berlin",
        },
        access_targets=[
            integration_target(
                story.integration.name,
                "READ_ONLY",
                "ADMIN",
                resources_scopes=[
                    {"scope_mode": "include_resources", "type": "TAG", "key": "env", "values": ["prod", "dev"]},
                    {"scope_mode": "exclude_resources", "type": "NAME", "values": ["x"]},
                ],
            ),
            {"query_target": {"query": 'resource_tag["env"] = "prod"'}},
            integration_target(story.integration.name, "ADMIN"),
        ],
    )
    made = admin.made(FLOWS, told)
    for name in ("request_for", "timeframe", "settings"):
        assert made[name] == told[name]
    shown = [next(iter(one.values())) for one in made["access_targets"]]
    wanted = [next(iter(one.values())) for one in told["access_targets"]]
    assert [one.get("permissions") for one in shown] == [one.get("permissions") for one in wanted], "in their order"
    assert shown[0]["resources_scopes"] == wanted[0]["resources_scopes"]
    assert shown[1] == wanted[1]
    again = admin.changed(f"{FLOWS}/{made['id']}", told)
    assert again == made
    assert AccessFlow.objects.get(pk=made["id"]).versions.count() == 1


def test_what_only_we_have_stays_when_a_client_knows_nothing_of_it(story: Story, admin: Api) -> None:
    made = admin.made(FLOWS, body(story, latchkey={"answer_within_hours": 2, "ticket_pattern": "INC-[0-9]+"}))
    assert made["latchkey"] == {"answer_within_hours": 2, "ticket_pattern": "INC-[0-9]+"}
    assert admin.changed(f"{FLOWS}/{made['id']}", body(story))["latchkey"] == made["latchkey"]
    assert "latchkey" not in admin.changed(f"{FLOWS}/{made['id']}", body(story, latchkey={}))


def test_a_flow_that_was_made_on_the_page_is_imported(story: Story, admin: Api) -> None:
    flow = defined(story.integration)
    (shown,) = admin.get(FLOWS, name="Data*").json()["items"]
    assert shown["id"] == str(flow.pk)
    assert shown["approver_policy"]["approver_groups"][0]["approvers"] == [
        {"type": "group", "match_operator": "is", "values": ["approvers"]}
    ]
    assert admin.get(FLOWS, name="Nothing*").json()["items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"trigger": "SOMETIMES"}, "trigger"),
        ({"name": ""}, "name"),
        ({"grant_duration_in_min": 0}, "grant_duration_in_min"),
        ({"access_targets": []}, "access_targets"),
        ({"access_targets": [{}]}, "access_targets.0"),
        (
            {"access_targets": [integration_target("no such", "A")]},
            "access_targets.0.integration.integration_reference",
        ),
        ({"requestors": {"logical_operator": "OR", "conditions": []}}, "requestors"),
        ({"requestors": {"logical_operator": "or", "conditions": []}}, "requestors.logical_operator"),
        ({"approver_policy": {"approval_mode": "ANY_OF", "approver_groups": []}}, "approver_policy"),
        ({"request_for": {"request_scopes": ["others"]}}, "request_for"),
        ({"latchkey": {"checks": ["no such"]}}, "latchkey.checks"),
        ({"settings": {}}, "settings.labels"),
    ],
)
def test_a_refusal_names_the_field_and_leaves_nothing(story: Story, admin: Api, change: Any, field: str) -> None:
    answer = admin.send("POST", FLOWS, body(story, **change))
    assert field in fields(answer)
    assert not AccessFlow.objects.exists()


def test_a_name_is_there_once(story: Story, admin: Api) -> None:
    admin.made(FLOWS, body(story))
    assert fields(admin.send("POST", FLOWS, body(story))) == {"name"}


def test_a_change_that_takes_two_says_so_and_changes_nothing(story: Story, admin: Api, settings: Any) -> None:
    settings.FOUR_EYES, settings.PRODUCTION_TAGS = True, (("env", "prod"),)
    everybody = {
        "logical_operator": "OR",
        "conditions": [{"type": "user", "match_operator": "contains", "values": ["@"]}],
    }
    answer = admin.send("POST", FLOWS, body(story, requestors=everybody, approver_policy=None))
    assert answer.status_code == 409, answer.content
    assert answer.json()["code"] == "second_admin_needed"
    assert not AccessFlow.objects.exists()


def test_bundles_and_scopes_live_as_flows_do(story: Story, admin: Api) -> None:
    scope = admin.made(SCOPES, {"name": "Prod", "query": 'resource_tag["env"] = "prod"'})
    assert admin.get(f"{SCOPES}/{scope['id']}").json() == scope
    assert "description" not in scope
    targets = [
        integration_target(story.integration.name, "READ_ONLY"),
        {"access_scope": {"access_scope_reference": "Prod"}},
    ]
    bundle = admin.made(BUNDLES, {"name": "Kit", "access_targets": targets})
    assert admin.get(f"{BUNDLES}/{bundle['id']}").json() == bundle
    assert admin.changed(f"{BUNDLES}/{bundle['id']}", {"name": "Kit", "access_targets": targets}) == bundle
    flow = admin.made(FLOWS, body(story, access_targets=[{"bundle": {"bundle_reference": bundle["id"]}}]))
    assert flow["access_targets"] == [{"bundle": {"bundle_id": bundle["id"], "bundle_name": "Kit"}}]
    for address in (f"{BUNDLES}/{bundle['id']}", f"{SCOPES}/{scope['id']}"):
        assert admin.send("DELETE", address).status_code == 409, "something gives it"
    assert admin.send("DELETE", f"{FLOWS}/{flow['id']}").status_code == 204
    for address in (f"{BUNDLES}/{bundle['id']}", f"{SCOPES}/{scope['id']}"):
        assert admin.send("DELETE", address).status_code == 204
    assert not Bundle.objects.exists()
    assert not AccessScope.objects.exists()
    assert fields(admin.send("POST", SCOPES, {"name": "Bad", "query": "what?"})) == {"query"}


def test_what_is_written_by_the_api_is_in_the_trail_as_that(story: Story, admin: Api) -> None:
    admin.made(FLOWS, body(story))
    entry = AuditEntry.objects.get(action="flow.saved")
    assert entry.actor_name == story.cast.admin.name
    assert entry.source == "api"


def test_who_may_not_is_refused_on_every_address(story: Story, admin: Api) -> None:
    made = {
        FLOWS: admin.made(FLOWS, body(story))["id"],
        SCOPES: admin.made(SCOPES, {"name": "Prod", "query": 'resource_name = "a"'})["id"],
        BUNDLES: admin.made(BUNDLES, {"name": "Kit", "access_targets": body(story)["access_targets"]})["id"],
    }
    outsider, reader = api(story.cast.outsider), api(story.cast.admin, TokenScope.ADMIN_READ)
    for address, pk in made.items():
        for method, where in (("GET", ""), ("POST", ""), ("GET", pk), ("PUT", pk), ("DELETE", pk)):
            target = f"{address}/{where}".rstrip("/")
            assert outsider.send(method, target, {}).status_code == 403
            assert Api({}, admin.client).send(method, target, {}).status_code == 401
            if method != "GET":
                assert reader.send(method, target, {}).status_code == 403, "its scope is for reading"


def test_a_page_takes_as_many_queries_as_a_flow(story: Story, admin: Api) -> None:
    scope = admin.made(SCOPES, {"name": "Prod", "query": 'resource_name = "a"'})["id"]
    told = body(
        story, access_targets=[{"access_scope": {"access_scope_reference": scope}}, *body(story)["access_targets"]]
    )
    counts = []
    for number in range(4):
        admin.made(FLOWS, told | {"name": f"Flow {number}"})
        if number in (0, 3):
            with CaptureQueriesContext(
                connection,
            ) as caught:
                assert len(admin.get(FLOWS).json()["items"]) == number + 1
            counts.append(len(caught))
    assert counts[0] == counts[1]
    assert counts[1] <= QUERIES


# The token, its last use, and what is shown of flows; however many there are.
QUERIES = 12


def test_pages_follow_each_other_also_for_who_says_the_name_once(story: Story, admin: Api) -> None:
    for name in ("a1", "b1", "a2", "a3"):
        admin.made(SCOPES, {"name": name, "query": 'resource_name = "a"'})
    first = admin.get(SCOPES, limit="2", name="a*").json()
    assert [one["name"] for one in first["items"]] == ["a1", "a2"]
    token = first["pagination"]["next_page_token"]
    for query in ({"page_token": token, "limit": "2"}, {"page_token": token, "limit": "2", "name": "a*"}):
        rest = admin.get(SCOPES, **query).json()
        assert [one["name"] for one in rest["items"]] == ["a3"]
        assert not rest["pagination"].get("next_page_token")
    assert admin.get(SCOPES, page_token=token, name="b*").status_code == 400
    assert api(story.cast.approver).get(SCOPES, page_token=token).status_code == 403
