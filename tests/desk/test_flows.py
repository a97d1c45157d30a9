"""Flows by form: what is sent becomes policy, or words that say why not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from flows.admin.versions import changes
from flows.forms import beyond_the_form, rows_of
from flows.models import AccessFlow, Condition, FlowVersion
from tests.cast import Cast
from tests.story import Story, put_into

ADD = "admin:flows_accessflow_add"


def sent(story: Story, **change: Any) -> dict[str, Any]:
    """Return the form as a person fills it in."""
    return {
        "name": "Prod reads",
        "description": "For incidents",
        "active": "on",
        "requestor_operator": "or",
        "grant_duration_minutes": "90",
        "justification_required": "on",
        "pending_hours": "8",
        "approval_mode": "any_of",
        "labels": "prod\nincident",
        "requestors-TOTAL_FORMS": "2",
        "requestors-INITIAL_FORMS": "0",
        "requestors-0-type": "group",
        "requestors-0-operator": "is",
        "requestors-0-values": "engineers\nSales, EMEA",
        "requestors-1-operator": "is",
        "targets-TOTAL_FORMS": "1",
        "targets-INITIAL_FORMS": "0",
        "targets-0-integration": str(story.integration.pk),
        "targets-0-resource_type": "database",
        "targets-0-permissions": "READ_ONLY",
        "targets-0-include_tag": "env=prod\nenv=dev",
        "targets-0-exclude_name": "secret_prod",
        "approvers-TOTAL_FORMS": "3",
        "approvers-INITIAL_FORMS": "0",
        "approvers-0-group": "1",
        "approvers-0-joined_by": "or",
        "approvers-0-type": "group",
        "approvers-0-operator": "is",
        "approvers-0-values": "approvers",
        "approvers-1-group": "1",
        "approvers-1-joined_by": "or",
        "approvers-1-type": "user",
        "approvers-1-operator": "is",
        "approvers-1-values": "ADA@example.com",
        "approvers-2-joined_by": "or",
        "approvers-2-operator": "is",
        "_save": "Save",
    } | change


def test_a_flow_is_made_by_form_and_reads_back_as_a_sentence(story: Story, desk: Client) -> None:
    page = desk.post(reverse(ADD), sent(story), follow=True)
    flow = AccessFlow.objects.get(name="Prod reads")
    assert flow.current is not None
    document = flow.current.document
    assert document["duration_seconds"] == 5400
    assert document["pending_seconds"] == 8 * 3600
    assert document["settings"]["labels"] == ["prod", "incident"]
    assert document["settings"]["self_approval"] is False
    assert document["requestors"]["conditions"][0]["values"] == ["Sales, EMEA", "engineers"]
    (group,) = document["approval"]["groups"]
    assert [one["values"] for one in group["conditions"]] == [["approvers"], ["ada@example.com"]]
    (target,) = document["targets"]
    assert {(one["mode"], one["type"], one["key"], *one["values"]) for one in target["selectors"]} == {
        ("include_resources", "tag", "env", "dev", "prod"),
        ("exclude_resources", "name", "", "secret_prod"),
    }
    text = page.content.decode()
    assert "Prod reads is saved. It says: Whoever is in the group" in text
    entry = AuditEntry.objects.get(action="flow.saved", subject_name="Prod reads")
    assert entry.actor_name == "Ada"


def test_the_form_shows_what_was_saved_and_saving_it_again_changes_nothing(story: Story, desk: Client) -> None:
    desk.post(reverse(ADD), sent(story))
    flow = AccessFlow.objects.get(name="Prod reads")
    page = desk.get(reverse("admin:flows_accessflow_change", args=[flow.pk]))
    form = page.context["form"]
    again: dict[str, Any] = {}
    for part in (
        form.flow,
        form.requestors.management_form,
        form.targets.management_form,
        form.approvers.management_form,
    ):
        again |= {field.html_name: field.value() for field in part}
    for rows in (form.requestors, form.targets, form.approvers):
        for row in rows:
            again |= {field.html_name: field.field.prepare_value(field.value()) for field in row}
    again = {name: value for name, value in again.items() if value not in (None, False)}
    again = {name: "\n".join(value) if isinstance(value, list) else value for name, value in again.items()}
    assert (
        desk.post(reverse("admin:flows_accessflow_change", args=[flow.pk]), {**again, "_save": "x"}).status_code == 302
    )
    assert flow.versions.count() == 1
    assert Condition.objects.filter(flow=flow).count() == 3


def test_the_rows_of_a_document_become_the_same_document(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get(name="Databases")
    assert flow.current is not None
    rows = rows_of(flow.current.document)
    assert rows["requestors"][0]["values"] == ["engineers"]
    assert rows["approvers"][0] | {"group": 1, "joined_by": "or", "type": "group"} == rows["approvers"][0]


def test_editing_makes_a_version_with_its_differences(story: Story, desk: Client) -> None:
    desk.post(reverse(ADD), sent(story))
    flow = AccessFlow.objects.get(name="Prod reads")
    edit = reverse("admin:flows_accessflow_change", args=[flow.pk])
    changed = sent(story, **{"grant_duration_minutes": "30", "requestors-0-values": "engineers", "version": "1"})
    page = desk.post(edit, {**changed, "_continue": "x"}, follow=True)
    assert page.redirect_chain == [(edit, 302)]
    assert flow.versions.count() == 2
    text = desk.get(reverse("admin:flows_accessflow_history", args=[flow.pk])).content.decode()
    assert "duration seconds: 5400 → 1800" in text
    assert "requestors conditions: type group, operator is, values engineers added" in text
    assert "The first version." in text
    assert "Ada &lt;ada@example.com&gt;" in text


def test_who_has_not_read_the_newest_version_does_not_save_over_it(story: Story, desk: Client) -> None:
    desk.post(reverse(ADD), sent(story))
    flow = AccessFlow.objects.get(name="Prod reads")
    edit = reverse("admin:flows_accessflow_change", args=[flow.pk])
    desk.post(edit, sent(story, grant_duration_minutes="30", version="1"))
    page = desk.post(edit, sent(story, grant_duration_minutes="45", version="1")).content.decode()
    assert "Somebody saved version 2 meanwhile." in page
    assert flow.versions.count() == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"requestors-0-type": "", "requestors-0-values": ""}, "Say who may ask"),
        ({"approvers-0-values": "nobody-is-in-it", "approvers-1-values": "x@example.com"}, "nobody could ever approve"),
        ({"approval_mode": "none"}, "Choose who approves, or remove the approver groups."),
        ({"approvers-TOTAL_FORMS": "0"}, "Add an approver group"),
        ({"targets-0-permissions": "DROP"}, "On this type there are: ADMIN, READ_ONLY."),
        ({"targets-0-resource_type": "bucket"}, "Simulated server has: database."),
        ({"targets-0-include_tag": "prod"}, "“prod” is no key=value."),
        ({"requestors-0-values": ""}, "Give at least one value"),
        ({"grant_duration_minutes": ""}, "Say how long at most, or tick “indefinite”."),
        ({"indefinite": "on"}, "Access without an end has no minutes"),
        ({"pending_hours": "0"}, "At least one hour"),
        ({"approvers-1-joined_by": "and"}, "Group 1 is joined by “and” in one row"),
        ({"name": "Databases"}, "Access flow with this Name already exists."),
        ({"approvers-0-group": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_policy_is_refused_in_words_and_nothing_is_saved(
    story: Story, desk: Client, change: dict[str, str], words: str
) -> None:
    before = (FlowVersion.objects.count(), Condition.objects.count(), AccessFlow.objects.count())
    page = desk.post(reverse(ADD), sent(story, **change))
    assert page.status_code == 200
    assert words in page.content.decode()
    assert "Nothing was saved" in page.content.decode()
    assert (FlowVersion.objects.count(), Condition.objects.count(), AccessFlow.objects.count()) == before


def test_a_refused_edit_leaves_the_flow_as_it_was(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get(name="Databases")
    edit = reverse("admin:flows_accessflow_change", args=[flow.pk])
    changed = sent(story, **{"approvers-TOTAL_FORMS": "0", "version": "1"})
    page = desk.post(edit, changed).content.decode()
    assert "Add an approver group" in page
    assert "Edit Databases · Latchkey" in page
    flow.refresh_from_db()
    assert (flow.name, flow.versions.count(), flow.conditions.count()) == ("Databases", 1, 2)


def test_more_rows_keep_what_was_typed_and_save_nothing(story: Story, desk: Client) -> None:
    typed = sent(story, name="", **{"_more": "requestors"})
    del typed["_save"]
    text = desk.post(reverse(ADD), typed).content.decode()
    assert 'name="requestors-TOTAL_FORMS" value="4"' in text
    assert 'name="requestors-3-type"' in text
    assert "Sales, EMEA" in text
    assert "errorlist" not in text
    assert AccessFlow.objects.count() == 1


def test_all_of_two_groups_and_the_manager_can_be_written(story: Story, desk: Client) -> None:
    put_into("owners", story.cast.admin)
    story.cast.requester.manager = story.cast.approver
    story.cast.requester.save()
    change = {
        "approval_mode": "all_of",
        "approvers-0-type": "manager",
        "approvers-0-values": "",
        "approvers-1-group": "2",
        "approvers-1-type": "group",
        "approvers-1-values": "owners",
    }
    desk.post(reverse(ADD), sent(story, **change))
    current = AccessFlow.objects.get(name="Prod reads").current
    assert current is not None
    assert current.document["approval"]["mode"] == "all_of"
    assert [group["conditions"][0]["type"] for group in current.document["approval"]["groups"]] == ["manager", "group"]
    assert "the requestor’s manager" in current.sentence


def test_flows_are_switched_off_and_on_together(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get()
    listed = reverse("admin:flows_accessflow_changelist")
    desk.post(listed, {"action": "switch_off", "_selected_action": [flow.pk]})
    flow.refresh_from_db()
    assert flow.current is not None
    assert (flow.active, flow.current.document["active"], flow.versions.count()) == (False, False, 2)
    edit = reverse("admin:flows_accessflow_change", args=[flow.pk])
    assert "Switched off: it gives nobody anything." in desk.get(edit).content.decode()
    desk.post(listed, {"action": "switch_on", "_selected_action": [flow.pk]})
    flow.refresh_from_db()
    assert flow.active


def test_a_flow_that_nobody_could_approve_any_more_is_not_switched_on(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get()
    listed = reverse("admin:flows_accessflow_changelist")
    desk.post(listed, {"action": "switch_off", "_selected_action": [flow.pk]})
    story.cast.approver.memberships.all().delete()
    page = desk.post(listed, {"action": "switch_on", "_selected_action": [flow.pk]}, follow=True)
    assert "Nothing was changed, for Databases" in page.content.decode()
    flow.refresh_from_db()
    assert not flow.active


def test_deleting_a_flow_that_no_request_named(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get()
    address = reverse("admin:flows_accessflow_delete", args=[flow.pk])
    assert "Delete Databases" in desk.get(address).content.decode()
    assert AccessFlow.objects.exists()
    assert desk.post(address).status_code == 302
    assert not AccessFlow.objects.exists()
    assert AuditEntry.objects.filter(action="flow.deleted").exists()


def test_a_flow_that_a_request_names_stays(story: Story, desk: Client) -> None:
    story.ask("orders_prod")
    flow = AccessFlow.objects.get()
    page = desk.post(reverse("admin:flows_accessflow_delete", args=[flow.pk]))
    assert page.status_code == 409
    assert "Switch it off instead." in page.content.decode()
    assert AccessFlow.objects.exists()
    listed = desk.get(reverse("admin:flows_accessflow_changelist")).content.decode()
    assert 'value="delete_selected"' not in listed


def test_a_flow_the_form_would_cut_short_is_only_shown(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get()
    version = flow.current
    assert version is not None
    version.document["approval"]["groups"].append({"tier": 1, "operator": "or", "conditions": []})
    assert beyond_the_form(version.document) == "escalation tiers"
    version.save()
    edit = reverse("admin:flows_accessflow_change", args=[flow.pk])
    page = desk.post(edit, sent(story, version="1")).content.decode()
    assert "escalation tiers, which this form would lose" in page
    assert 'name="_save"' not in page
    flow.refresh_from_db()
    assert flow.name == "Databases"


def test_a_name_cannot_become_markup(story: Story, desk: Client) -> None:
    canary = "<img src=x onerror=alert(1)>"
    put_into(canary, story.cast.requester)
    page = desk.post(
        reverse(ADD),
        sent(story, **{"name": canary, "description": canary, "labels": canary, "requestors-0-values": canary}),
        follow=True,
    )
    flow = AccessFlow.objects.get(name=canary)
    pages = [page] + [
        desk.get(reverse(f"admin:flows_accessflow_{name}", args=[flow.pk])) for name in ("change", "history", "delete")
    ]
    for one in pages:
        assert canary not in one.content.decode()
        assert "&lt;img src=x onerror=alert(1)&gt;" in one.content.decode()


def test_differences_are_told_without_order() -> None:
    before = {"name": "a", "list": [{"type": "group"}, {"type": "user"}], "settings": {"on": False}}
    after = {"name": "b", "list": [{"type": "user"}, {"type": "manager"}], "settings": {"on": True}}
    assert changes(before, after) == [
        "list: type group removed",
        "list: type manager added",
        "name: a → b",
        "settings on: no → yes",
    ]
    assert changes(before, {**before, "list": list(reversed(before["list"]))}) == []
    assert changes(None, after) == []


def test_the_cast_has_nobody_who_may_write_policy_but_the_admin(cast: Cast) -> None:
    assert [who.has_perm("flows.add_accessflow") for who in (cast.admin, cast.requester, cast.outsider)] == [
        True,
        False,
        False,
    ]
