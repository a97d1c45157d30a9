"""Requests and their records in the admin site."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access_requests import actions
from access_requests.models import AccessRequest, AccessSession, Approval, Proof, StandingRecord, Transition
from audit.models import AuditEntry
from connectors.contract.errors import Unreachable
from tests.desk.conftest import signed_in
from tests.story import Story, unit

LIST = "admin:requests_accessrequest_changelist"


@pytest.fixture
def held(story: Story) -> AccessRequest:
    """A request whose access is active, beside access that was there before."""
    story.target.standing = [unit("orders_dev", "ADMIN")]
    request = story.granted("orders_prod")
    assert request.state == "active"
    return request


def change(row: object) -> str:
    """Return the address of a row's page."""
    meta = row._meta  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])  # type: ignore[attr-defined]


def revoke_page(*requests: AccessRequest) -> str:
    """Return the page that asks for the reason."""
    return reverse("admin:requests_accessrequest_revoke") + "?" + "&".join(f"id={one.pk}" for one in requests)


def test_a_request_shows_what_was_asked_who_said_yes_and_how_it_went(
    story: Story, held: AccessRequest, desk: Client
) -> None:
    text = desk.get(change(held)).content.decode()
    for words in (
        f"AR-{held.pk}",
        "Read only on server/orders_prod: Active",
        "Simulated server",
        "You are in the group approvers",
        "Databases, version 1",
        "1 h",
        "an incident",
    ):
        assert words in text
    for row in (AccessSession.objects.get(), story.integration):
        assert change(row) in text
    assert 'name="_save"' not in text


def test_everything_on_record_has_a_page(story: Story, held: AccessRequest, desk: Client) -> None:
    story.later(hours=2)
    for model in (AccessSession, Approval, Transition, StandingRecord, Proof):
        row = model.objects.first()
        assert row is not None
        listed = reverse(f"admin:requests_{model._meta.model_name}_changelist")
        assert change(row) in desk.get(listed).content.decode(), model
        page = desk.get(change(row))
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode()
    text = desk.get(change(Proof.objects.get())).content.decode()
    assert "nothing of this grant" in text
    assert "simulate" in text
    assert change(held) in text
    assert change(Proof.objects.get()) in desk.get(change(held)).content.decode()


def test_requests_are_found_by_state_person_integration_and_flow(
    story: Story, held: AccessRequest, desk: Client
) -> None:
    other = story.ask("orders_dev")
    flow = held.flow_version.flow_id

    def found(query: str) -> set[int]:
        text = desk.get(f"{reverse(LIST)}?{query}").content.decode()
        return {one.pk for one in (held, other) if f">AR-{one.pk}<" in text}

    assert found("") == {held.pk, other.pk}
    assert found("state__exact=active") == {held.pk}
    assert found("person=RITA") == {held.pk, other.pk}
    assert found("person=abel") == set()
    assert found(f"access_groups__integration__id__exact={story.integration.pk}") == {held.pk, other.pk}
    assert found(f"flow_version__flow__id__exact={flow}&state__exact=pending") == {other.pk}
    assert found(f"q={other.pk}") == {other.pk}
    assert found("q=abel@") == set()


def test_overdue_ends_are_found(story: Story, held: AccessRequest, desk: Client) -> None:
    story.target.down = Unreachable("It is down.")
    story.later(hours=1, minutes=5)
    story.later(minutes=5)
    text = desk.get(f"{reverse(LIST)}?overdue=now").content.decode()
    assert f">AR-{held.pk}</a></th>" in text
    assert 'data-tone="bad"' in text
    assert f">AR-{held.pk}</a></th>" not in desk.get(f"{reverse(LIST)}?overdue=ever").content.decode()


def test_revoking_asks_for_the_reason_first(story: Story, held: AccessRequest, desk: Client) -> None:
    page = desk.get(revoke_page(held)).content.decode()
    assert f"AR-{held.pk}" in page
    assert revoke_page(held) in desk.get(change(held)).content.decode()
    page = desk.post(revoke_page(held), {"reason": "  "}).content.decode()
    assert "Say why: the person will read it." in page
    assert story.fresh(held).state == "active"
    answer = desk.post(revoke_page(held), {"reason": "The incident is over."}, follow=True)
    assert answer.redirect_chain == [(change(held), 302)]
    request = story.fresh(held)
    assert (request.state, request.end_reason, request.note) == (
        "revoking",
        "revoked_by_admin",
        "The incident is over.",
    )
    story.now = timezone.now()
    story.later(seconds=1)
    assert story.fresh(held).ended_how == "proven"
    assert story.held() == set()
    entry = AuditEntry.objects.get(action="request.revoking")
    assert (entry.actor_name, entry.source, entry.details["reason"]) == ("Ada", "admin", "The incident is over.")


def test_of_several_requests_each_is_revoked_by_itself(story: Story, held: AccessRequest, desk: Client) -> None:
    waiting = story.ask("orders_dev")
    page = desk.post(reverse(LIST), {"action": "revoke", "_selected_action": [held.pk, waiting.pk]})
    assert page["Location"] == revoke_page(held, waiting)
    text = desk.post(page["Location"], {"reason": "over"}, follow=True).content.decode()
    assert f"AR-{held.pk} is being revoked." in text
    assert f"AR-{waiting.pk}: There is no access to revoke." in text
    assert story.fresh(held).state == "revoking"
    assert story.fresh(waiting).state == "pending"


def test_revoking_nothing_leads_back_to_the_list(story: Story, desk: Client) -> None:
    for query in ("", "?id=", "?id=x", "?id=999999", "?id=99999999999999999999", "?id=²"):
        page = desk.get(reverse("admin:requests_accessrequest_revoke") + query)
        assert page["Location"] == reverse(LIST), query


def test_who_may_only_look_is_not_offered_to_revoke(story: Story, held: AccessRequest) -> None:
    from accounts.choices import Role
    from tests.cast import person

    viewer = signed_in(person("Vera", Role.VIEWER))
    text = viewer.get(change(held)).content.decode()
    assert f"AR-{held.pk}" in text
    assert "revoke/" not in text
    assert viewer.post(revoke_page(held), {"reason": "no"}).status_code == 403
    assert story.fresh(held).state == "active"


def test_neither_sealed_credentials_nor_stored_secrets_are_on_any_page(
    story: Story, held: AccessRequest, desk: Client
) -> None:
    from integrations.models import Order, StoredSecret

    session = AccessSession.objects.get()
    stored = StoredSecret.objects.get()
    order = Order.objects.get(person=story.cast.requester)
    Order.objects.filter(pk=order.pk).update(
        result={**order.result, "grants": [{**order.result["grants"][0], "sealed_credentials": "5ea1ed"}]}
    )
    assert session.sealed_credentials
    opened = story.target.passwords[story.group(held).login]
    hidden = [
        session.sealed_credentials,
        "5ea1ed",
        opened,
        "the-connectors-own-password",
        bytes(stored.ciphertext).hex(),
        str(stored.pk),
    ]
    names = ("integration", "order", "resource", "connector", "connectorinstance")
    addresses = [reverse(f"admin:integrations_{name}_changelist") for name in names]
    addresses += [
        reverse(f"admin:requests_{model._meta.model_name}_changelist")
        for model in (AccessRequest, AccessSession, Approval, Transition, StandingRecord, Proof)
    ]
    addresses += [change(row) for row in (held, session, order, story.integration)]
    addresses += [reverse("admin:integrations_integration_edit", args=[story.integration.pk])]
    for address in addresses:
        page = desk.get(address)
        assert page.status_code == 200, address
        assert [secret for secret in hidden if secret in page.content.decode()] == [], address
    from django.contrib import admin

    assert not [
        model for model in admin.site._registry if model._meta.model_name in {"storedsecret", "secretreference"}
    ]


def test_words_of_people_cannot_become_markup(story: Story, desk: Client) -> None:
    canary = "<img src=x onerror=alert(1)>"
    story.cast.requester.name = canary
    story.cast.requester.save()
    request = story.ask("orders_prod", justification=canary)
    actions.reject(
        request, approver=story.cast.approver, actor=story.by(story.cast.approver), reason=canary, at=story.now
    )
    AccessRequest.objects.filter(pk=request.pk).update(note=canary)
    addresses = [reverse(LIST), change(request), revoke_page(request)]
    addresses += [reverse(f"admin:requests_{name}_changelist") for name in ("approval", "transition")]
    addresses += [change(Approval.objects.get()), change(Transition.objects.last())]
    for address in addresses:
        text = desk.get(address).content.decode()
        assert canary not in text, address
        assert "&lt;img src=x onerror=alert(1)&gt;" in text, address


def test_a_list_is_not_slower_with_more_rows(story: Story, desk: Client, django_assert_num_queries: object) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(address).status_code == 200
        return len(queries)

    def grant(*names: str) -> None:
        for name in names:
            story.granted(name)
        story.later(hours=2)

    names = ("accessrequest", "accesssession", "approval", "transition", "standingrecord", "proof")
    addresses = [reverse(f"admin:requests_{name}_changelist") for name in names]
    integrations = ("integration", "order", "resource", "connector", "connectorinstance")
    addresses += [reverse(f"admin:integrations_{name}_changelist") for name in integrations]
    addresses += [reverse("admin:flows_accessflow_changelist")]
    story.target.standing = [unit("orders_dev", "ADMIN")]
    grant("orders_prod")
    [cost(address) for address in addresses]
    few = {address: cost(address) for address in addresses}
    story.now += timedelta(days=1)
    grant("orders_prod", "orders_dev", "orders_prod")
    assert {address: cost(address) for address in addresses} == few
    assert max(few.values()) <= 15, few
