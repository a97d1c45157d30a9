"""Integrations and connectors as a Terraform provider keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import TokenScope
from accounts.models import Group
from audit.models import AuditEntry
from connectors.registry import BUILT_IN
from integrations.actions import create_connector
from integrations.actions.secrets import resolve
from integrations.api.mapping import CATEGORIES, category_of
from integrations.api.stores import reference_shown, reference_wanted
from integrations.models import Integration
from tests.public.conftest import Api, api, fields
from tests.story import Story

ALL, CONNECTORS = "/api/admin/v4/integrations", "/api/admin/v3/connectors"


def body(story: Story, **change: Any) -> dict[str, Any]:
    return {
        "name": "Shop",
        "type": "simulated",
        "connector_id": str(story.integration.connector_id),
        "connected_resource_types": ["database"],
        "integration_config": {"hostname": "shop.example"},
        "secret_store_config": {"aws": {"region": "eu-central-1", "secret_id": "prod/shop"}},
    } | change


def test_an_integration_is_made_read_changed_and_deleted(story: Story, admin: Api) -> None:
    made = admin.made(ALL, body(story))
    assert admin.get(f"{ALL}/{made['id']}").json() == made
    assert {name: made[name] for name in body(story)} == body(story)
    assert made["status"] == "Initializing"
    assert made["category"] == "RESOURCES"
    assert not {"owner", "owners_mapping", "custom_access_details", "last_sync_time", "latchkey"} & set(made)
    changed = admin.changed(f"{ALL}/{made['id']}", body(story, name="Shop 2", custom_access_details="Ask Ada."))
    assert (changed["name"], changed["custom_access_details"]) == ("Shop 2", "Ask Ada.")
    assert admin.send("DELETE", f"{ALL}/{made['id']}").status_code == 204
    assert admin.get(f"{ALL}/{made['id']}").status_code == 404


def test_the_second_plan_is_empty_and_checks_nothing_anew(story: Story, admin: Api) -> None:
    Group.objects.create(name="owners")
    config = {"hostname": "shop.example", "credentials_cleanup_period_in_days": "90"}
    told = body(
        story,
        integration_config=config,
        owner={"attribute_type": "group", "attribute_value": ["owners"], "source_integration_reference": ""},
        owners_mapping={"key_name": "owner", "attribute_type": "group"},
        custom_access_details="",
    )
    made = admin.made(ALL, told)
    assert made["integration_config"] == config, "usual values that were written are told, others are not"
    assert made["owner"] == {"attribute_type": "group", "attribute_value": ["owners"]}
    assert made["owners_mapping"] == told["owners_mapping"]
    entries = AuditEntry.objects.count()
    assert admin.changed(f"{ALL}/{made['id']}", told) == made
    assert AuditEntry.objects.count() == entries
    less = {name: value for name, value in told.items() if name not in ("owner", "owners_mapping")}
    assert not {"owner", "owners_mapping"} & set(admin.changed(f"{ALL}/{made['id']}", less))


def test_where_owners_come_from_is_told_back(story: Story, admin: Api) -> None:
    source = {"source_integration_reference": story.integration.name}
    told = body(story, owners_mapping={"key_name": "owner", "attribute_type": "shift"} | source)
    shown = admin.made(ALL, told)["owners_mapping"]
    assert shown["source_integration_name"] == story.integration.name
    assert shown["source_integration_id"] == str(story.integration.pk)


def test_secrets_of_the_built_in_store_are_taken_and_never_told(story: Story, admin: Api) -> None:
    store = {"apono": {"parameters": {"password": "hush-hush-hush"}}}
    made = admin.made(ALL, body(story, secret_store_config=store))
    assert "secret_store_config" not in made
    row = Integration.objects.get(pk=made["id"])
    assert resolve(row)["password"].reveal() == "hush-hush-hush"
    admin.changed(f"{ALL}/{made['id']}", body(story, secret_store_config=None, name="Other"))
    assert resolve(row)["password"].reveal() == "hush-hush-hush", "what is not given stays"
    assert "hush" not in str([*AuditEntry.objects.values_list("details", flat=True)])
    assert "hush" not in str(Integration.objects.filter(pk=row.pk).values())


def test_what_was_made_on_a_page_is_imported(story: Story, admin: Api) -> None:
    (shown,) = admin.get(ALL, type="simulated", status="Active,Initializing", category="RESOURCES").json()["items"]
    assert shown["id"] == str(story.integration.pk)
    assert "password" not in shown["integration_config"]
    assert admin.get(ALL, category="USER-INFORMATION").json()["items"] == []
    assert admin.get(ALL, connector_id="00000000-0000-0000-0000-000000000000").json()["items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "no-such"}, "type"),
        ({"name": "x" * 151}, "name"),
        ({"integration_config": {}}, "integration_config.hostname"),
        ({"integration_config": {"hostname": "a", "colour": "b"}}, "integration_config.colour"),
        ({"integration_config": {"hostname": "a", "password": "b"}}, "integration_config.password"),
        ({"integration_config": {"hostname": "a", "credentials_rotation_period_in_days": "soon"}},
         "integration_config.credentials_rotation_period_in_days"),
        ({"secret_store_config": None}, "integration_config.password"),
        ({"secret_store_config": {"aws": {"region": "a"}}}, "secret_store_config.aws.secret_id"),
        ({"connected_resource_types": ["table"]}, "connected_resource_types"),
        ({"connector_id": "somewhere"}, "connector_id"),
        ({"owner": {"attribute_type": "group", "attribute_value": ["nobody"]}}, "owner.attribute_value"),
        ({"owner": {"attribute_type": "shift", "attribute_value": ["x"]}}, "owner.attribute_type"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_leaves_nothing(story: Story, admin: Api, change: Any, field: str) -> None:
    assert field in fields(admin.send("POST", ALL, body(story, **change)))
    assert Integration.objects.count() == 1


@pytest.mark.parametrize(
    "told",
    [
        {"aws": {"region": "eu-central-1", "secret_id": "prod/shop"}},
        {"aws": {"region": "eu-central-1", "secret_id": "arn:aws:secretsmanager:eu-central-1:1:secret:shop-1"}},
        {"gcp": {"project": "shop", "secret_id": "db"}},
        {"kubernetes": {"namespace": "prod", "name": "shop"}},
        {"azure": {"vault_url": "https://shop.vault.azure.net", "name": "db"}},
        {"hashicorp_vault": {"secret_engine": "kv", "path": "prod/shop"}},
        {"environment": {"name": "SHOP"}},
        {"file": {"name": "shop.json"}},
    ],
)
def test_a_reference_to_a_store_comes_back_as_it_was(told: dict[str, Any]) -> None:
    where = reference_wanted(told)
    assert where is not None
    assert reference_shown(*where) == told


def test_connectors_are_read_renamed_and_deleted(story: Story, admin: Api) -> None:
    spare = create_connector("Spare", actor=story.by(story.cast.admin))
    listed = admin.get(CONNECTORS).json()["items"]
    assert {one["name"] for one in listed} >= {"Spare"}
    read = admin.get(f"{CONNECTORS}/{spare.pk}").json()
    assert (read["status"], read["version"], read["sessions"]) == ("DISCONNECTED", "", [])
    assert admin.changed(f"{CONNECTORS}/{spare.pk}", {"name": "Other"})["name"] == "Other"
    assert fields(admin.send("PUT", f"{CONNECTORS}/{spare.pk}", {"name": " "})) == {"name"}
    assert admin.send("DELETE", f"{CONNECTORS}/{story.integration.connector_id}").status_code == 409
    assert admin.send("DELETE", f"{CONNECTORS}/{spare.pk}").status_code == 204
    assert admin.get(f"{CONNECTORS}/{spare.pk}").status_code == 404
    assert "Other" not in {one["name"] for one in admin.get(CONNECTORS, status="DISCONNECTED").json()["items"]}


def test_who_may_not_is_refused_on_every_address(story: Story, admin: Api) -> None:
    outsider, reader = api(story.cast.outsider), api(story.cast.admin, TokenScope.ADMIN_READ)
    for address, pk in ((ALL, story.integration.pk), (CONNECTORS, story.integration.connector_id)):
        for method, where in (("GET", ""), ("POST", ""), ("GET", pk), ("PUT", pk), ("DELETE", pk)):
            target = f"{address}/{where}".rstrip("/")
            assert outsider.send(method, target, {}).status_code == 403
            assert Api({}, admin.client).send(method, target, {}).status_code == 401
            if method != "GET":
                assert reader.send(method, target, {}).status_code == 403


def test_a_page_takes_as_many_queries_as_one_integration(story: Story, admin: Api) -> None:
    counts = []
    for number in range(3):
        admin.made(ALL, body(story, name=f"Shop {number}"))
        if number in (0, 2):
            for address in (ALL, CONNECTORS):
                with CaptureQueriesContext(connection) as caught:
                    admin.get(address)
                counts.append(len(caught))
    assert counts[:2] == counts[2:]
    assert max(counts) <= QUERIES


# The token with its owner, roles, and what is shown; however many there are.
QUERIES = 8


def test_every_provider_of_ours_is_of_a_category_that_clients_know() -> None:
    assert {category_of(one) for one in BUILT_IN.manifests().values()} <= set(CATEGORIES)
