"""Connecting and editing an integration by the form that its manifest makes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from connectors.contract.errors import CredentialsRejected, Unreachable
from connectors.contract.orders import Finding
from connectors.registry import BUILT_IN
from integrations import actions
from integrations.models import ConnectorInstance, Integration, Order, SecretReference, StoredSecret
from tests.story import Story

ADD = "admin:integrations_integration_add"
FORM = {
    "name": "Orders",
    "connector": "",
    "config_hostname": "db.example",
    "secret_password": "hunter2-hunter2",
    "types": ["database"],
    "cleanup_days": "90",
    "custom_access_details": "",
    "rotation_days": "",
}


def connect_page() -> str:
    """Return the address of the form for the simulated provider."""
    return reverse("admin:integrations_integration_connect", args=["simulated"])


def answers(monkeypatch: pytest.MonkeyPatch, *findings: Finding, error: Exception | None = None) -> list[Any]:
    """Let the simulated provider's check answer with these; return the orders it gets."""
    seen: list[Any] = []

    def check(order: Any, run: Any) -> tuple[Finding, ...]:
        seen.append(order)
        if error is not None:
            raise error
        return findings or (Finding("ok", "It answers."),)

    monkeypatch.setattr(BUILT_IN.provider("simulated"), "check", check, raising=True)
    return seen


def test_the_catalogue_offers_every_provider(simulated: None, desk: Client) -> None:
    page = desk.get(reverse(ADD)).content.decode()
    for id_, kind in BUILT_IN.manifests().items():
        assert f"</span> {kind.name}</a>" in page
        assert reverse("admin:integrations_integration_connect", args=[id_]) in page


def test_the_form_has_what_the_manifest_asks_for(desk: Client) -> None:
    page = desk.get(reverse("admin:integrations_integration_connect", args=["postgresql"])).content.decode()
    for field in BUILT_IN.manifest("postgresql").plain_fields():
        assert f'name="config_{field.name}"' in page
        assert field.label in page
    assert '<input type="password" name="secret_password"' in page
    assert 'value="5432"' in page
    assert '<option value="prefer" selected>' in page
    chosen = re.findall(r'name="types" value="(\w+)"[^>]* checked', page)
    assert chosen == [kind.id for kind in BUILT_IN.manifest("postgresql").resource_types if not kind.optional]
    assert 'name="types" value="schema"' in page


def test_an_unknown_provider_is_not_found(desk: Client) -> None:
    assert desk.get(reverse("admin:integrations_integration_connect", args=["nothing"])).status_code == 404


def test_a_test_shows_its_findings_and_leaves_no_row(
    simulated: None, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = answers(
        monkeypatch, Finding("ok", "It answers."), Finding("warning", "It is old.", "Upgrade it when you can.")
    )
    page = desk.post(connect_page(), {**FORM, "_test": "Test"})
    text = page.content.decode()
    assert page.status_code == 200
    assert "It is old." in text
    assert "Upgrade it when you can." in text
    assert "The test went well" in text
    assert seen[0].config == {"hostname": "db.example"}
    assert seen[0].secrets["password"].reveal() == "hunter2-hunter2"
    for model in (Integration, Order, StoredSecret, SecretReference, ConnectorInstance):
        assert not model.objects.exists()


def test_an_error_is_said_with_its_fix_and_nothing_typed_is_lost(
    simulated: None, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, error=Unreachable("db.example does not answer.", fix="Start the server."))
    page = desk.post(connect_page(), {**FORM, "custom_access_details": "ask <b>Rita</b>", "_test": "Test"})
    text = page.content.decode()
    assert "db.example does not answer." in text
    assert "Start the server." in text
    assert 'value="db.example"' in text
    assert 'value="Orders"' in text
    assert "ask &lt;b&gt;Rita&lt;/b&gt;" in text
    assert "What you typed is held for half an hour" in text


def test_a_secret_never_comes_back_to_the_page(simulated: None, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    message = "The password hunter2-hunter2 is wrong."
    answers(monkeypatch, error=CredentialsRejected(message))
    for button in ("_test", "_save"):
        assert "hunter2" not in desk.post(connect_page(), {**FORM, button: "x"}).content.decode()
    assert "hunter2" not in desk.post(connect_page(), {**FORM, "name": "", "_save": "x"}).content.decode()


def test_saving_tests_first_then_connects(simulated: None, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answers(monkeypatch)
    page = desk.post(connect_page(), {**FORM, "rotation_days": "30", "_save": "Save"})
    integration = Integration.objects.get()
    assert page.status_code == 302
    assert page["Location"] == reverse("admin:integrations_integration_change", args=[integration.pk])
    assert len(seen) == 1
    assert (integration.name, integration.config) == ("Orders", {"hostname": "db.example"})
    assert (integration.rotation_days, integration.cleanup_days, integration.enabled_types) == (30, 90, [])
    assert sorted(integration.orders.values_list("verb", flat=True)) == ["check", "discover"]
    entry = AuditEntry.objects.get(action="integration.connected")
    assert entry.actor_name == "Ada"
    assert "although_test_failed" not in entry.details
    assert "hunter2" not in str(list(AuditEntry.objects.values_list("details", flat=True)))


@pytest.mark.parametrize("how", ["error", "finding"])
def test_saving_is_refused_while_the_test_fails_unless_said_otherwise(
    simulated: None, desk: Client, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "error":
        answers(monkeypatch, error=Unreachable("No answer.", fix="Start it."))
    else:
        answers(monkeypatch, Finding("error", "No answer.", "Start it."))
    page = desk.post(connect_page(), {**FORM, "_save": "Save"}).content.decode()
    assert "Not saved: the test failed" in page
    assert 'name="anyway"' in page
    assert not Integration.objects.exists()
    desk.post(connect_page(), {**FORM, "anyway": "on", "_save": "Save"})
    assert Integration.objects.get().name == "Orders"
    entry = AuditEntry.objects.get(action="integration.connected")
    assert entry.details["although_test_failed"] == "No answer. Start it."


def test_what_the_form_refuses_is_not_tested(simulated: None, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answers(monkeypatch)
    page = desk.post(connect_page(), {**FORM, "secret_password": "", "cleanup_days": "-1", "_save": "Save"})
    assert page.content.decode().count('<ul class="errorlist"') == 2
    assert not seen
    assert not Integration.objects.exists()


def test_a_name_is_taken_once(story: Story, desk: Client) -> None:
    page = desk.post(connect_page(), {**FORM, "name": story.integration.name, "_save": "Save"}).content.decode()
    assert "Another integration has this name." in page
    assert Integration.objects.count() == 1


def test_chosen_optional_types_come_beside_the_others(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "try_connection", lambda *args, **told: type("R", (), {"findings": (), "error": None}))
    form = {
        **FORM,
        **{"config_port": "5432", "config_dbname": "postgres", "config_sslmode": "prefer", "config_username": "me"},
        "types": ["database", "schema"],
        "_save": "Save",
    }
    page = desk.post(reverse("admin:integrations_integration_connect", args=["postgresql"]), form)
    assert page.status_code == 302
    assert Integration.objects.get().enabled_types == ["database", "schema"]
    edit = reverse("admin:integrations_integration_edit", args=[Integration.objects.get().pk])
    assert re.findall(r'name="types" value="(\w+)"[^>]* checked', desk.get(edit).content.decode()) == [
        "database",
        "schema",
    ]


def test_editing_keeps_the_secret_that_is_left_empty(story: Story, desk: Client) -> None:
    edit = reverse("admin:integrations_integration_edit", args=[story.integration.pk])
    page = desk.get(edit).content.decode()
    assert "the-connectors-own-password" not in page
    assert 'value="sim"' in page
    before = StoredSecret.objects.get().pk
    kept = {**FORM, "name": "Renamed", "config_hostname": "elsewhere", "secret_password": "", "_save": "Save"}
    assert desk.post(edit, kept).status_code == 302
    story.integration.refresh_from_db()
    assert (story.integration.name, story.integration.config) == ("Renamed", {"hostname": "elsewhere"})
    assert StoredSecret.objects.get().pk == before
    assert desk.post(edit, {**kept, "secret_password": "another-one"}).status_code == 302
    assert StoredSecret.objects.get().pk != before


def test_editing_tests_with_the_secret_that_is_kept(
    story: Story, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = answers(monkeypatch)
    edit = reverse("admin:integrations_integration_edit", args=[story.integration.pk])
    desk.post(edit, {**FORM, "secret_password": "", "_test": "Test"})
    assert seen[0].secrets["password"].reveal() == "the-connectors-own-password"


def test_an_edit_that_fails_its_test_changes_nothing_and_is_kept_on_record_when_forced(
    story: Story, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, error=Unreachable("No answer."))
    edit = reverse("admin:integrations_integration_edit", args=[story.integration.pk])
    form = {**FORM, "config_hostname": "wrong", "secret_password": "", "_save": "Save"}
    assert desk.post(edit, form).status_code == 200
    story.integration.refresh_from_db()
    assert story.integration.config == {"hostname": "sim"}
    assert desk.post(edit, {**form, "anyway": "on"}).status_code == 302
    entry = AuditEntry.objects.get(action="integration.edited")
    assert entry.details["although_test_failed"] == "No answer."
    assert entry.details["after"]["config"] == {"hostname": "wrong"}


def test_a_secret_that_cannot_be_opened_is_said_in_words(story: Story, desk: Client, settings: Any) -> None:
    settings.STORE_KEYS = [f"other:{'11' * 32}"]
    edit = reverse("admin:integrations_integration_edit", args=[story.integration.pk])
    page = desk.post(edit, {**FORM, "secret_password": "", "_test": "Test"})
    assert page.status_code == 200
    assert "Enter the secrets again, or restore the key." in page.content.decode()


def test_secrets_of_another_store_are_named_and_not_typed(
    simulated: None, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", "canary")
    seen = answers(monkeypatch)
    elsewhere = FORM | {"secret_password": "", "store": "environment", "reference": "SHOP", "_save": ""}
    assert desk.post(connect_page(), elsewhere).status_code == 302
    assert seen[0].secrets["password"].reveal() == "canary"
    integration = Integration.objects.get(name="Orders")
    assert [(one.store, one.reference) for one in integration.secrets.all()] == [("environment", "SHOP")]
    assert StoredSecret.objects.count() == 0
    page = desk.get(reverse("admin:integrations_integration_change", args=[integration.pk]))
    again = desk.get(reverse("admin:integrations_integration_edit", args=[integration.pk])).content.decode()
    assert '<option value="environment" selected>' in again
    assert 'value="SHOP"' in again
    assert "canary" not in page.content.decode() + again


def test_another_store_without_a_secret_in_it_is_refused(simulated: None, desk: Client) -> None:
    page = desk.post(connect_page(), FORM | {"store": "vault", "reference": "", "_save": ""}).content.decode()
    assert "Say which secret of that store is meant." in page
    assert not Integration.objects.exists()


def test_going_back_to_the_built_in_store_asks_for_the_secret(
    simulated: None, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch)
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", "canary")
    desk.post(connect_page(), FORM | {"store": "environment", "reference": "SHOP", "_save": ""})
    edit = reverse("admin:integrations_integration_edit", args=[Integration.objects.get().pk])
    back = FORM | {"secret_password": "", "store": "builtin", "reference": "SHOP", "_save": ""}
    assert "This field is required." in desk.post(edit, back).content.decode()
    assert desk.post(edit, back | {"secret_password": "typed-again"}).status_code == 302
    assert SecretReference.objects.get().store == "builtin"
