"""What the form keeps besides the connection: owners, types, texts, secrets between two tries; and it all as code."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actions as account_actions
from accounts.models import Group
from audit.models import AuditEntry
from connectors.contract.errors import Unreachable
from integrations.models import Integration, StoredSecret
from integrations.views import connecting
from integrations.views.code import as_json, as_toml, document
from tests.desk.conftest import signed_in
from tests.desk.test_connecting import FORM, answers, connect_page
from tests.story import Story

SECRET = "hunter2-hunter2"


def edit_page(story: Story) -> str:
    """Return the address of the form that edits the story's integration."""
    return reverse("admin:integrations_integration_edit", args=[story.integration.pk])


def test_owners_are_people_and_groups_kept_shown_and_on_record(story: Story, desk: Client) -> None:
    form = {**FORM, "secret_password": "", "owners": "Rita@example.com\n\n engineers \nrita@example.com"}
    assert desk.post(edit_page(story), {**form, "_save": "1"}).status_code == 302
    assert [str(one.user or one.group) for one in story.integration.owners.all()] == [
        str(story.cast.requester),
        "engineers",
    ]
    page = desk.get(reverse("admin:integrations_integration_change", args=[story.integration.pk])).content.decode()
    assert "rita@example.com, engineers" in page
    assert "rita@example.com\nengineers" in desk.get(edit_page(story)).content.decode()
    entry = AuditEntry.objects.get(action="integration.edited")
    assert (entry.details["before"]["owners"], entry.details["after"]["owners"]) == (
        [],
        ["rita@example.com", "engineers"],
    )
    assert desk.post(edit_page(story), {**form, "owners": "", "_save": "1"}).status_code == 302
    assert not story.integration.owners.exists()


def test_an_owner_nobody_knows_is_refused(story: Story, desk: Client) -> None:
    page = desk.post(edit_page(story), {**FORM, "secret_password": "", "owners": "nobody@nowhere", "_save": "1"})
    assert "No person and no group is called nobody@nowhere." in page.content.decode()
    many = "\n".join(f"u{number}" for number in range(60))
    page = desk.post(edit_page(story), {**FORM, "secret_password": "", "owners": many, "_save": "1"})
    assert "At most 50 owners" in page.content.decode()


def test_a_group_that_owns_something_is_not_deleted(story: Story, desk: Client) -> None:
    desk.post(edit_page(story), {**FORM, "secret_password": "", "owners": "approvers", "_save": "1"})
    with pytest.raises(account_actions.InUse, match="integration Orders"):
        account_actions.delete_group(Group.objects.get(name="approvers"), actor=story.by(story.cast.admin))


def test_without_a_resource_type_nothing_is_saved(story: Story, desk: Client) -> None:
    page = desk.post(edit_page(story), {**FORM, "secret_password": "", "types": [], "_save": "1"})
    assert "Choose at least one" in page.content.decode()
    assert desk.post(edit_page(story), {**FORM, "types": ["planet"], "_save": "1"}).status_code == 200


def test_the_text_for_grantees_is_shown_as_it_will_be_and_never_as_markup(story: Story, desk: Client) -> None:
    said = "<b>Bastion</b> https://x.example " + "é" * 300
    page = desk.post(edit_page(story), {**FORM, "secret_password": "", "custom_access_details": said, "_test": "1"})
    text = page.content.decode()
    assert "<b>Bastion" not in text
    assert text.count("&lt;b&gt;Bastion&lt;/b&gt; https://x.example") == 2
    assert f"{len(said)} of 400 characters" in text
    page = desk.post(
        edit_page(story), {**FORM, "secret_password": "", "custom_access_details": "x" * 401, "_save": "1"}
    )
    assert page.status_code == 200
    assert "at most 400 characters" in page.content.decode()


def test_a_secret_typed_before_a_test_is_used_afterwards_and_nowhere_in_the_clear(
    simulated: None, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = answers(monkeypatch, error=Unreachable("No answer."))
    desk.post(connect_page(), {**FORM, "_test": "1"})
    kept = json.dumps(dict(desk.session.items()))
    assert connecting.DRAFTS in kept
    assert SECRET not in kept
    answers(monkeypatch)
    page = desk.post(connect_page(), {**FORM, "secret_password": "", "_save": "1"})
    assert page.status_code == 302
    assert StoredSecret.objects.count() == 1
    assert seen[0].secrets["password"].reveal() == SECRET
    assert not desk.session[connecting.DRAFTS]


def test_a_held_secret_is_the_persons_own_ends_and_is_not_used_by_a_form_begun_anew(
    simulated: None, desk: Client, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch)
    desk.post(connect_page(), {**FORM, "_test": "1"})
    assert "held for half an hour" not in desk.get(connect_page()).content.decode()
    empty = {**FORM, "secret_password": "", "_save": "1"}
    from accounts.choices import Role
    from tests.cast import person

    other = signed_in(person("Petra", Role.POWER_USER))
    assert other.post(connect_page(), empty).status_code == 200
    later = timezone.now().timestamp() + connecting.DRAFT_SECONDS + 60
    monkeypatch.setattr(connecting.time, "time", lambda: later)
    assert desk.post(connect_page(), empty).status_code == 200
    assert Integration.objects.count() == 1


def test_an_integration_reads_as_code_that_would_connect_it_again(story: Story, desk: Client) -> None:
    awkward = 'say "hi"\\ \t é 🦄 \x7f'
    form = {
        **FORM,
        "secret_password": "",
        "owners": "engineers",
        "custom_access_details": awkward,
        "rotation_days": "30",
    }
    assert desk.post(edit_page(story), {**form, "_save": "1"}).status_code == 302
    row = Integration.objects.get()
    told = document(row)
    assert tomllib.loads(as_toml(told)) == told == json.loads(as_json(told))
    assert told["settings"] == {
        "custom_access_details": row.custom_access_details,
        "rotation_days": 30,
        "cleanup_days": 90,
        "reconcile_hours": 6,
    }
    assert told["secrets"] == {"password": {"store": "builtin"}}
    page = desk.get(reverse("admin:integrations_integration_change", args=[row.pk])).content.decode()
    assert "the-connectors-own-password" not in page
    assert "[owners]" in page


@pytest.mark.parametrize("value", [{"a b": {"c.d": "x"}}, {"n": {}}, {"l": ["1", '"']}, {"é": 1}])
def test_any_document_survives_toml(value: dict[str, Any]) -> None:
    assert tomllib.loads(as_toml(value)) == value


def test_the_moving_part_is_the_partial_that_the_page_included(story: Story, desk: Client) -> None:
    desk.post(reverse("admin:integrations_integration_press", args=[story.integration.pk, "refresh"]))
    story.integration.sync_runs.filter(finished_at=None).update(found=1234)
    part = desk.get(reverse("admin:integrations_integration_status", args=[story.integration.pk])).content.decode()
    assert "1234 found" in part
    assert "data-moving" in part
    assert "<html" not in part
    page = desk.get(reverse("admin:integrations_integration_change", args=[story.integration.pk])).content.decode()
    assert part.split("</h2>")[0].strip() in page
    assert AuditEntry.objects.filter(action="integration.check_ordered").exists()
