"""Integrations as an older Terraform provider and older programs keep them, and what is in them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Group
from audit.models import AuditEntry
from integrations.actions.secrets import resolve
from integrations.models import Integration, Order
from tests.older_api.conftest import Held, refused
from tests.older_api.provider import Part, Resource
from tests.story import Story

TERRAFORM, OLDER = "/api/terraform/v1/integrations", "/api/v2/integrations"
AWS = {"type": "AWS", "region": "eu-central-1", "secret_id": "prod/shop"}


def body(story: Story, **change: Any) -> Part:
    return {
        "name": "Shop",
        "type": "simulated",
        "provisioner_id": str(story.integration.connector_id),
        "params": {"hostname": "shop.example"},
        "secret_config": AWS,
        "connected_resource_types": None,
        "custom_access_details": None,
        "integration_owners": None,
        "resource_owners_mappings": None,
    } | change


def integration(call: Held) -> Resource:
    return Resource(call, TERRAFORM, computed=("connected_resource_types", "status", "last_sync_time"))


def test_an_integration_lives_as_terraform_has_it(story: Story, call: Held) -> None:
    one, config = integration(call), body(story)
    assert one.apply(config)["connected_resource_types"] == ["database"], "what is found where nothing is said"
    assert one.plan(config) == []
    assert one.imported(config).changes(config) == []
    changed = body(story, name="Shop 2", custom_access_details="Ask Ada.", connected_resource_types=["database"])
    assert set(one.plan(changed)) == {"custom_access_details", "name"}
    one.apply(changed)
    assert one.plan(changed) == []
    assert "deleted" in call("DELETE", f"{OLDER}/{{id}}", id=one.pk)["message"]
    for path in (TERRAFORM, OLDER):
        call("GET", f"{path}/{{id}}", status=404, id=one.pk)
    call("DELETE", f"{OLDER}/{{id}}", status=404, id=one.pk)


@pytest.mark.parametrize(
    "change",
    [
        {"secret_config": {"type": "GCP", "project": "shop", "secret_id": "db"}},
        {"secret_config": {"type": "KUBERNETES", "namespace": "prod", "name": "shop"}},
        {"params": {"hostname": "shop.example", "credentials_rotation_period_in_days": "30"}},
        {"params": {"credentials_cleanup_period_in_days": "90", "hostname": "shop.example"}},
        {"integration_owners": [{"attribute_type": "group", "attribute_value": ["owners"], "integration_id": None}]},
        {
            "integration_owners": [
                {"attribute_type": "group", "attribute_value": ["owners"]},
                {"attribute_type": "user", "attribute_value": ["ada@example.com"]},
            ]
        },
        {
            "resource_owners_mappings": [
                {"tag_name": "owner", "attribute_type": "shift", "attribute_integration_id": None}
            ]
        },
    ],
)
def test_the_second_plan_is_empty_and_checks_nothing_anew(story: Story, call: Held, change: Part) -> None:
    Group.objects.create(name="owners")
    one, config = integration(call), body(story, **change)
    made = one.apply(config)
    assert one.plan(config) == []
    entries = AuditEntry.objects.count()
    assert one.apply({name: value for name, value in config.items() if value is not None}) == made
    assert AuditEntry.objects.count() == entries
    one.apply(body(story))
    assert one.plan(body(story)) == [], "owners that are not told any more are none"


def test_a_program_that_knows_no_owners_leaves_them(story: Story, call: Held) -> None:
    Group.objects.create(name="owners")
    source = str(story.integration.pk)
    owners = [
        {"attribute_type": "group", "attribute_value": ["owners"]},
        {"attribute_type": "user", "attribute_value": ["ada@example.com"]},
    ]
    mapping = [{"tag_name": "owner", "attribute_type": "shift", "attribute_integration_id": source}]
    made = call("POST", TERRAFORM, body(story, integration_owners=owners, resource_owners_mappings=mapping))
    told = call("GET", f"{OLDER}/{{id}}", id=made["id"])
    assert "integration_owners" not in told
    told = {name: told[name] for name in ("provisioner_id", "metadata", "secret_config")} | {"name": "Other"}
    assert call("PUT", f"{OLDER}/{{id}}", told, id=made["id"])["name"] == "Other"
    now = call("GET", f"{TERRAFORM}/{{id}}", id=made["id"])
    assert (now["integration_owners"], now["resource_owners_mappings"]) == (owners, mapping)


def test_an_older_program_connects_and_refreshes(story: Story, call: Held) -> None:
    config = {"name": "Shop", "type": "simulated", "metadata": {"hostname": "a"}, "secret_config": AWS}
    made = call("POST", OLDER, config)
    assert {name: made[name] for name in config} == config
    assert call("GET", OLDER)["data"][0] == made
    orders = Order.objects.filter(integration=made["id"]).count()
    assert call("POST", f"{OLDER}/{{id}}/refresh", id=made["id"])["message"]
    call("POST", f"{OLDER}/{{id}}/refresh", id=made["id"])
    assert Order.objects.filter(integration=made["id"]).count() <= orders + 1
    call("POST", f"{OLDER}/{{id}}/refresh", status=404, id="nothing")


def test_secrets_of_the_built_in_store_are_never_told(story: Story, call: Held) -> None:
    made = call(
        "POST", TERRAFORM, body(story, secret_config={"type": "APONO", "parameters": {"password": "hush-hush"}})
    )
    assert "secret_config" not in made
    row = Integration.objects.get(pk=made["id"])
    assert resolve(row)["password"].reveal() == "hush-hush"
    assert "hush" not in str([*AuditEntry.objects.values_list("details", flat=True)])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "no-such"}, "type"),
        ({"name": "x" * 151}, "name"),
        ({"params": {}}, "params.hostname"),
        ({"params": []}, "params"),
        ({"params": {"hostname": "a", "password": "b"}}, "params.password"),
        ({"secret_config": {"type": "PAPER"}}, "secret_config.type"),
        ({"secret_config": {"type": "AWS", "region": "a"}}, "secret_config.aws.secret_id"),
        ({"secret_config": AWS | {"password": "x"}}, "secret_config.password"),
        ({"secret_config": "AWS"}, "secret_config"),
        ({"connected_resource_types": ["table"]}, "connected_resource_types"),
        ({"provisioner_id": "somewhere"}, "provisioner_id"),
        ({"integration_owners": [{"attribute_type": "group", "attribute_value": ["nobody"]}]},
         "integration_owners.attribute_value"),
        ({"integration_owners": [{"attribute_type": "user", "attribute_value": ["a@b.c"]}] * 2}, "integration_owners"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_leaves_nothing(story: Story, call: Held, change: Part, field: str) -> None:
    assert field in refused(call("POST", TERRAFORM, body(story, **change), 400))
    assert Integration.objects.count() == 1


def test_the_type_of_an_integration_stays(story: Story, call: Held) -> None:
    made = call("POST", TERRAFORM, body(story))
    assert refused(call("PUT", f"{TERRAFORM}/{{id}}", body(story, type="postgresql"), 400, id=made["id"])) == {"type"}


def test_the_catalogue_says_what_can_be_connected(story: Story, call: Held) -> None:
    every = {one["type"]: one for one in call("GET", "/api/v2/integrations-catalog")["data"]}
    one = call("GET", "/api/v2/integrations-catalog/{type}", type="simulated")
    assert one == every["simulated"]
    assert one["requires_secret"] is True
    assert {"AWS", "GCP", "KUBERNETES"} <= set(one["supported_secret_types"])
    assert {"id": "hostname", "optional": False, "default": ""}.items() <= one["params"][0].items()
    assert not [each for each in one["params"] if each["optional"] and each["default"]], "clients would insist on it"
    call("GET", "/api/v2/integrations-catalog/{type}", status=404, type="no-such")


def test_what_is_in_an_integration_is_listed(story: Story, call: Held) -> None:
    pk = str(story.integration.pk)
    rows = call("GET", "/api/v3/integrations/{id}/resources", id=pk)
    assert {one["type"] for one in rows["data"]} == {"database"}
    assert rows["data"][0]["status"] == {"status": "Active"}
    assert rows["pagination"]["total"] == len(rows["data"]) == 2
    assert call("GET", "/api/v3/integrations/{id}/resources", id=pk, **{"resource-type": "table"})["data"] == []
    found = call("GET", "/api/v3/integrations/{id}/permissions", id=pk, **{"resource-type": "database"})["data"]
    assert "READ_ONLY" in {one["id"] for one in found}
    for part in ("resources", "permissions"):
        call("GET", f"/api/v3/integrations/{{id}}/{part}", status=404, id="00000000-0000-0000-0000-000000000000")


def test_connectors_are_a_plain_list(story: Story, call: Held) -> None:
    (one,) = call("GET", "/api/v2/connectors")
    assert one["connector_id"] == str(story.integration.connector_id)


def test_a_list_takes_as_many_queries_as_one_integration(story: Story, call: Held) -> None:
    pk, counts = str(story.integration.pk), []
    for number in range(3):
        call("POST", TERRAFORM, body(story, name=f"Shop {number}"))
        if number in (0, 2):
            with CaptureQueriesContext(connection) as caught:
                call("GET", TERRAFORM)
                call("GET", OLDER)
                call("GET", "/api/v2/connectors")
                call("GET", "/api/v2/integrations-catalog")
                call("GET", "/api/v3/integrations/{id}/resources", id=pk)
                call("GET", "/api/v3/integrations/{id}/permissions", id=pk)
            counts.append(len(caught))
    assert counts[0] == counts[1] == QUERIES


# Six lists, each with its token and its owner's roles.
QUERIES = 38
