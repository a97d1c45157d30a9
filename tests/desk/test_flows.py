"""Flows by form: what is sent becomes policy, or words that say why not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Group
from audit.models import AuditEntry
from flows.forms.policy import rows_of
from flows.models import AccessFlow, Condition, FlowVersion
from tests.cast import Cast
from tests.desk.flow_form import as_shown, sent
from tests.story import Story, put_into

ADD = "admin:flows_accessflow_add"


@pytest.fixture(autouse=True)
def sales(story: Story) -> Group:
    """A group whose name holds a comma."""
    return put_into("Sales, EMEA")


def edit_of(flow: AccessFlow) -> str:
    return reverse("admin:flows_accessflow_change", args=[flow.pk])


def test_a_flow_is_made_by_form_and_reads_back_as_a_sentence(story: Story, desk: Client) -> None:
    page = desk.post(reverse(ADD), sent(story), follow=True)
    flow = AccessFlow.objects.get(name="Prod reads")
    assert flow.current is not None
    document = flow.current.document
    assert document["duration_seconds"] == 5400
    assert document["pending_seconds"] == 8 * 3600
    assert document["description"] == "For incidents"
    assert document["settings"]["labels"] == ["prod", "incident"]
    assert document["settings"]["self_approval"] is False
    assert (document["settings"]["max_extensions"], document["settings"]["extension_seconds"]) == (2, 3600)
    assert document["requestors"]["conditions"][0]["values"] == ["Sales, EMEA", "engineers"]
    (group,) = document["approval"]["groups"]
    assert [one["values"] for one in group["conditions"]] == [["approvers"], ["ada@example.com"]]
    (target,) = document["targets"]
    assert {(one["mode"], one["type"], one["key"], *one["values"]) for one in target["selectors"]} == {
        ("include_resources", "tag", "env", "dev", "prod"),
        ("exclude_resources", "name", "", "secret_prod"),
    }
    said = (
        "People in the group “Sales, EMEA” or “engineers” may ask, for themselves, for READ_ONLY on any database of "
        "Simulated server whose tag env is “dev” or “prod” except those whose name is “secret_prod” for at most "
        "1 h 30 min, which may be extended twice by 1 h each time, with a justification; someone in the group "
        "“approvers” or whose e-mail address is “ada@example.com” approves."
    )
    assert flow.current.sentence == said
    assert f"Prod reads is saved. It says: {said}" in page.content.decode()
    entry = AuditEntry.objects.get(action="flow.saved", subject_name="Prod reads")
    assert entry.actor_name == "Ada"


def test_the_form_shows_what_was_saved_and_saving_it_again_changes_nothing(story: Story, desk: Client) -> None:
    desk.post(reverse(ADD), sent(story))
    flow = AccessFlow.objects.get(name="Prod reads")
    again = as_shown(desk.get(edit_of(flow)).context["form"])
    assert again["grant_duration_minutes"] == "1 h 30 min"
    assert again["requestors-0-values"] == '"Sales, EMEA"\nengineers'
    assert desk.post(edit_of(flow), {**again, "_save": "x"}).status_code == 302
    assert flow.versions.count() == 1
    assert Condition.objects.filter(flow=flow).count() == 3


def test_the_rows_of_a_document_become_the_same_document(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get(name="Databases")
    assert flow.current is not None
    rows = rows_of(flow.current.document)
    assert rows["requestors"][0]["values"] == ["engineers"]
    assert rows["approvers"][0]["conditions"][0]["values"] == ["approvers"]
    assert desk.post(edit_of(flow), as_shown(desk.get(edit_of(flow)).context["form"])).status_code == 302
    assert flow.versions.count() == 1


def test_editing_makes_a_version_with_its_differences(story: Story, desk: Client) -> None:
    desk.post(reverse(ADD), sent(story))
    flow = AccessFlow.objects.get(name="Prod reads")
    changed = sent(story, **{"grant_duration_minutes": "30", "requestors-0-values": "engineers", "version": "1"})
    page = desk.post(edit_of(flow), changed, follow=True)
    assert page.redirect_chain == [(edit_of(flow), 302)]
    assert flow.versions.count() == 2
    text = desk.get(reverse("admin:flows_accessflow_history", args=[flow.pk])).content.decode()
    assert "At most: 30 min instead of 1 h 30 min." in text
    assert "Who may ask, group: removed “Sales, EMEA”." in text
    assert "The first version." in text
    assert "Ada &lt;ada@example.com&gt;" in text


def test_who_has_not_read_the_newest_version_is_told_what_changed_and_loses_nothing(story: Story, desk: Client) -> None:
    desk.post(reverse(ADD), sent(story))
    flow = AccessFlow.objects.get(name="Prod reads")
    desk.post(edit_of(flow), sent(story, grant_duration_minutes="30", version="1"))
    mine = sent(story, grant_duration_minutes="45 min", description="Mine", version="1")
    page = desk.post(edit_of(flow), mine)
    text = page.content.decode()
    assert page.status_code == 409
    assert "Somebody saved version 2 meanwhile" in text
    assert "At most: 30 min instead of 1 h 30 min." in text
    assert ">\nMine</textarea>" in text
    assert flow.versions.count() == 2
    # Having read that, the writer may say so and save.
    assert desk.post(edit_of(flow), mine | {"version": "2"}).status_code == 302
    assert flow.versions.count() == 3


def test_a_form_that_does_not_say_what_it_was_made_of_is_not_saved_over_a_flow(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get()
    assert desk.post(edit_of(flow), sent(story)).status_code == 409
    assert flow.versions.count() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"requestors-0-type": "", "requestors-0-values": ""}, "Say who may ask"),
        ({"requestors": []}, "Say who may ask"),
        ({"requestors-0-type": ""}, "Choose what to look at."),
        ({"requestors-0-type": "shoe_size"}, "Nobody has this attribute."),
        ({"requestors-0-values": "enginers"}, "There is no group “enginers”. Did you mean “engineers”?"),
        ({"approvers-0-conditions-1-values": "adda@example.com"}, "Did you mean “ada@example.com” or"),
        (
            {"approvers-0-conditions-0-values": '"Sales, EMEA"', "approvers-0-conditions": ["0"]},
            "Nobody active is in the group “Sales, EMEA”. So nobody could ever approve",
        ),
        ({"approval_mode": "none"}, "Choose who approves, or remove the approver groups."),
        ({"approvers": []}, "Add an approver group"),
        ({"targets": []}, "add a target"),
        ({"targets-0-permissions": ["DROP"]}, "On this type there are: READ_ONLY, ADMIN."),
        ({"targets-0-permissions": []}, "Choose at least one permission."),
        ({"targets-0-resource_type": "bucket"}, "This integration has: database."),
        ({"targets-0-integration": "00000000-0000-0000-0000-000000000000"}, "Select a valid choice."),
        ({"targets-0-only": "tag: prod"}, "“tag: prod” is no tag: write tag: key=value."),
        ({"targets-0-kind": "bundle", "targets-0-bundle": ""}, "Choose a bundle, or remove this target."),
        ({"targets-0-kind": "query"}, "Write a query, or remove this target."),
        ({"targets-0-kind": "access_scope"}, "Choose an access scope, or remove this target."),
        ({"targets-0-kind": "door"}, "Select a valid choice."),
        (
            {"targets-0-kind": "query", "targets-0-query": 'resource_nam = "x"'},
            "Line 1, column 1: found resource_nam",
        ),
        ({"requestors-0-values": ""}, "Give at least one value"),
        ({"requestors-0-values": "a\x00b"}, "Null characters are not allowed."),
        ({"grant_duration_minutes": ""}, "Say how long at most, or tick “Without an end”."),
        ({"grant_duration_minutes": "a while"}, "Write a duration such as 30 min"),
        ({"grant_duration_minutes": "99999999 d"}, "at most ten years"),
        ({"indefinite": "on"}, "Access without an end has no duration"),
        ({"indefinite": "on", "grant_duration_minutes": ""}, "Access without an end needs no extension"),
        ({"extension_minutes": ""}, "Say by how much it is extended each time."),
        ({"max_extensions": "0"}, "Say how often it may be extended."),
        ({"drain_minutes": "9 h"}, "Open sessions may go on for at most 8 h after the end."),
        ({"pending_hours": "0"}, "At least one hour"),
        ({"name": "Databases"}, "Another access flow has this name."),
    ],
)
def test_what_cannot_be_policy_is_refused_in_words_and_nothing_is_saved(
    story: Story, desk: Client, change: dict[str, Any], words: str
) -> None:
    before = (FlowVersion.objects.count(), Condition.objects.count(), AccessFlow.objects.count())
    page = desk.post(reverse(ADD), sent(story, **change))
    assert page.status_code == 200
    assert words in page.content.decode()
    assert "Nothing was saved" in page.content.decode()
    assert (FlowVersion.objects.count(), Condition.objects.count(), AccessFlow.objects.count()) == before


def test_for_how_long_open_sessions_may_go_on_is_written_as_people_say_it_and_shown_again(
    story: Story, desk: Client
) -> None:
    desk.post(reverse(ADD), sent(story, drain_minutes="30 min"))
    made = AccessFlow.objects.get(name="Prod reads")
    assert made.drain_minutes == 30
    shown = desk.get(reverse("admin:flows_accessflow_change", args=[made.pk])).content.decode()
    assert "open sessions may go on for 30 min" in " ".join(shown.split())


def test_every_error_of_the_summary_leads_to_its_field(story: Story, desk: Client) -> None:
    change = {"grant_duration_minutes": "", "requestors-0-values": "", "targets-0-permissions": [], "approvers": []}
    page = desk.post(reverse(ADD), sent(story, **change))
    text = page.content.decode()
    anchors = [fault.anchor for fault in page.context["faults"]]
    assert len(anchors) == 4
    for anchor in anchors:
        assert f'id="{anchor}"' in text
        assert f'href="#{anchor}"' in text


def test_a_refused_edit_leaves_the_flow_as_it_was(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get(name="Databases")
    page = desk.post(edit_of(flow), sent(story, approvers=[], version="1")).content.decode()
    assert "Add an approver group" in page
    assert "Databases · Latchkey" in page
    flow.refresh_from_db()
    assert (flow.name, flow.versions.count(), flow.conditions.count()) == ("Databases", 1, 2)


def test_who_left_may_stay_named_but_nobody_unknown_is_added(story: Story, desk: Client) -> None:
    desk.post(reverse(ADD), sent(story))
    flow = AccessFlow.objects.get(name="Prod reads")
    Group.objects.filter(name="Sales, EMEA").delete()
    assert desk.post(edit_of(flow), sent(story, description="Later", version="1")).status_code == 302
    page = desk.post(reverse(ADD), sent(story, name="Another"))
    assert "There is no group “Sales, EMEA”." in page.content.decode()


def test_all_of_two_groups_and_the_manager_can_be_written(story: Story, desk: Client) -> None:
    put_into("owners", story.cast.admin)
    story.cast.requester.manager = story.cast.approver
    story.cast.requester.save()
    change = {
        "approval_mode": "all_of",
        "approvers": ["0", "7"],
        "approvers-0-conditions": ["0"],
        "approvers-0-conditions-0-type": "manager",
        "approvers-0-conditions-0-values": "",
        "approvers-7-operator": "and",
        "approvers-7-conditions": ["3"],
        "approvers-7-conditions-3-type": "group",
        "approvers-7-conditions-3-operator": "is",
        "approvers-7-conditions-3-values": "owners",
    }
    desk.post(reverse(ADD), sent(story, **change))
    current = AccessFlow.objects.get(name="Prod reads").current
    assert current is not None
    assert current.document["approval"]["mode"] == "all_of"
    assert [group["conditions"][0]["type"] for group in current.document["approval"]["groups"]] == ["manager", "group"]
    assert "the requestor’s manager and someone in the group “owners” have to approve" in current.sentence


def test_a_name_cannot_become_markup(story: Story, desk: Client) -> None:
    canary = "<img src=x onerror=alert(1)>"
    put_into(canary, story.cast.requester)
    page = desk.post(
        reverse(ADD),
        sent(story, **{"name": canary, "description": canary, "labels": canary, "requestors-0-values": canary}),
        follow=True,
    )
    flow = AccessFlow.objects.get(name=canary)
    names = ("change", "history", "delete", "switch", "code")
    pages = [page] + [desk.get(reverse(f"admin:flows_accessflow_{name}", args=[flow.pk])) for name in names]
    pages.append(desk.get(reverse("admin:flows_accessflow_changelist")))
    for one in pages:
        assert canary not in one.content.decode()
        assert "&lt;img src=x onerror=alert(1)&gt;" in one.content.decode()


def test_the_cast_has_nobody_who_may_write_policy_but_the_admin(cast: Cast) -> None:
    assert [who.has_perm("flows.add_accessflow") for who in (cast.admin, cast.requester, cast.outsider)] == [
        True,
        False,
        False,
    ]
