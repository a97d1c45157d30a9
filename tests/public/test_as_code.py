"""Terraform text: what it says, applied by the API to an empty system, makes the same thing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.rest.terraform import block
from flows.api.terraform import bundle_text, flow_text, scope_text
from flows.models import AccessFlow, AccessScope, Bundle
from integrations.api.terraform import integration_text
from integrations.models import Integration
from tests.contracts import PUBLIC, assert_answers, document, needs_contracts
from tests.public.conftest import Api
from tests.public.hcl import read
from tests.public.test_flows import BUNDLES, FLOWS, SCOPES, body, integration_target
from tests.public.test_integrations import ALL
from tests.public.test_integrations import body as integration_body
from tests.story import Story

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["${a}", "%{if x}", "\\b\b\f$${"]
)


@given(
    st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), texts | st.booleans() | st.lists(texts), max_size=4)
)
def test_values_come_back_from_the_text_as_they_were(values: dict[str, Any]) -> None:
    assert read(block("thing", "A", values))[1] == values


def as_client(told: Any, inside: str = "") -> Any:
    """Return attributes of the text as a provider sends them."""
    if isinstance(told, list):
        return [as_client(one, inside) for one in told]
    if not isinstance(told, dict):
        return told
    names = {
        "integration_name": "integration_reference",
        "source_integration_name": "source_integration_reference",
        "requester_cannot_approve_self": "requestor_cannot_approve_himself",
    }
    names |= {"name": f"{inside}_reference"} if inside in ("bundle", "access_scope") else {}
    names |= {"type": "attribute_type", "values": "attribute_value"} if inside == "owner" else {}
    return {names.get(key, key): as_client(value, key) for key, value in told.items()}


def test_policy_as_text_makes_the_same_policy_elsewhere(story: Story, admin: Api) -> None:
    scope = admin.made(SCOPES, {"name": "Prod ${x}", "description": "a\nb", "query": 'resource_tag["env"] = "prod"'})
    targets = [
        integration_target(story.integration.name, "READ_ONLY"),
        {"access_scope": {"access_scope_reference": scope["id"]}},
    ]
    bundle = admin.made(BUNDLES, {"name": "Kit", "access_targets": targets})
    told = body(
        story,
        access_targets=[{"bundle": {"bundle_reference": "Kit"}}, {"query_target": {"query": 'resource_name = "a"'}}],
        latchkey={"ticket_pattern": "INC-[0-9]+"},
        timeframe={"start_time": "08:00", "end_time": "17:00", "days_of_week": ["MONDAY"], "time_zone": "UTC"},
    )
    flow = admin.made(FLOWS, told)
    made = [
        (SCOPES, scope, scope_text(AccessScope.objects.get())),
        (BUNDLES, bundle, bundle_text(Bundle.objects.get())),
        (FLOWS, flow, flow_text(AccessFlow.objects.get())),
    ]
    for address, thing, _ in reversed(made):
        assert admin.send("DELETE", f"{address}/{thing['id']}").status_code == 204
    for address, thing, text in made:
        again = admin.made(address, as_client(read(text)[1]))
        assert without_ids(again) == without_ids(thing), text


def without_ids(told: Any) -> Any:
    if isinstance(told, list):
        return [without_ids(one) for one in told]
    if not isinstance(told, dict):
        return told
    gone = ("id", "creation_date", "update_date", "bundle_id", "access_scope_id")
    return {key: without_ids(value) for key, value in told.items() if key not in gone}


def test_an_integration_as_text_makes_the_same_elsewhere(story: Story, admin: Api) -> None:
    owner = {"attribute_type": "user", "attribute_value": ["rita@example.com"]}
    made = admin.made(
        ALL, integration_body(story, owner=owner, owners_mapping={"key_name": "o", "attribute_type": "group"})
    )
    kind, told = read(integration_text(Integration.objects.get(pk=made["id"])))
    assert kind.endswith("_resource_integration")
    assert admin.send("DELETE", f"{ALL}/{made['id']}").status_code == 204
    assert without_ids(admin.made(ALL, as_client(told))) == without_ids(made)


def test_a_secret_is_not_in_the_text(story: Story, admin: Api) -> None:
    store = {"apono": {"parameters": {"password": "hush-hush-hush"}}}
    made = admin.made(ALL, integration_body(story, secret_store_config=store))
    assert "hush" not in integration_text(Integration.objects.get(pk=made["id"]))


def test_pages_show_the_text(story: Story, admin: Api) -> None:
    client = Client()
    client.force_login(story.cast.admin)
    flow = admin.made(FLOWS, body(story))
    scope = admin.made(SCOPES, {"name": "Prod", "query": 'resource_name = "a"'})
    bundle = admin.made(BUNDLES, {"name": "Kit", "access_targets": body(story)["access_targets"]})
    pages = {
        f"/admin/flows/accessflow/{flow['id']}/code/": "access_flow_v2",
        f"/admin/flows/bundle/{bundle['id']}/code/": "bundle_v2",
        f"/admin/flows/accessscope/{scope['id']}/code/": "access_scope",
        f"/admin/integrations/integration/{story.integration.pk}/change/": "resource_integration",
    }
    for address, kind in pages.items():
        page = client.get(address)
        assert page.status_code == 200, address
        assert f"_{kind}&quot;" in page.content.decode(), address
    outsider = Client()
    outsider.force_login(story.cast.outsider)
    for address in pages:
        assert outsider.get(address).status_code in (302, 403, 404)


@needs_contracts
@pytest.mark.parametrize(
    "kind", ["flows", "bundles", "scopes", "integrations", "connectors", "groups", "users", "attributes"]
)
def test_answers_are_as_the_document_says(story: Story, admin: Api, kind: str) -> None:
    scope = admin.made(SCOPES, {"name": "Prod", "query": 'resource_name = "a"'})
    bundle = admin.made(
        BUNDLES, {"name": "Kit", "access_targets": [{"access_scope": {"access_scope_reference": "Prod"}}]}
    )
    flow = admin.made(
        FLOWS, body(story, access_targets=[*body(story)["access_targets"], {"bundle": {"bundle_reference": "Kit"}}])
    )
    group = admin.made("/api/admin/v1/groups", {"name": "Night", "members_emails": ["rita@example.com"]})
    address, pk = {
        "flows": (FLOWS, flow["id"]),
        "bundles": (BUNDLES, bundle["id"]),
        "scopes": (SCOPES, scope["id"]),
        "integrations": (ALL, str(story.integration.pk)),
        "connectors": ("/api/admin/v3/connectors", str(story.integration.connector_id)),
        "groups": ("/api/admin/v1/groups", group["id"]),
        "users": ("/api/admin/v3/users", str(story.cast.admin.pk)),
        "attributes": ("/api/admin/v1/attributes", ""),
    }[kind]
    published = copy.deepcopy(document(PUBLIC))
    # It says that this is an object and a string at once, which nothing can be; elsewhere it is a string.
    published["components"]["schemas"]["AccessFlowV2"]["properties"]["creation_date"]["type"] = "string"
    assert_answers(admin.get(address), published, address, "get")
    if pk:
        assert_answers(admin.get(f"{address}/{pk}"), published, f"{address}/{{id}}", "get")
    if kind == "groups":
        assert_answers(admin.get(f"{address}/{pk}/members"), published, f"{address}/{{id}}/members", "get")
