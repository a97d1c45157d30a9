"""What can be done with a flow besides writing it: switch, list, look back, read as code, delete."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.actor import system
from audit.models import AuditEntry
from flows import actions
from flows.differences import changes
from flows.models import AccessFlow, FlowVersion
from tests.story import Story, document

LIST = "admin:flows_accessflow_changelist"


def page_of(name: str, flow: AccessFlow) -> str:
    return reverse(f"admin:flows_accessflow_{name}", args=[flow.pk])


def test_switching_off_says_how_many_requests_end_and_then_ends_them(story: Story, desk: Client) -> None:
    active, waiting = story.granted("orders_prod"), story.ask("orders_dev")
    flow = AccessFlow.objects.get()
    text = desk.get(page_of("switch", flow)).content.decode()
    assert "2 requests that wait or hold access end with it." in text
    assert "end 2 requests" in text
    assert AccessFlow.objects.get().active
    assert desk.post(page_of("switch", flow)).status_code == 200
    assert AccessFlow.objects.get().active
    with story_commits():
        desk.post(page_of("switch", flow), {"active": "off"})
    flow.refresh_from_db()
    assert flow.current is not None
    assert (flow.active, flow.current.document["active"], flow.versions.count()) == (False, False, 2)
    story.catch_up()
    assert story.fresh(waiting).state == "lapsed"
    assert story.fresh(active).state in {"revoking", "revoked"}
    desk.post(page_of("switch", flow), {"active": "on"})
    flow.refresh_from_db()
    assert flow.active


def story_commits():  # type: ignore[no-untyped-def]
    """Run what waits for the commit: the test's own transaction never commits."""
    from django.test import TestCase

    return TestCase.captureOnCommitCallbacks(execute=True)


def test_flows_are_switched_off_together_after_a_question(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get()
    story.ask("orders_prod")
    chosen = {"action": "switch_off", "_selected_action": [str(flow.pk)]}
    text = desk.post(reverse(LIST), chosen).content.decode()
    assert "1 request that waits or holds access ends with it." in text
    assert AccessFlow.objects.get().active
    desk.post(reverse(LIST), chosen | {"sure": "yes"})
    assert not AccessFlow.objects.get().active
    desk.post(reverse(LIST), {"action": "switch_on", "_selected_action": [str(flow.pk)]})
    assert AccessFlow.objects.get().active


def test_a_flow_that_nobody_could_approve_any_more_is_switched_off_but_not_on(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get()
    story.cast.approver.memberships.all().delete()
    desk.post(page_of("switch", flow), {"active": "off"})
    assert not AccessFlow.objects.get().active
    page = desk.post(page_of("switch", flow), {"active": "on"})
    assert page.status_code == 409
    assert "Nobody active is in the group “approvers”." in page.content.decode()
    chosen = {"action": "switch_on", "_selected_action": [str(flow.pk)]}
    assert "Nothing was changed, for Databases" in desk.post(reverse(LIST), chosen, follow=True).content.decode()
    assert not AccessFlow.objects.get().active


def test_a_flow_reads_as_the_document_that_decides(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get()
    page = desk.get(page_of("code", flow))
    assert flow.current is not None
    assert json.loads(page.context["code"]) == flow.current.document
    assert flow.current.digest in page.content.decode()
    for number in ("0", "2", "x", "²", "99999999999999999999", "-1"):
        assert desk.get(page_of("code", flow), {"version": number}).status_code == 404


def test_the_list_finds_by_name_and_sentence_and_by_where_it_gives_something(story: Story, desk: Client) -> None:
    story.ask("orders_prod")
    story.now = timezone.now()
    story.ask("orders_dev")
    text = desk.get(reverse(LIST)).content.decode()
    assert "People in the group “engineers” may ask" in text
    assert re.search(r'<td class="field-used[^"]*">1</td>', text)
    found = {
        "q=engineers": True,
        "q=nothing-like-it": False,
        "state=on": True,
        "state=off": False,
        f"integration={story.integration.pk}": True,
        "integration=00000000-0000-0000-0000-000000000000": False,
        "integration=x": False,
        "state=x": True,
    }
    for query, there in found.items():
        assert ("may ask, for themselves" in desk.get(f"{reverse(LIST)}?{query}").content.decode()) is there, query


def test_the_list_asks_as_often_for_two_thousand_flows_as_for_two(story: Story, desk: Client) -> None:
    desk.get(reverse(LIST))
    with CaptureQueriesContext(connection) as few:
        desk.get(reverse(LIST))
    first = AccessFlow.objects.get()
    flows = AccessFlow.objects.bulk_create(AccessFlow(name=f"Flow {number:04}") for number in range(2000))
    assert first.current is not None
    told = {"document": first.current.document, "sentence": first.current.sentence, "digest": "0" * 64}
    versions = FlowVersion.objects.bulk_create(FlowVersion(flow=flow, number=1, **told) for flow in flows)
    for flow, version in zip(flows, versions, strict=True):
        flow.current = version
    AccessFlow.objects.bulk_update(flows, ["current"], batch_size=500)
    with CaptureQueriesContext(connection) as many:
        page = desk.get(reverse(LIST))
    assert len(many) <= len(few) + 1
    assert len(page.context["cl"].result_list) == 50
    assert len(few) <= 20


def test_deleting_a_flow_that_no_request_named(story: Story, desk: Client) -> None:
    flow = AccessFlow.objects.get()
    assert "Delete Databases" in desk.get(page_of("delete", flow)).content.decode()
    assert AccessFlow.objects.exists()
    assert desk.post(page_of("delete", flow)).status_code == 302
    assert not AccessFlow.objects.exists()
    assert AuditEntry.objects.filter(action="flow.deleted").exists()


def test_a_flow_that_a_request_names_stays(story: Story, desk: Client) -> None:
    story.ask("orders_prod")
    flow = AccessFlow.objects.get()
    page = desk.post(page_of("delete", flow))
    assert page.status_code == 409
    assert "Switch it off instead." in page.content.decode()
    assert AccessFlow.objects.exists()
    assert 'value="delete_selected"' not in desk.get(reverse(LIST)).content.decode()


def test_differences_are_told_in_words_and_without_order(story: Story) -> None:
    flow = AccessFlow.objects.get()
    assert flow.current is not None
    before = flow.current.document
    names = {str(story.integration.pk): "Server"}
    other = document(story.integration)["approval"]["groups"][0] | {"tier": 0}
    person = {"type": "user", "operator": "is", "source": "", "values": ["a@b.c"]}
    conditions = before["requestors"]["conditions"]
    group = conditions[0]
    changed = before | {
        "active": False,
        "requestors": {"operator": "or", "conditions": [person, group | {"values": ["engineers", "sales"]}]},
        "targets": [],
        "approval": {"mode": "any_of", "groups": [*before["approval"]["groups"], other]},
        "duration_seconds": None,
        "settings": before["settings"] | {"max_extensions": 2, "extension_seconds": 3600, "self_approval": True},
    }
    assert changes(before, changed, names) == [
        "Switched off.",
        "Who may ask: added whose e-mail address is “a@b.c”.",
        "Who may ask, group: added “sales”.",
        "What: removed READ_ONLY on any database of Server.",
        "Approvers: added the group of whoever is in the group “approvers”.",
        "At most: without an end instead of 1 h.",
        "Extensions: 2 of 1 h each instead of none.",
        "Who asks may approve.",
    ]
    assert changes(before, before | {"requestors": dict(before["requestors"])}, names) == []
    assert changes(None, before, names) == []


@pytest.mark.parametrize("name", ["switch", "code"])
def test_pages_of_a_flow_that_is_none_are_not_found(story: Story, desk: Client, name: str) -> None:
    for id_ in ("nothing", "00000000-0000-0000-0000-000000000000", "'"):
        assert desk.get(reverse(f"admin:flows_accessflow_{name}", args=[id_])).status_code == 404


def test_who_reads_an_older_version_cannot_save_over_a_newer_one(story: Story) -> None:
    flow, actor = AccessFlow.objects.get(), system()
    told = document(story.integration)
    actions.define({"grant_duration_minutes": 30}, told, actor=actor, flow=flow, after=1)
    with pytest.raises(actions.Overtaken):
        actions.define({"grant_duration_minutes": 20}, told, actor=actor, flow=flow, after=1)
    flow.refresh_from_db()
    assert flow.grant_duration_minutes == 30
