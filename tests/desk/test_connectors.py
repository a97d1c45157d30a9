"""Connectors: renamed on record, deleted only when nothing runs through them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.actions import NotAllowed
from accounts.choices import Role
from audit.models import AuditEntry
from integrations import actions
from integrations.models import Connector, ConnectorInstance, Integration
from tests.cast import Cast, person
from tests.desk.conftest import signed_in
from tests.story import Story


@pytest.fixture
def east(cast: Cast) -> Connector:
    """A connector that nothing runs through, with one instance."""
    row = Connector.objects.create(name="east", kind="remote")
    ConnectorInstance.objects.create(connector=row, version="9.9", place="east-1, process 7")
    return row


def rename(client: Client, row: Connector, name: str) -> str:
    """Rename it and return the page after."""
    address = reverse("admin:integrations_connector_rename", args=[row.pk])
    return client.post(address, {"name": name}, follow=True).content.decode()


def test_its_page_shows_instances_and_what_runs_through_it(story: Story, east: Connector, desk: Client) -> None:
    Integration.objects.update(connector=east)
    text = desk.get(reverse("admin:integrations_connector_change", args=[east.pk])).content.decode()
    assert "east-1, process 7" in text
    assert "9.9" in text
    assert reverse("admin:integrations_integration_change", args=[story.integration.pk]) in text


def test_it_is_renamed_on_record(east: Connector, desk: Client) -> None:
    assert "The connector is called west." in rename(desk, east, " west ")
    entry = AuditEntry.objects.get(action="connector.renamed")
    assert (entry.subject_name, entry.details, entry.actor_name) == ("west", {"from": "east"}, "Ada")
    rename(desk, east, "west")
    assert AuditEntry.objects.filter(action="connector.renamed").count() == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "embedded"])
def test_a_name_that_cannot_be_is_refused_in_words(story: Story, east: Connector, desk: Client, name: str) -> None:
    text = rename(desk, east, name)
    assert 'data-tone="bad"' in text
    east.refresh_from_db()
    assert east.name == "east"


def test_the_connector_in_this_server_keeps_its_name(story: Story, desk: Client) -> None:
    assert "so it keeps it" in rename(desk, story.integration.connector, "other")
    assert Connector.objects.get().name == "embedded"


def test_deleting_is_refused_while_integrations_run_through_it_and_names_them(story: Story, desk: Client) -> None:
    address = reverse("admin:integrations_connector_delete", args=[story.integration.connector_id])
    assert "1 integration runs through embedded" in desk.get(address).content.decode()
    page = desk.post(address)
    assert page.status_code == 409
    assert "Simulated server" in page.content.decode()
    assert Connector.objects.exists()


def test_what_nothing_needs_is_deleted_with_its_instances(east: Connector, desk: Client) -> None:
    assert desk.post(reverse("admin:integrations_connector_delete", args=[east.pk])).status_code == 302
    assert not Connector.objects.filter(name="east").exists()
    assert not ConnectorInstance.objects.filter(version="9.9").exists()
    assert AuditEntry.objects.get(action="connector.deleted").subject_name == "east"


def test_who_may_only_look_is_offered_nothing_and_the_actions_refuse(east: Connector, cast: Cast) -> None:
    client = signed_in(person("Viktor", Role.VIEWER))
    text = client.get(reverse("admin:integrations_connector_change", args=[east.pk])).content.decode()
    assert "Rename" not in text
    assert "Delete" not in text
    from audit.actor import person as acting
    from audit.choices import Source

    actor = acting(cast.outsider, Source.ADMIN)
    with pytest.raises(NotAllowed):
        actions.rename_connector(east, "west", actor=actor)
    with pytest.raises(NotAllowed):
        actions.delete_connector(east, actor=actor)
