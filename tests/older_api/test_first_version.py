"""Access flows and bundles as programs of the first version keep them: made, read, changed in part, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flows.models import AccessFlow, Bundle
from tests.older_api.conftest import Held, refused
from tests.older_api.provider import Part, plain
from tests.older_api.test_terraform_flows import TAGS, WINDOW, identity, target
from tests.story import Story

FLOWS, BUNDLES = "/api/v1/access-flows", "/api/v1/access-bundles"


def body(story: Story, call: Held, **change: Any) -> Part:
    return {
        "name": "Reads",
        "active": True,
        "revoke_after_in_sec": 3600,
        "trigger": {"type": "user_request"},
        "grantees": identity(call, "engineers", "group"),
        "integration_targets": [target(story)],
    } | change


def test_a_flow_is_made_read_changed_in_part_and_deleted(story: Story, call: Held) -> None:
    config = body(story, call, approvers=identity(call, "approvers", "group"))
    made = call("POST", FLOWS, config)
    assert call("GET", f"{FLOWS}/{{id}}", id=made["id"]) == made
    assert {name: made[name] for name in config} == config
    assert not {"grantee_filter_group", "approver_policy", "labels"} & set(made), "of the contract for Terraform"
    for change in (
        {"name": "Other"},
        {"active": False},
        {"revoke_after_in_sec": -1},
        {"trigger": {"type": "user_request", "timeframe": WINDOW}},
        {"grantees": identity(call, "rita@example.com", "user")},
        {"integration_targets": [target(story, resource_tag_includes=TAGS)]},
        {"settings": {"require_approver_justification": True, "approver_cannot_approve_himself": True}},
        {"name": None, "active": None, "trigger": None, "settings": None, "integration_targets": None},
        {},
    ):
        now = call("PATCH", f"{FLOWS}/{{id}}", change, id=made["id"])
        said = {name: value for name, value in change.items() if value is not None}
        for name in set(made) - set(said):
            assert now[name] == made[name], name
        for name, value in said.items():
            assert plain(value) == plain({key: now[name][key] for key in value} if name == "settings" else now[name])
        made = now
    versions = AccessFlow.objects.get(pk=made["id"]).versions.count()
    call("PATCH", f"{FLOWS}/{{id}}", {"name": "Other"}, id=made["id"])
    assert AccessFlow.objects.get(pk=made["id"]).versions.count() == versions
    assert call("DELETE", f"{FLOWS}/{{id}}", id=made["id"])["message"]
    call("GET", f"{FLOWS}/{{id}}", status=404, id=made["id"])
    call("DELETE", f"{FLOWS}/{{id}}", status=404, id=made["id"])


def test_how_many_have_to_agree_is_changed_without_saying_who(story: Story, call: Held) -> None:
    both = identity(call, "abel@example.com", "user") + identity(call, "approvers", "group")
    made = call("POST", FLOWS, body(story, call, approvers=both))
    assert made["settings"]["require_all_approvers"] is False
    now = call("PATCH", f"{FLOWS}/{{id}}", {"settings": {"require_all_approvers": True}}, id=made["id"])
    assert (now["settings"]["require_all_approvers"], plain(now["approvers"])) == (True, plain(both))
    document = AccessFlow.objects.get(pk=made["id"]).current.document  # type: ignore[union-attr]
    assert document["approval"]["mode"] == "all_of"
    now = call("PATCH", f"{FLOWS}/{{id}}", {"approvers": []}, id=made["id"])
    assert "approvers" not in now
    assert AccessFlow.objects.get(pk=made["id"]).approval_mode == "none"


def test_who_cannot_be_named_by_id_is_not_told_as_if_they_could(story: Story, call: Held) -> None:
    made = call("POST", FLOWS, body(story, call))
    call.api.changed(
        f"/api/terraform/v1/access-flows/{made['id']}",
        {name: made[name] for name in ("name", "active", "trigger", "integration_targets", "revoke_after_in_sec")}
        | {
            "grantees": [],
            "labels": [],
            "grantee_filter_group": {
                "logical_operator": "OR",
                "attribute_filters": [
                    {"attribute_type_id": "group", "operator": "starts_with", "attribute_value": ["eng"]},
                ],
            },
        },
    )
    assert call("GET", f"{FLOWS}/{{id}}", id=made["id"])["grantees"] == []
    call("PATCH", f"{FLOWS}/{{id}}", {"name": "Other"}, id=made["id"])
    (one,) = AccessFlow.objects.get(pk=made["id"]).conditions.all()
    assert (one.operator, one.values) == ("starts_with", ["eng"]), "what cannot be said here stays"


def test_a_bundle_is_made_read_changed_in_part_and_deleted(story: Story, call: Held) -> None:
    told = [target(story, resource_tag_includes=TAGS), target(story, permissions=["ADMIN"])]
    made = call("POST", BUNDLES, {"name": "Kit", "integration_targets": told})
    assert made["integration_targets"] == told
    assert call("GET", f"{BUNDLES}/{{id}}", id=made["id"]) == made
    assert call("GET", BUNDLES)["data"] == [made]
    assert call("PATCH", f"{BUNDLES}/{{id}}", {"name": "Box"}, id=made["id"]) == made | {"name": "Box"}
    now = call("PATCH", f"{BUNDLES}/{{id}}", {"integration_targets": told[:1], "name": None}, id=made["id"])
    assert now == made | {"name": "Box", "integration_targets": told[:1]}
    assert call("DELETE", f"{BUNDLES}/{{id}}", id=made["id"])["message"]
    call("DELETE", f"{BUNDLES}/{{id}}", status=404, id=made["id"])


def test_what_a_bundle_gives_by_query_stays(story: Story, call: Held) -> None:
    query = {"query_target": {"query": 'resource_tag["env"] = "prod"'}}
    made = call.api.made("/api/admin/v2/bundles", {"name": "Kit", "description": "Kept.", "access_targets": [query]})
    call("PATCH", f"{BUNDLES}/{{id}}", {"integration_targets": [target(story)]}, id=made["id"])
    now = call.api.get(f"/api/admin/v2/bundles/{made['id']}").json()
    assert (now["description"], now["access_targets"][1]) == ("Kept.", query)


@pytest.mark.parametrize("change", [{"name": ""}, {"integration_targets": []}, {"integration_targets": [{}]}, []])
def test_a_bundle_that_cannot_be_is_refused(story: Story, call: Held, change: Any) -> None:
    made = call("POST", BUNDLES, {"name": "Kit", "integration_targets": [target(story)]})
    call("PATCH", f"{BUNDLES}/{{id}}", change, 400, id=made["id"])
    assert refused(call("POST", BUNDLES, {"name": "Kit", "integration_targets": [target(story)]}, 400)) == {"name"}
    assert Bundle.objects.get().targets.count() == 1


def test_a_list_takes_as_many_queries_as_one(story: Story, call: Held) -> None:
    counts = []
    for number in range(3):
        call("POST", FLOWS, body(story, call, name=f"Flow {number}"))
        call("POST", BUNDLES, {"name": f"Kit {number}", "integration_targets": [target(story)]})
        if number in (0, 2):
            with CaptureQueriesContext(connection) as caught:
                call("GET", FLOWS)
                call("GET", BUNDLES)
            counts.append(len(caught))
    assert counts == [QUERIES] * 2


# Two lists, each with its token and its owner's roles.
QUERIES = 18
