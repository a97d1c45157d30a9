"""Webhooks as an older Terraform provider keeps them. What says who we are is told to nobody who reads."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import AuditEntry
from flows.actions import ask_webhook, question_of
from flows.models import Webhook
from tests.older_api.conftest import Held, refused
from tests.older_api.provider import Part, Resource
from tests.story import Story

HOOKS = "/api/terraform/v1/webhooks/manual"
OAUTH = {
    "client_id": "latchkey",
    "client_secret": "hush-hush-hush",
    "token_endpoint_url": "https://login.example.com/token",
    "scopes": ["tickets.read", "tickets.list"],
}


def http(**change: Any) -> Part:
    told = {"url": "https://tickets.example.com/check", "method": "POST", "headers": {"X-Team": "payments"}}
    return {"http_request": told | change, "integration": None}


def body(**change: Any) -> Part:
    return {
        "name": "Tickets",
        "active": True,
        "type": http(),
        "body_template": None,
        "response_validators": None,
        "timeout_in_sec": None,
        "authentication_config": None,
        "custom_validation_error_message": None,
    } | change


WHOLE = body(
    body_template='{ "who":  "{{data.requester.email}}",\n "why": "{{ request.justification }}" }',
    response_validators=[
        {"json_path": "$.state", "expected_values": ["approved"]},
        {"json_path": "$.open", "expected_values": ["true"]},
    ],
    timeout_in_sec=10,
    custom_validation_error_message="The ticket is not approved yet.",
)


@pytest.mark.parametrize(
    "config",
    [body(), WHOLE, body(active=False), *(body(type=http(method=one)) for one in ("PUT", "DELETE", "GET", "PATCH"))],
)
def test_a_webhook_lives_as_terraform_has_it(story: Story, call: Held, config: Part) -> None:
    hook = Resource(call, HOOKS)
    hook.apply(config)
    assert hook.plan(config) == []
    assert hook.imported(config).changes(config) == []
    entries = AuditEntry.objects.count()
    hook.apply({name: value for name, value in config.items() if value is not None})
    assert hook.plan(config) == []
    assert AuditEntry.objects.count() == entries
    changed = config | {"name": "Other", "timeout_in_sec": 20, "type": http(headers={})}
    assert "name" in hook.plan(changed)
    hook.apply(changed)
    assert hook.plan(changed) == []
    hook.destroy()


def test_a_template_is_kept_as_json_with_our_slots(story: Story, call: Held) -> None:
    made = call("POST", HOOKS, WHOLE)
    row = Webhook.objects.get(pk=made["id"])
    assert row.body == {"who": "{{ requestor.email }}", "why": "{{ request.justification }}"}
    assert made["body_template"] == WHOLE["body_template"]
    row.body = {"who": "changed on the page"}
    row.save()
    assert call("GET", f"{HOOKS}/{{id}}", id=made["id"])["body_template"] == '{"who": "changed on the page"}'


def test_secrets_are_told_once_to_who_wrote_them(story: Story, call: Held) -> None:
    config = body(
        type=http(headers={"Authorization": "Basic abc", "X-Team": "payments"}),
    )
    hook = Resource(call, HOOKS)
    hook.apply(config)
    read = call("GET", f"{HOOKS}/{{id}}", id=hook.pk)
    assert read["type"]["http_request"]["headers"] == {"Authorization": "********", "X-Team": "payments"}
    kept = body(type=http(headers=read["type"]["http_request"]["headers"]))
    assert hook.plan(kept) == [], "who writes what is read back keeps it"
    call("PUT", f"{HOOKS}/{{id}}", kept, id=hook.pk)
    assert Webhook.objects.get(pk=hook.pk).secrets.get().field == "header:Authorization"
    both = body(authentication_config={"oauth": OAUTH})
    hook.apply(both)
    told = call("GET", f"{HOOKS}/{{id}}", id=hook.pk)["authentication_config"]["oauth"]
    assert told == OAUTH | {"client_secret": "********"}
    hook.apply(body(authentication_config={"oauth": told}))
    assert hook.plan(body(authentication_config={"oauth": told})) == []
    trail = str([*AuditEntry.objects.values_list("details", flat=True)]) + str(Webhook.objects.values())
    assert "hush" not in trail
    assert "abc" not in trail


def test_a_kept_secret_goes_nowhere_else(story: Story, call: Held) -> None:
    made = call("POST", HOOKS, body(type=http(headers={"Authorization": "Basic abc"})))
    elsewhere = body(type=http(headers={"Authorization": "********"}, url="https://thief.example.com/"))
    call("PUT", f"{HOOKS}/{{id}}", elsewhere, 400, id=made["id"])
    assert "tickets" in Webhook.objects.get().url


def test_what_is_switched_off_is_no_yes_and_is_not_asked(story: Story, call: Held) -> None:
    made = call("POST", HOOKS, body(active=False))
    answer = ask_webhook(question_of(Webhook.objects.get(pk=made["id"])), {}, key="x")
    assert (answer.verdict.said, answer.status) == ("failed", None)


def test_what_the_contract_has_no_word_for_stays(story: Story, call: Held) -> None:
    made = call("POST", HOOKS, body())
    more = [{"path": "$.owner", "operator": "is_not", "value": "nobody"}]
    Webhook.objects.update(validators=more)
    call("PUT", f"{HOOKS}/{{id}}", WHOLE, id=made["id"])
    assert [one["operator"] for one in Webhook.objects.get().validators] == ["is", "is", "is_not"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"type": {}}, "type.http_request"),
        ({"type": {"integration": {"integration_id": "x", "action_name": "y"}}}, "type.integration"),
        ({"type": http(method="HEAD")}, "type.http_request.method"),
        ({"type": http(url="ftp://example.com")}, "type.http_request.url"),
        ({"type": http(headers={"a b": "c"})}, "type.http_request.headers"),
        ({"type": http(headers={"Authorization": "********"})}, "type.http_request.headers"),
        ({"type": http(headers=["a"])}, "type.http_request.headers"),
        ({"body_template": "{{ data.id }} is no JSON"}, "body_template"),
        ({"body_template": '{"a": "{{ data.nothing }}"}'}, "body_template"),
        ({"body_template": "[" * 40 + "]" * 40}, "body_template"),
        ({"response_validators": [{"json_path": "$.a", "expected_values": []}]},
         "response_validators.0.expected_values"),
        ({"response_validators": [{"json_path": "]", "expected_values": ["a"]}]}, "response_validators"),
        ({"timeout_in_sec": 61}, "timeout_in_sec"),
        ({"authentication_config": {"oauth": OAUTH | {"scopes": ["a b"]}}}, "authentication_config.oauth.scopes.0"),
        ({"custom_validation_error_message": "x" * 301}, "custom_validation_error_message"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_leaves_nothing(story: Story, call: Held, change: Part, field: str) -> None:
    assert field in refused(call("POST", HOOKS, body(**change), 400))
    assert not Webhook.objects.exists()
