"""Deleting an integration: refused while something needs it, and batch by batch when it is large."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from audit.models import AuditEntry
from connectors.contract.errors import Misconfigured
from flows import actions as flow_actions
from flows.models import AccessFlow
from integrations import actions
from integrations.actions import deleting
from integrations.models import Integration, Order, Resource, SecretReference, StoredSecret, Tag
from tests.cast import person
from tests.desk.conftest import signed_in
from tests.story import Story, database, document


@pytest.fixture
def unused(story: Story) -> Story:
    """A story whose integration nothing depends on any more, with some inventory."""
    story.target.databases = [database(f"db{number}") for number in range(9)]
    actions.sync(story.integration, actor=story.by(story.cast.admin))
    actions.run_until_idle(seconds=5)
    flow_actions.delete(AccessFlow.objects.get(), actor=story.by(story.cast.admin))
    return story


def test_all_of_it_goes_in_batches(unused: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "BATCH", 2)
    assert actions.delete(unused.integration, actor=unused.by(unused.cast.admin))
    for model in (Integration, Resource, Tag, Order, StoredSecret, SecretReference):
        assert not model.objects.exists(), model
    told = AuditEntry.objects.filter(action__contains="delete").order_by("pk").values_list("action", "actor_name")
    assert [one for one in told if one[0].startswith("integration")] == [
        ("integration.delete_ordered", "Ada"),
        ("integration.deleted", "Latchkey"),
    ]


def test_what_a_click_leaves_the_sweep_finishes(unused: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "BATCH", 2)
    monkeypatch.setattr(deleting, "AT_ONCE_SECONDS", 0.0)
    assert not actions.delete(unused.integration, actor=unused.by(unused.cast.admin))
    left = Integration.objects.get()
    assert left.deleting_since is not None
    assert left.status == "disabled"
    assert 0 < Resource.objects.count() < 11
    assert not StoredSecret.objects.exists()
    assert actions.sweep_deletions() == 1
    assert not Integration.objects.exists()
    assert actions.sweep_deletions() == 0


def test_while_it_goes_nothing_else_is_done_to_it(unused: Story, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "AT_ONCE_SECONDS", 0.0)
    monkeypatch.setattr(deleting, "BATCH", 1)
    admin = unused.by(unused.cast.admin)
    actions.delete(unused.integration, actor=admin)
    row = Integration.objects.get()
    for verb in (actions.enable, actions.disable, actions.edit, actions.sync, actions.check):
        with pytest.raises(Misconfigured):
            verb(row, actor=admin)
    page = reverse("admin:integrations_integration_change", args=[row.pk])
    text = desk.get(page).content.decode()
    assert "It is being deleted" in text
    assert desk.get(reverse("admin:integrations_integration_edit", args=[row.pk])).status_code == 404


def test_what_came_to_need_it_meanwhile_is_said(unused: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "AT_ONCE_SECONDS", 0.0)
    monkeypatch.setattr(deleting, "BATCH", 1)
    actions.delete(unused.integration, actor=unused.by(unused.cast.admin))
    columns = {"name": "Late", "approval_mode": "none", "grant_duration_minutes": 60}
    flow_actions.define(columns, document(unused.integration, "none"), actor=unused.by(unused.cast.admin))
    assert actions.sweep_deletions() == 0
    assert "still needed by" in Integration.objects.get().status_reason


def test_a_connected_twin_is_not_touched(unused: Story) -> None:
    from audit.actor import system

    twin = actions.connect("Twin", "simulated", config={"hostname": "two"}, secrets={"password": "x"}, actor=system())
    actions.run_until_idle(seconds=5)
    before = Resource.objects.filter(integration=twin).count()
    actions.delete(unused.integration, actor=unused.by(unused.cast.admin))
    assert Integration.objects.get() == twin
    assert Resource.objects.filter(integration=twin).count() == before
    assert StoredSecret.objects.count() == 1


def test_the_record_of_ended_requests_is_needed_too(story: Story, desk: Client) -> None:
    request = story.granted("orders_prod")
    from access_requests import actions as requests

    requests.hand_back(request, user=story.cast.requester, actor=story.by(story.cast.requester), at=story.now)
    story.later(minutes=1)
    assert story.fresh(request).state == "revoked"
    with pytest.raises(actions.StillNeeded, match="the record of 1 ended access request"):
        actions.delete(story.integration, actor=story.by(story.cast.admin))


def test_who_may_not_read_of_requests_hears_only_that_there_are_some(story: Story) -> None:
    request = story.ask("orders_prod")
    client = signed_in(person("Dora", Role.DEPLOYMENT))
    page = client.post(reverse("admin:integrations_integration_delete", args=[story.integration.pk]))
    text = page.content.decode()
    assert page.status_code == 409
    assert "Access flow Databases" in text
    assert f"AR-{request.pk}" not in text
    assert "1 more that your roles do not let you read" in text
