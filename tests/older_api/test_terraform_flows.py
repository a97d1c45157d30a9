"""Access flows as an older Terraform provider keeps them: made, planned again, changed, imported, destroyed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Attribute
from audit.models import AuditEntry
from flows.models import AccessFlow
from tests.older_api.conftest import Held, refused
from tests.older_api.provider import Part, Resource
from tests.story import Story, put_into

FLOWS, BUNDLES = "/api/terraform/v1/access-flows", "/api/v1/access-bundles"


def keeps(answer: Part, config: Part) -> Part:
    """Keep of people and approvers the form that the configuration has, as the provider does."""
    rivals = (("grantees", "grantee_filter_group"), ("approvers", "approver_policy"))
    gone = {one for pair in rivals for one in pair if not config.get(one)} | {"created_date"}
    return {name: value for name, value in answer.items() if name not in gone}


def flows(call: Held) -> Resource:
    return Resource(call, FLOWS, computed=("settings", "created_date"), keeps=keeps)


def target(story: Story, **more: Any) -> Part:
    told = {"integration_id": str(story.integration.pk), "resource_type": "database", "permissions": ["READ_ONLY"]}
    return told | {"resource_tag_includes": [], "resource_tag_excludes": []} | more


def identity(call: Held, name: str, kind: str) -> list[Part]:
    """Return the ids of a name, as the provider looks them up."""
    if kind == "user":
        found = [one["id"] for one in call("GET", "/api/v2/users")["data"] if one["email"] == name]
    else:
        rows = call("GET", "/api/v2/identities")["data"]
        found = [one["id"] for one in rows if one["name"] == name and one["type"].lower() == kind]
    return [{"id": pk, "type": kind} for pk in found]


def filters(*types: Any, operator: str = "OR") -> Part:
    return {
        "logical_operator": operator,
        "attribute_filters": [
            {"operator": "is", "attribute_type_id": kind, "attribute_value": values, "integration_id": None}
            for kind, *values in types
        ],
    }


def body(story: Story, **change: Any) -> Part:
    return {
        "name": "Reads",
        "active": True,
        "revoke_after_in_sec": 3600,
        "trigger": {"type": "user_request", "timeframe": None},
        "grantees": [],
        "grantee_filter_group": filters(("group", "zebras", "engineers")),
        "integration_targets": [target(story)],
        "bundle_targets": None,
        "approvers": None,
        "approver_policy": None,
        "settings": None,
        "labels": [],
    } | change


def policy(*groups: Any, relationship: str = "ANY_OF") -> Part:
    return {
        "groups_relationship": relationship,
        "condition_groups": [
            {"conditions_logical_operator": operator, "conditions": filters(*types)["attribute_filters"]}
            for operator, *types in groups
        ],
    }


WINDOW = {
    "start_of_day_time_in_seconds": 28800,
    "end_of_day_time_in_seconds": 86399,
    "days_in_week": ["TUESDAY", "MONDAY"],
    "time_zone": "Europe/Prague",
}
TAGS = [
    {"name": "env", "value": "prod"},
    {"name": "__name", "value": "orders"},
    {"name": "env", "value": "dev"},
    {"name": "__id", "value": "db-1"},
]


def test_a_flow_lives_as_terraform_has_it(story: Story, call: Held) -> None:
    flow, config = flows(call), body(story)
    flow.apply(config)
    assert flow.plan(config) == []
    assert flow.imported(config).changes(config) == []
    changed = body(story, name="Reads more", revoke_after_in_sec=-1, labels=[{"name": "b"}, {"name": "a"}])
    assert set(flow.plan(changed)) == {"labels", "name", "revoke_after_in_sec"}
    told = flow.apply(changed)
    assert [one["name"] for one in told["labels"]] == ["b", "a"], "a list keeps its order"
    assert flow.plan(changed) == []
    flow.destroy()


@pytest.mark.parametrize(
    "change",
    [
        {"trigger": {"type": "user_request", "timeframe": WINDOW}},
        {"trigger": {"type": "user_request", "timeframe": WINDOW | {"end_of_day_time_in_seconds": 61200}}},
        {
            "trigger": {"type": "automatic"},
            "revoke_after_in_sec": -1,
            "settings": {"require_justification_on_request_again": True},
        },
        {"grantee_filter_group": filters(("user", "rita@example.com"), ("group", "engineers"), operator="AND")},
        {"approver_policy": policy(("OR", ("group", "approvers"), ("Owner",)))},
        {
            "approver_policy": policy(
                ("AND", ("group", "approvers"), ("user", "abel@example.com")), ("OR", ("user", "ada@example.com"))
            )
            | {"groups_relationship": "ALL_OF"}
        },
        {"settings": {"require_mfa": True, "approver_cannot_approve_himself": True}},
        {"settings": {"require_justification": False, "require_justification_on_request_again": False}},
        {"settings": {"require_justification_on_request_again": False, "require_all_approvers": True}},
        {"settings": {"require_justification_on_request_again": None, "require_mfa": None}},
        {"active": False},
    ],
)
def test_the_second_plan_is_empty_and_makes_no_version(story: Story, call: Held, change: Part) -> None:
    flow, config = flows(call), body(story, **change)
    put_into("approvers", story.cast.admin)
    made = flow.apply(config)
    assert flow.plan(config) == []
    entries = AuditEntry.objects.count()
    assert flow.apply(config) == made
    assert AuditEntry.objects.count() == entries
    assert AccessFlow.objects.get(pk=flow.pk).versions.count() == 1


def test_lists_may_come_in_any_order_and_optional_fields_not_at_all(story: Story, call: Held) -> None:
    targets = [target(story, resource_tag_includes=TAGS, resource_tag_excludes=TAGS[:1]), target(story)]
    targets[0]["permissions"] = ["READ_ONLY", "ADMIN"]
    flow, config = flows(call), body(story, integration_targets=targets)
    flow.apply(config)
    turned = [target(story), target(story, resource_tag_includes=TAGS[::-1], resource_tag_excludes=TAGS[:1])]
    turned[1]["permissions"] = ["ADMIN", "READ_ONLY"]
    assert flow.plan(body(story, integration_targets=turned)) == []
    least = {name: value for name, value in config.items() if value is not None}
    assert flow.plan(least) == []
    flow.apply(least)
    assert flow.plan(config) == []


def test_people_are_named_by_ids_that_the_provider_looks_up(story: Story, call: Held) -> None:
    for user in (story.cast.requester, story.cast.approver):
        Attribute.objects.create(user=user, type="pagerduty_shift", value="Primary")
    named = [
        *identity(call, "rita@example.com", "user"),
        *identity(call, "engineers", "group"),
        *identity(call, "Primary", "context_attribute"),
        *identity(call, "Manager", "context_attribute"),
    ]
    assert len(named) == 4, "one shift is one identity"
    both = identity(call, "abel@example.com", "user") + identity(call, "approvers", "group")
    flow, config = flows(call), body(story, grantee_filter_group=None, grantees=named, approvers=both)
    flow.apply(config)
    assert flow.plan(config) == []
    document = AccessFlow.objects.get(pk=flow.pk).current.document  # type: ignore[union-attr]
    told = {(one["type"], *one["values"]) for one in document["requestors"]["conditions"]}
    assert told == {
        ("user", "rita@example.com"), ("group", "engineers"), ("pagerduty_shift", "Primary"), ("manager",),
    }  # fmt: skip
    assert document["approval"]["mode"] == "any_of"
    every = config | {"settings": {"require_all_approvers": True}}
    flow.apply(every)
    assert flow.plan(every) == []
    document = AccessFlow.objects.get(pk=flow.pk).current.document  # type: ignore[union-attr]
    assert (document["approval"]["mode"], len(document["approval"]["groups"])) == ("all_of", 2)


def test_a_group_name_that_is_there_twice_means_both(story: Story, call: Held) -> None:
    put_into("engineers", story.cast.outsider)
    twice = identity(call, "engineers", "group")
    flow, config = flows(call), body(story, grantee_filter_group=None, grantees=twice)
    flow.apply(config)
    assert flow.plan(config) == []
    assert len(twice) == 2 or {one["id"] for one in twice}


def test_what_the_first_version_has_no_word_for_stays(story: Story, call: Held) -> None:
    made = call.api.made(
        "/api/admin/v2/access-flows",
        {
            "name": "Whole",
            "description": "Said on a page.",
            "active": True,
            "trigger": "SELF_SERVE",
            "requestors": {"logical_operator": "OR", "conditions": [{"type": "group", "values": ["engineers"]}]},
            "request_for": {"request_scopes": ["self", "direct_reports"]},
            "access_targets": [{"query_target": {"query": 'resource_tag["env"] = "prod"'}}],
            "approver_policy": {
                "approval_mode": "ANY_OF",
                "approver_groups": [
                    {"logical_operator": "OR", "approvers": [{"type": "group", "values": ["approvers"]}]}
                ],
            },
            "escalation_policy": {
                "interval_in_min": 30,
                "approver_groups": [
                    {"logical_operator": "OR", "approvers": [{"type": "user", "values": ["ada@example.com"]}]}
                ],
            },
            "grant_duration_in_min": 60,
            "settings": {
                "justification_required": True,
                "require_approver_reason": True,
                "requestor_cannot_approve_himself": True,
                "require_mfa": False,
                "labels": [],
            },
            "latchkey": {"answer_within_hours": 2, "ticket_pattern": "INC-[0-9]+"},
        },
    )
    shown = call("GET", f"{FLOWS}/{{id}}", id=made["id"])
    shown["integration_targets"] = [target(story)]
    call("PUT", f"{FLOWS}/{{id}}", shown, id=made["id"])
    now = call.api.get(f"/api/admin/v2/access-flows/{made['id']}").json()
    for name in ("description", "request_for", "approver_policy", "escalation_policy", "settings", "latchkey"):
        assert now[name] == made[name], name
    assert {next(iter(one)) for one in now["access_targets"]} == {"integration", "query_target"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 151}, "name"),
        ({"active": "maybe"}, "active"),
        ({"trigger": {"type": "sometimes"}}, "trigger.type"),
        ({"trigger": {"type": "user_request", "timeframe": WINDOW | {"start_of_day_time_in_seconds": 90}}},
         "trigger.timeframe.start_of_day_time_in_seconds"),
        ({"trigger": {"type": "user_request", "timeframe": WINDOW | {"time_zone": "Mars/Olympus"}}}, "timeframe"),
        ({"revoke_after_in_sec": 90}, "revoke_after_in_sec"),
        ({"revoke_after_in_sec": 0}, "revoke_after_in_sec"),
        ({"revoke_after_in_sec": 2**31}, "revoke_after_in_sec"),
        ({"grantee_filter_group": None}, "grantees"),
        ({"grantees": [{"id": "nobody", "type": "user"}], "grantee_filter_group": None}, "grantees.0.id"),
        ({"grantees": [{"id": "x", "type": "robot"}]}, "grantees.0.type"),
        ({"grantees": [{"id": ":", "type": "context_attribute"}], "grantee_filter_group": None}, "grantees.0.id"),
        ({"integration_targets": None}, "integration_targets"),
        ({"integration_targets": "all"}, "integration_targets"),
        ({"bundle_targets": [{"bundle_id": "x"}]}, "bundle_targets.0.bundle_id"),
        ({"approver_policy": policy(("OR",))}, "approver_policy"),
        ({"labels": None}, "labels"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_leaves_nothing(story: Story, call: Held, change: Part, field: str) -> None:
    assert field in refused(call("POST", FLOWS, body(story, **change), 400))
    assert not AccessFlow.objects.exists()


def test_an_unknown_integration_is_refused(story: Story, call: Held) -> None:
    gone = target(story, integration_id="00000000-0000-0000-0000-000000000000")
    answer = call("POST", FLOWS, body(story, integration_targets=[gone]), 400)
    assert refused(answer) == {"integration_targets.0.integration_id"}


def test_a_flow_that_gives_a_bundle_lives_too(story: Story, call: Held) -> None:
    bundle = call("POST", BUNDLES, {"name": "Kit", "integration_targets": [target(story)]})
    flow = flows(call)
    config = body(story, integration_targets=None, bundle_targets=[{"bundle_id": bundle["id"]}])
    flow.apply(config)
    assert flow.plan(config) == []
    call("DELETE", f"{BUNDLES}/{{id}}", status=409, id=bundle["id"])
    flow.destroy()
    call("DELETE", f"{BUNDLES}/{{id}}", id=bundle["id"])


def test_a_list_takes_as_many_queries_as_one_flow(story: Story, call: Held) -> None:
    counts = []
    for number in range(4):
        call("POST", FLOWS, body(story, name=f"Flow {number}", approver_policy=policy(("OR", ("group", "approvers")))))
        if number in (0, 3):
            with CaptureQueriesContext(connection) as caught:
                found = call("GET", FLOWS)
            assert found["pagination"] == {"total": number + 1, "limit": 100_000, "offset": 0}
            counts.append(len(caught))
    assert counts == [QUERIES, QUERIES]
    assert [one["name"] for one in call("GET", FLOWS, limit="1", offset="2")["data"]] == ["Flow 2"]
    call("GET", FLOWS, status=400, limit="-1")


# The token, its last use, the count, and what is shown of flows; however many there are.
QUERIES = 12
