"""Everybody sees only what is theirs: every address of the client API, asked by somebody who has no part in it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from access_requests import actions
from access_requests.api.client.urls import urlpatterns
from access_requests.models import AccessRequest, AccessSession
from flows.models import AccessFlow
from tests.client_api.calling import BASE, Caller, ask_body
from tests.client_api.conftest import Desk
from tests.story import allow_extensions

# Addresses that name one thing: method, and what a client sends. {request}, {group}, {session}, {template}.
THEIRS: dict[str, Any] = {
    "get access-requests/{request}": None,
    "post access-requests/{request}/approve": {},
    "post access-requests/{request}/reject": {},
    "post access-requests/{request}/revoke": None,
    "post access-requests/{request}/extend": None,
    "post access-requests/{request}/favorite": {"favorite": True},
    "post access-requests/{request}/request-again": {"justification": "x"},
    "post access-requests/{request}/dry-run": None,
    "get access-groups/{group}/details": None,
    "get access-groups/{group}/units": None,
    "post access-groups/{group}/reset": None,
    "get access-sessions/{session}": None,
    "get access-sessions/{session}/access-details?consumed_by=cli": None,
    "get access-sessions/{session}/request-template": None,
    "post access-sessions/{session}/reset-credentials": None,
    "get inventory/integrations?session_id={session}": None,
    "get access-request-templates/{template}": None,
    "put access-request-templates/{template}": {"name": "mine now"},
    "delete access-request-templates/{template}": None,
}
# Addresses that list, and what else answers for oneself.
LISTS = {
    "get access-requests?scope=MyRequests": None,
    "get access-requests?scope=MyTasks": None,
    "get access-requests?scope=MyHistoricTasks": None,
    "get access-requests?scope=MyDelegatedRequests": None,
    "get access-requests/access_units?request_id={request}": None,
    "get access-sessions?include_disconnected=true": None,
    "get access-session-groups": None,
    "post access-session-sync": None,
    "post access-requests/pass-mfa": None,
    "post access-requests/dry-run": ask_body(filter_resource_ids=["orders_prod"], filter_permission_ids=["READ_ONLY"]),
    "post justification-validation": ask_body(),
    "get inventory/integrations": None,
    "get inventory/resource-types": None,
    "get inventory/resources": None,
    "get inventory/permissions": None,
    "get inventory/access-units": None,
    "get inventory/bundles": None,
    "get inventory/grantees": None,
    "get filters/integrations": None,
    "get filters/options?key=requestor_ids": None,
    "get filters/options?key=integration_ids": None,
    "get access-request-templates": None,
    "get cli-notifications": None,
    "get assistant/conversations": None,
}
SECRETS = ("orders_prod", "Rita", "rita@", "Simulated server", "night")


@pytest.fixture
def names(desk: Desk) -> dict[str, str]:
    """Rita's access with a password nobody has seen, an extension that waits, and a template."""
    story, rita = desk.story, desk.story.cast.requester
    request = story.granted("orders_prod")
    allow_extensions(AccessFlow.objects.get(), 1, 600)
    actions.extend(request, user=rita, actor=story.by(rita), seconds=600, justification="more", at=story.now)
    template = actions.keep_template(actions.Template("night"), user=rita, actor=story.by(rita))
    session = story.session(request)
    return {
        "request": f"AR-{request.pk}",
        "group": str(session.group_id),
        "session": str(session.pk),
        "template": str(template.pk),
    }


def call(who: Caller | Client, line: str, names: dict[str, str], body: Any) -> Any:
    method, _, path = line.format(**names).partition(" ")
    path, _, query = path.partition("?")
    told = dict(part.split("=") for part in query.split("&")) if query else {}
    if isinstance(who, Caller):
        return who.send(method, path, body, **told)
    return getattr(who, method)(f"{BASE}{path}")


def told(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_outsider_gets_nothing_of_it_and_changes_nothing(desk: Desk, names: dict[str, str]) -> None:
    nothing = {"request": "AR-999999", **dict.fromkeys(("group", "session", "template"), str(uuid.uuid4()))}
    for line, body in THEIRS.items():
        theirs, none = call(desk.otto, line, names, body), call(desk.otto, line, nothing, body)
        assert (theirs.status_code, none.status_code) == (404, 404), line
        assert theirs.json() == none.json(), line
    for line, body in LISTS.items():
        answer = call(desk.otto, line, names, body)
        assert answer.status_code == 200, line
        assert not [word for word in SECRETS if word in told(answer)], line
    request = AccessRequest.objects.get()
    assert request.state == "active"
    assert request.extensions.get().state == "pending"
    assert AccessSession.objects.get().credentials_status == "AVAILABLE"


def test_without_a_good_token_everything_is_a_401(desk: Desk, names: dict[str, str]) -> None:
    signed_in = Client()
    signed_in.force_login(desk.story.cast.requester)
    stale = Client(headers={"Authorization": "Bearer lk_nothing"})
    for line, body in (THEIRS | LISTS).items():
        for browser in (signed_in, stale):
            answer = call(browser, line, names, body)
            assert answer.status_code == 401, line
            assert not [word for word in SECRETS if word in told(answer)], line


def test_every_address_is_in_a_table() -> None:
    lines = [line.partition(" ")[2].partition("?")[0] for line in (*THEIRS, *LISTS)]
    known = {"/".join("*" if part.startswith("{") else part for part in line.split("/")) for line in lines}
    optional = ("assistant/", "agentic/", "analytics", "logs", "mcp", "action-approval")
    there = {str(one.pattern).replace("<str:pk>", "*").removeprefix(BASE[1:]) for one in urlpatterns}
    assert {one for one in there if not one.startswith(optional)} <= known | {"cli-notifications"}
    assert get_resolver().resolve(f"/{BASE.strip('/')}/access-requests")


def test_an_approver_sees_the_request_and_none_of_the_credentials(desk: Desk, names: dict[str, str]) -> None:
    abel = desk.abel
    assert abel.get(f"access-requests/{names['request']}")["access_groups"][0]["has_new_credentials"] is False
    assert abel.get(f"access-groups/{names['group']}/units")["data"][0]["status"] == {"status": "Active"}
    for line in ("get access-groups/{group}/details", "get access-sessions/{session}/access-details?consumed_by=x"):
        assert call(abel, line, names, None).status_code == 404
    assert call(abel, "post access-groups/{group}/reset", names, None).status_code == 404
    assert abel.send("post", f"access-requests/{names['request']}/favorite", {"favorite": True}).status_code == 403
    assert AccessSession.objects.get().credentials_status == "AVAILABLE"


def test_who_asked_may_not_answer(desk: Desk) -> None:
    request = desk.story.ask("orders_dev")
    assert desk.rita.send("post", f"access-requests/AR-{request.pk}/approve", {}).status_code == 403
    assert AccessRequest.objects.get().state == "pending"
