"""Who may open which page: every address of the desk for every role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, reverse

from access_requests.models import (
    AccessRequest,
    AccessSession,
    Approval,
    DriftFinding,
    OverdueWebhook,
    Proof,
    StandingRecord,
    Transition,
)
from accounts.choices import Role
from accounts.models import User
from audit.actor import system
from flows.actions import define_bundle, define_scope, define_space, define_webhook
from flows.models import AccessFlow, AccessScope, Bundle, Proposal, Space, Webhook
from integrations.models import Connector, ConnectorInstance, Integration, Order, Resource
from tests.cast import person
from tests.desk.conftest import signed_in
from tests.story import Story, document, flow, unit

APPS = ("integrations_", "flows_", "requests_")
STAFF = (Role.ADMIN, Role.POWER_USER, Role.DEPLOYMENT, Role.VIEWER)
# What admin, power user, deployment and viewer get, in this order, for a GET and for a POST of nothing.
LOOK, ACT, NOBODY = (200, 200, 200, 200), (200, 200, 200, 403), (403, 403, 403, 403)
POLICY, RECORDS, REVOKING = (200, 200, 403, 403), (200, 200, 403, 200), (302, 302, 403, 403)
NOT_FOUND = (404, 404, 404, 404)
READ_ONLY = {
    "add": (NOBODY, NOBODY),
    "delete": (NOBODY, NOBODY),
    "change": (LOOK, NOBODY),
    "history": (LOOK, LOOK),
    "changelist": (LOOK, LOOK),
}
OWN: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "integrations_integration_changelist": (LOOK, LOOK),
    "integrations_integration_add": (ACT, ACT),
    "integrations_integration_connect": (ACT, ACT),
    "integrations_integration_edit": (ACT, ACT),
    "integrations_integration_change": (LOOK, LOOK),
    "integrations_integration_history": (NOT_FOUND, NOT_FOUND),
    # A POST of nothing is the yes to the question; a request stands in the way.
    "integrations_integration_delete": (ACT, (409, 409, 409, 403)),
    "integrations_integration_press": ((405, 405, 405, 405), (302, 302, 302, 403)),
    "integrations_integration_status": (LOOK, (405, 405, 405, 405)),
    # Of no directory; and people are the admin’s.
    "integrations_integration_directory": ((404, 403, 403, 403), (404, 403, 403, 403)),
    "integrations_integration_going": ((404, 403, 403, 403), (404, 403, 403, 403)),
    "integrations_integration_person": (LOOK, (405, 405, 405, 405)),
    "integrations_connector_changelist": (LOOK, LOOK),
    "integrations_connector_change": (LOOK, LOOK),
    "integrations_connector_history": (NOT_FOUND, NOT_FOUND),
    "integrations_connector_rename": ((405, 405, 405, 405), (302, 302, 302, 403)),
    "integrations_connector_add": (ACT, (422, 422, 422, 403)),
    "integrations_connector_install": (LOOK, LOOK),
    "integrations_connector_functions": (LOOK, LOOK),
    # The one in this server gets no token; it has none that could be revoked.
    "integrations_connector_token": ((405, 405, 405, 405), (302, 302, 302, 403)),
    "integrations_connector_revoketoken": ((405, 405, 405, 405), (404, 404, 404, 403)),
    # A POST of nothing is the yes to the question; an integration stands in the way.
    "integrations_connector_delete": (ACT, (409, 409, 409, 403)),
    "integrations_resource_history": (NOT_FOUND, NOT_FOUND),
    "integrations_order_hurry": ((405, 405, 405, 405), (302, 302, 302, 403)),
    "flows_accessflow_changelist": (LOOK, LOOK),
    "flows_accessflow_add": (POLICY, POLICY),
    "flows_accessflow_change": (LOOK, POLICY),
    "flows_accessflow_history": (LOOK, LOOK),
    "flows_accessflow_delete": (POLICY, (409, 409, 403, 403)),
    "flows_accessflow_switch": (POLICY, POLICY),
    "flows_accessflow_code": (LOOK, LOOK),
    "flows_accessflow_suggest": (POLICY, (405, 405, 405, 405)),
    "flows_accessflow_why": (LOOK, (405, 405, 405, 405)),
    # Of a flow that is asked for, nothing is given by itself.
    "flows_accessflow_automatic": (LOOK, (409, 409, 403, 403)),
    "flows_accessflow_compare": (LOOK, LOOK),
    # A POST that does not say what it has read is too late.
    "flows_accessflow_restore": (POLICY, (409, 409, 403, 403)),
    "flows_bundle_changelist": (LOOK, LOOK),
    "flows_bundle_add": (POLICY, POLICY),
    "flows_bundle_change": (LOOK, POLICY),
    "flows_bundle_history": (LOOK, LOOK),
    "flows_bundle_compare": (LOOK, LOOK),
    "flows_bundle_code": (LOOK, LOOK),
    "flows_bundle_restore": (POLICY, (409, 409, 403, 403)),
    "flows_proposal_changelist": (LOOK, LOOK),
    "flows_proposal_add": (NOBODY, NOBODY),
    "flows_proposal_change": (LOOK, LOOK),
    "flows_proposal_delete": (NOBODY, NOBODY),
    "flows_proposal_history": (NOT_FOUND, NOT_FOUND),
    # Only who proposed it takes it back; only another admin says no, after which it is too late for a yes.
    "flows_proposal_accept": ((405, 405, 405, 405), (302, 403, 403, 403)),
    "flows_proposal_refuse": ((405, 405, 405, 405), (409, 403, 403, 403)),
    "flows_proposal_withdraw": ((405, 405, 405, 405), (409, 409, 409, 409)),
    # A POST of nothing is the yes to the question; a flow stands in the way.
    "flows_bundle_delete": (POLICY, (409, 409, 403, 403)),
    "flows_accessscope_changelist": (LOOK, LOOK),
    "flows_accessscope_add": (POLICY, POLICY),
    "flows_accessscope_change": (LOOK, POLICY),
    "flows_accessscope_history": (LOOK, LOOK),
    "flows_accessscope_compare": (LOOK, LOOK),
    "flows_accessscope_code": (LOOK, LOOK),
    "flows_accessscope_restore": (POLICY, (409, 409, 403, 403)),
    # A POST of nothing is the yes to the question; a flow stands in the way.
    "flows_accessscope_delete": (POLICY, (409, 409, 403, 403)),
    "flows_space_changelist": (LOOK, LOOK),
    "flows_space_add": (POLICY, (422, 422, 403, 403)),
    "flows_space_change": (LOOK, (422, 422, 403, 403)),
    "flows_space_history": (NOT_FOUND, NOT_FOUND),
    # Something lies in it: a POST of nothing is the yes to the question.
    "flows_space_delete": (POLICY, (409, 409, 403, 403)),
    # Only an admin, and an owner of the space, says who belongs to it. A POST of nothing names nobody.
    "flows_space_members": ((405, 405, 405, 405), (422, 403, 403, 403)),
    "flows_space_dismiss": ((405, 405, 405, 405), (302, 403, 403, 403)),
    "integrations_resource_checkquery": ((405, 405, 405, 405), LOOK),
    "integrations_resource_completequery": ((405, 405, 405, 405), LOOK),
    "flows_webhook_changelist": (LOOK, LOOK),
    "flows_webhook_add": (POLICY, POLICY),
    "flows_webhook_change": (LOOK, POLICY),
    "flows_webhook_history": (LOOK, LOOK),
    # A POST of nothing is the yes to the question; a flow stands in the way.
    "flows_webhook_delete": (POLICY, (409, 409, 403, 403)),
    "requests_accessrequest_revoke": (REVOKING, REVOKING),
    "requests_overduewebhook_changelist": (RECORDS, RECORDS),
    "requests_overduewebhook_add": (POLICY, POLICY),
    "requests_overduewebhook_change": (RECORDS, NOBODY),
    "requests_overduewebhook_delete": (POLICY, POLICY),
    "requests_overduewebhook_history": (RECORDS, RECORDS),
    "requests_driftfinding_change": (RECORDS, RECORDS),
    "requests_driftfinding_history": (NOT_FOUND, NOT_FOUND),
    "requests_driftfinding_look": ((405, 405, 405, 405), (302, 302, 403, 403)),
    # A POST of nothing lacks the reason.
    "requests_driftfinding_decide": ((405, 405, 405, 405), (422, 422, 403, 403)),
}


def names() -> list[str]:
    """Return the names of all addresses of the desk."""
    found = []
    for model, desk in admin.site._registry.items():
        patterns = [one for one in desk.urls if isinstance(one, URLPattern) and one.name]
        if f"{model._meta.app_label}_" in APPS:
            found += [str(one.name) for one in patterns]
    return sorted(set(found))


def expected(name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what the roles get: from the table, or as for every read-only model."""
    if name in OWN:
        return OWN[name]
    both = READ_ONLY[name.rpartition("_")[2]]
    if name.startswith("requests_"):
        return tuple(RECORDS if one == LOOK else one for one in both)  # type: ignore[return-value]
    return both


@pytest.fixture
def rows(story: Story) -> dict[str, Any]:
    """One row of everything, by the model's name."""
    story.target.standing = [unit("orders_dev", "ADMIN")]
    story.granted("orders_prod")
    story.later(hours=2)
    kit = define_bundle("Kit", document(story.integration)["targets"], actor=system())
    flow(story.integration, "With a bundle", targets=[{"kind": "bundle", "bundle": str(kit.pk)}])
    prod = define_scope("Prod", 'resource_tag["env"] = "prod"', actor=system())
    flow(story.integration, "With a scope", targets=[{"kind": "access_scope", "access_scope": str(prod.pk)}])
    Proposal.objects.create(
        kind="flow", name="Open", why="It takes two.", proposed_by=story.cast.requester,
        change={"verb": "define", "told": {"columns": {}, "document": {}}, "openings": []},
    )  # fmt: skip
    hook = define_webhook({"name": "Ticket", "url": "https://tickets.example.com/"}, actor=system())
    flow(story.integration, "With a webhook", checks=[str(hook.pk)])
    space = define_space("Payments", [prod], actor=system())
    define_scope("Within payments", prod.query, actor=system(), space=str(space.pk))
    policy = (AccessFlow, AccessScope, Bundle, Webhook, Proposal, Space)
    models = (Integration, Connector, ConnectorInstance, Resource, Order, *policy, AccessRequest)
    records = (AccessSession, Approval, Transition, StandingRecord, Proof)
    DriftFinding.objects.create(
        kind="foreign", integration=story.integration, person=story.cast.requester, login="rita",
        resource_type="database", resource="orders_dev", permission="ADMIN",
        resource_name="server/orders_dev", permission_name="Admin",
    )  # fmt: skip
    OverdueWebhook.objects.create(webhook=hook)
    records += (DriftFinding, OverdueWebhook)
    return {model._meta.model_name or "": model.objects.first() for model in (*models, *records)}  # type: ignore[attr-defined]


def address(name: str, rows: dict[str, Any]) -> str:
    """Return an address of that name."""
    model, what = name.split("_")[1:]
    arguments: dict[str, Callable[[], list[Any]]] = {
        "add": list,
        "changelist": list,
        "suggest": list,
        "checkquery": list,
        "completequery": list,
        "why": list,
        "revoke": list,
        "connect": lambda: ["simulated"],
        "person": lambda: [User.objects.get(email="rita@example.com").pk],
        "press": lambda: [rows[model].pk, "check"],
        "revoketoken": lambda: [rows[model].pk, 0],
        "look": lambda: [rows["integration"].pk],
        "decide": lambda: [rows[model].pk, "accept"],
        "restore": lambda: [rows[model].pk, 1],
        "dismiss": lambda: [rows[model].pk, 0],
    }
    return reverse(f"admin:{name}", args=arguments.get(what, lambda: [rows[model].pk])())


def test_the_desk_has_the_pages_it_should() -> None:
    found = set(names())
    assert set(OWN) <= found
    models = {name.split("_")[1] for name in found}
    assert models == {
        *("integration", "connector", "connectorinstance", "resource", "order", "accessflow", "bundle", "webhook"),
        *(
            "accessscope",
            "space",
            "proposal",
            "accessrequest",
            "accesssession",
            "approval",
            "transition",
            "standingrecord",
            "driftfinding",
            "overduewebhook",
            "proof",
        ),
    }
    assert all(name in OWN or name.rpartition("_")[2] in READ_ONLY for name in found)


def test_each_role_gets_what_it_may(rows: dict[str, Any]) -> None:
    clients = [signed_in(person(role.label.replace(" ", ""), role)) for role in STAFF]
    wrong = []
    for name in names():
        where = address(name, rows)
        for method, statuses in zip(("get", "post"), expected(name), strict=True):
            got = tuple(getattr(client, method)(where).status_code for client in clients)
            if got != statuses:
                wrong.append((name, method, got, statuses))
    assert wrong == []


def test_who_is_no_staff_is_sent_to_sign_in(rows: dict[str, Any], story: Story) -> None:
    disabled = person("Dora", Role.ADMIN)
    client_of_disabled = signed_in(disabled)
    User.objects.filter(pk=disabled.pk).update(is_active=False)
    outside = [Client(), signed_in(story.cast.outsider), signed_in(story.cast.requester), client_of_disabled]
    before = Order.objects.count()
    for name in names():
        where = address(name, rows)
        for client in outside:
            for answer in (client.get(where), client.post(where)):
                assert answer.status_code == 302, name
                assert "/login/" in answer["Location"], name
    assert Order.objects.count() == before


def test_ids_that_are_none_are_not_found(rows: dict[str, Any], desk: Client) -> None:
    for kind in ("integrations_integration", "flows_accessflow"):
        for id_ in ("nothing", "00000000-0000-0000-0000-000000000000", "'"):
            assert desk.get(reverse(f"admin:{kind}_change", args=[id_])).status_code == 404


def test_no_page_needs_a_script_or_a_style_that_the_policy_forbids(rows: dict[str, Any], desk: Client) -> None:
    import re

    forbidden = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    for name in names():
        answer = desk.get(address(name, rows))
        if answer.status_code == 200:
            assert forbidden.findall(answer.content.decode()) == [], name
            assert "script-src 'self'" in answer["Content-Security-Policy"], name
