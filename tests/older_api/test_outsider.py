"""Who may nothing gets nothing at any older address, and what cannot be meant leaves nothing behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern

from accounts.choices import TokenScope
from accounts.models import Attribute
from audit.models import AuditEntry
from flows.actions import define_space, define_webhook
from flows.models import AccessFlow, Bundle, Space, Webhook
from integrations.models import Integration
from tests.api.conftest import bearer
from tests.api.test_every_endpoint import ENDPOINTS, methods_of, view_of
from tests.older_api.conftest import Held
from tests.older_api.test_terraform_flows import body, target
from tests.public.conftest import Api, api
from tests.story import Story

# Endpoints of these modules; access requests of the older versions have a table of their own.
MODULES = ("flows.api.older", "integrations.api.older", "flows.api.spaces")
OURS = {name: one for name, one in ENDPOINTS.items() if view_of(one).__module__.startswith(MODULES)}
EVERY: tuple[type[Model], ...] = (AccessFlow, Bundle, Webhook, Space, Integration, Attribute, AuditEntry)


def filled(name: str, pattern: URLPattern, things: dict[str, str]) -> str:
    """Return the address with ids of what is there."""
    path = f"/{pattern.pattern}"
    noun = next((noun for noun in things if noun in name), "integration")
    for part, value in (
        ("<str:pk>", things[noun]),
        ("<str:identity>", "rita@example.com"),
        ("<str:kind>", "simulated"),
    ):
        path = path.replace(part, value)
    return path


@pytest.fixture
def things(story: Story, call: Held) -> dict[str, str]:
    """Ids of one of everything."""
    columns = {"name": "Hook", "url": "https://example.com/ask"}
    hook = define_webhook(columns, actor=story.by(story.cast.admin))
    space = define_space("Mine", [], actor=story.by(story.cast.admin))
    kit = call("POST", "/api/v1/access-bundles", {"name": "Kit", "integration_targets": [target(story)]})
    return {
        "flow": call("POST", "/api/terraform/v1/access-flows", body(story))["id"],
        "bundle": kit["id"],
        "webhook": str(hook.pk),
        "space": str(space.pk),
        "user": str(story.cast.requester.pk),
        "integration": str(story.integration.pk),
    }


def counted() -> list[int]:
    return [model.objects.count() for model in EVERY]  # type: ignore[attr-defined]


def test_the_walk_finds_them_all() -> None:
    assert len(OURS) == 26


def test_an_outsider_is_refused_everywhere(story: Story, things: dict[str, str]) -> None:
    outsider, reader = api(story.cast.outsider), api(story.cast.admin, TokenScope.ADMIN_READ)
    before = counted()
    for name, pattern in OURS.items():
        for method in map(str.upper, methods_of(pattern)):
            address = filled(name, pattern, things)
            assert "<" not in address
            assert outsider.send(method, address, {}).status_code == 403, (method, address)
            assert Api({}, Client()).send(method, address, {}).status_code == 401, (method, address)
            if method == "GET":
                assert reader.get(address).status_code == 200, address
            else:
                assert reader.send(method, address, {}).status_code == 403, (method, address)
    assert counted() == before


HOSTILE = {
    "too large": ('{"name": "' + "x" * 1_000_001 + '"}', 413),
    "too deep": ('{"name": ' + "[" * 40 + "]" * 40 + "}", 400),
    "no JSON": ("{", 400),
    "not UTF-8": (b"\xff\xfe{}", 400),
    "NUL": ('{"name": "a\\u0000b"}', 400),
    "half a pair": ('{"name": "\\ud800"}', 400),
    "not a number": ('{"revoke_after_in_sec": NaN}', 400),
    "a long number": ('{"revoke_after_in_sec": ' + "9" * 400 + "}", 400),
    "a text": ('"name"', 400),
    "a list of nothing": ("[null]", 400),
    "wrong types": (
        json.dumps(
            {name: {"a": []} for name in ("name", "grantees", "metadata", "params", "type", "members", "settings")}
        ),
        400,
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_bodies_are_refused_and_leave_nothing(story: Story, things: dict[str, str], what: str) -> None:
    told, status = HOSTILE[what]
    header, before, tried = bearer(story.cast.admin), counted(), 0
    for name, pattern in OURS.items():
        for method in set(map(str.upper, methods_of(pattern))) & {"POST", "PUT", "PATCH"}:
            if name == "api_integration_refresh":
                continue
            answer: Any = Client().generic(method, filled(name, pattern, things), told, "application/json", **header)
            assert answer.status_code == status, (method, name, answer.content[:200])
            assert answer["Content-Type"] == "application/problem+json"
            tried += 1
    assert tried == 17
    assert counted() == before


def test_hostile_addresses_are_refused(story: Story, things: dict[str, str]) -> None:
    admin = api(story.cast.admin)
    for name, pattern in OURS.items():
        for value in ("%00", "..", "x" * 2000, "00000000-0000-0000-0000-000000000000", "١٢٣"):
            address = filled(name, pattern, dict.fromkeys(things, value)).replace("simulated", value)
            if address == filled(name, pattern, things):
                continue
            for method in map(str.upper, methods_of(pattern)):
                assert 400 <= admin.send(method, address, {}).status_code < 500, (method, address)
        if "get" in methods_of(pattern):
            for query in ({"limit": "x"}, {"offset": "-1"}, {"limit": "9" * 30}, {"page_token": "forged"}):
                assert admin.get(filled(name, pattern, things), **query).status_code in (200, 400)
    for query in ({"limit": "0"}, {"offset": "1e3"}, {"offset": "\u0663"}):
        assert admin.get("/api/v1/access-flows", **query).status_code == 400
    assert admin.get("/api/admin/v1/spaces", page_token="forged").status_code == 400
