"""The editor's rows: they come and go without a script, nothing typed is lost, and junk gets a clear answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.choices import Role
from flows.models import AccessFlow, FlowVersion
from tests.cast import person
from tests.desk.conftest import signed_in
from tests.desk.flow_form import sent
from tests.story import Story, put_into

ADD = "admin:flows_accessflow_add"


@pytest.fixture(autouse=True)
def sales(story: Story) -> None:
    put_into("Sales, EMEA")


def pressed(desk: Client, story: Story, button: str, **change: Any) -> str:
    """Press a button of the form and return the page; nothing may have been saved."""
    before = FlowVersion.objects.count()
    page = desk.post(reverse(ADD), sent(story, _save=None, _do=button, **change))
    assert page.status_code == 200
    assert FlowVersion.objects.count() == before
    text = page.content.decode()
    assert 'class="errorlist"' not in text
    assert 'aria-invalid="true"' not in text
    return text


@pytest.mark.parametrize(
    ("button", "new"),
    [
        ("add:requestors", "requestors-2-type"),
        ("add:targets:integration", "targets-1-integration"),
        ("add:approvers", "approvers-1-conditions-0-type"),
        ("add:approvers-0-conditions", "approvers-0-conditions-3-type"),
    ],
)
def test_a_row_is_added_by_a_button_and_everything_typed_stays(
    story: Story, desk: Client, button: str, new: str
) -> None:
    text = pressed(desk, story, button, name="", description="Half a thought", grant_duration_minutes="nonsense")
    assert f'name="{new}"' in text
    for kept in ("Sales, EMEA", "Half a thought", "nonsense", "secret_prod", "ADA@example.com", "tag: env=prod"):
        assert kept in text
    assert 'value="READ_ONLY"' in text.replace("\n", " ")


def test_a_row_is_removed_by_a_button_and_the_others_keep_their_names(story: Story, desk: Client) -> None:
    text = pressed(desk, story, "remove:approvers-0-conditions:0")
    assert 'name="approvers-0-conditions-0-type"' not in text
    assert 'name="approvers-0-conditions-1-type"' in text
    assert "ADA@example.com" in text
    text = pressed(desk, story, "remove:requestors:0")
    assert 'name="requestors-0-type"' not in text
    assert 'name="requestors-1-type"' in text
    assert 'name="approvers-0-' not in pressed(desk, story, "remove:approvers:0")


def test_a_removed_rows_fields_do_not_come_back_with_the_next_one(story: Story, desk: Client) -> None:
    change = {"requestors": ["1"], "requestors-2-values": "left over"}
    text = pressed(desk, story, "add:requestors", **change)
    assert 'name="requestors-2-values"' in text
    assert "left over" not in text


def test_reading_back_shows_the_sentence_and_how_many_it_reaches(story: Story, desk: Client) -> None:
    put_into("engineers", *[person(f"Eva{number}") for number in range(3)])
    text = pressed(desk, story, "read")
    assert "4 people now" in text
    assert "Selects 2 entitlements now" in text
    for phrase in ("#who", "#for", "#what", "#time", "#rules", "#approvers"):
        assert f'<a href="{phrase}">' in text


def test_what_is_doubtful_is_told_before_saving(story: Story, desk: Client) -> None:
    put_into("alone", story.cast.requester)
    change = {"approvers-0-conditions": ["0"], "approvers-0-conditions-0-values": "alone", "targets-0-only": "nowhere"}
    text = pressed(desk, story, "read", **change)
    assert "A target on “database” selects nothing now." in text
    assert "Selects 0 entitlements now" in text
    assert "Only Rita &lt;rita@example.com&gt; could approve, and may ask as well" in text


def test_the_resource_types_and_permissions_of_the_chosen_system_are_offered(story: Story, desk: Client) -> None:
    text = desk.get(reverse(ADD)).content.decode()
    assert "READ_ONLY" not in text
    text = pressed(desk, story, "read", **{"targets-0-resource_type": None, "targets-0-permissions": None})
    assert 'value="READ_ONLY"' in text.replace("\n", " ")


@pytest.mark.parametrize(
    "change",
    [
        {"requestors": [str(number) for number in range(400)]},
        {"requestors": ["-1"]},
        {"requestors": ["0", "0"]},
        {"targets": ["²"]},
        {"targets": ["../../x"]},
        {"approvers": ["0", "99999"]},
        {"approvers-0-conditions": ["nothing"]},
    ],
)
@pytest.mark.parametrize("button", ["", "add:requestors"])
def test_rows_that_the_page_never_had_are_refused_in_words(
    story: Story, desk: Client, change: dict[str, Any], button: str
) -> None:
    page = desk.post(reverse(ADD), sent(story, **change) | ({"_do": button} if button else {}))
    assert page.status_code == 400
    assert "Nothing was saved. Open the page again" in page.content.decode()
    assert AccessFlow.objects.count() == 1


@pytest.mark.parametrize(
    "button",
    ["add", "add:", "add:nothing", "remove:requestors:77", "remove", "add:approvers-99999-conditions", "add:targets:x"],
)
def test_buttons_that_are_none_change_nothing_and_break_nothing(story: Story, desk: Client, button: str) -> None:
    page = desk.post(reverse(ADD), sent(story) | {"_do": button})
    assert page.status_code == 200
    assert "Sales, EMEA" in page.content.decode()
    assert AccessFlow.objects.count() == 1


def test_ten_thousand_fields_are_refused_before_they_are_read(story: Story, desk: Client) -> None:
    many = {f"requestors-{number}-values": "x" for number in range(10_000)}
    assert desk.post(reverse(ADD), sent(story) | many).status_code == 400


def test_a_list_that_is_full_offers_no_more_rows(story: Story, desk: Client) -> None:
    full = {"requestors": [str(number) for number in range(50)]}
    text = pressed(desk, story, "add:requestors", **full)
    assert 'name="requestors-50-type"' not in text
    assert 'value="add:requestors"' not in text


def test_the_page_asks_the_database_as_often_for_many_rows_as_for_few(story: Story, desk: Client) -> None:
    desk.post(reverse(ADD), sent(story))
    flow = AccessFlow.objects.get(name="Prod reads")
    address = reverse("admin:flows_accessflow_change", args=[flow.pk])
    desk.get(address)
    with CaptureQueriesContext(connection) as shown:
        desk.get(address)
    with CaptureQueriesContext(connection) as few:
        desk.post(address, sent(story, _save=None, _do="read", version="1"))
    conditions = {
        f"requestors-{number}-{name}": value
        for number in range(40)
        for name, value in (("type", "group"), ("operator", "is"), ("values", "engineers"))
    }
    for number in range(50):
        put_into(f"group {number}")
    many = {"requestors": [str(number) for number in range(40)], "version": "1"} | conditions
    with CaptureQueriesContext(connection) as reading:
        desk.post(address, sent(story, _save=None, _do="read", **many))
    assert len(shown) <= 32
    assert len(few) <= 45
    assert len(reading) <= len(few)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEPLOYMENT])
def test_who_only_looks_sees_the_flow_and_writes_nothing(story: Story, role: Role) -> None:
    auditor = signed_in(person("Vera", role))
    flow = AccessFlow.objects.get()
    address = reverse("admin:flows_accessflow_change", args=[flow.pk])
    text = auditor.get(address).content.decode()
    assert "People in the group “engineers” may ask" in text
    assert "<textarea" not in text
    assert auditor.post(address, sent(story, version="1")).status_code == 403
    assert auditor.post(reverse("admin:flows_accessflow_switch", args=[flow.pk]), {"active": "off"}).status_code == 403
    assert auditor.get(reverse("admin:flows_accessflow_suggest"), {"type": "user", "q": "a"}).status_code == 403
    flow.refresh_from_db()
    assert (flow.name, flow.active) == ("Databases", True)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"type": "user", "q": "RIT"}, ["rita@example.com"]),
        ({"type": "group", "q": "sales"}, ["Sales, EMEA"]),
        ({"type": "group", "q": "\x00"}, ["Sales, EMEA", "approvers", "engineers"]),
        ({"type": "shoe_size", "q": "4"}, []),
        ({"type": "selector", "q": "ord", "resource_type": "database"}, ["name: orders_dev", "name: orders_prod"]),
        ({"type": "selector", "q": "tag: env=p", "resource_type": "database"}, ["tag: env=prod"]),
        ({"type": "selector", "q": "ord", "resource_type": "database", "integration": "nothing"}, []),
        ({}, []),
    ],
)
def test_suggestions_are_the_first_that_fit(
    story: Story, desk: Client, asked: dict[str, str], found: list[str]
) -> None:
    where = {"integration": str(story.integration.pk)}
    answer = desk.get(reverse("admin:flows_accessflow_suggest"), where | asked)
    assert [one["value"] for one in answer.json()["values"]] == found


def test_suggestions_end_at_twenty(story: Story, desk: Client) -> None:
    for number in range(30):
        put_into(f"team {number:02}")
    answer = desk.get(reverse("admin:flows_accessflow_suggest"), {"type": "group", "q": "team"})
    assert len(answer.json()["values"]) == 20
