"""Why, and why not: for who may read policy by name, and for who asks without a name they may not see."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from accounts.models import GroupMembership
from audit.actor import system
from flows import actions
from flows.models import AccessFlow, Timeframe
from integrations.models import IntegrationOwner
from tests.desk.conftest import signed_in
from tests.story import Story, flow, put_into

pytestmark = pytest.mark.django_db
DESK = "/admin/flows/accessflow/why/"


def desk_page(client: Client, **asked: str) -> str:
    answer = client.get(DESK, asked)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def page(client: Client, text: str) -> str:
    answer = client.get("/requests/why-not/", {"q": text})
    assert answer.status_code == 200
    # Each answer has a token of its own.
    return " ".join(re.sub(r'value="[A-Za-z0-9]{64}"', "", answer.content.decode()).split())


@pytest.fixture
def rita(story: Story) -> Client:
    return signed_in(story.cast.requester)


def test_an_admin_reads_which_flow_decides(story: Story, desk: Client) -> None:
    shown = desk_page(desk, person="rita@example.com", resource="orders_prod")
    assert "Databases</a> decides" in shown
    assert "It is the only access flow that gives this." in shown


def test_an_admin_reads_what_a_person_lacks(story: Story, desk: Client) -> None:
    shown = desk_page(desk, person="otto@example.com", resource="orders_prod")
    assert "No access flow gives them this" in shown
    assert "Otto does not match its requestors: not in the group “engineers”." in shown


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"person": "nobody@example.com", "resource": "orders_prod"}, "There is nobody with the address"),
        ({"person": "rita@example.com", "resource": "nothing"}, "There is no resource with the path"),
        ({"person": "rita@example.com"}, "This field is required"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(story: Story, desk: Client, asked: dict[str, str], said: str) -> None:
    assert said in desk_page(desk, **asked)


def test_the_names_are_for_who_may_read_policy_and_people(story: Story) -> None:
    for user in (story.cast.outsider, story.cast.approver):
        answer = signed_in(user).get(DESK, {"person": "rita@example.com", "resource": "orders_prod"})
        assert answer.status_code in {302, 403}


def test_who_asks_reads_how_something_is_had_and_whom_to_ask_for_more(story: Story, rita: Client) -> None:
    IntegrationOwner.objects.create(integration=story.integration, user=story.cast.approver)
    shown = page(rita, "orders_prod")
    assert "you can ask for it" in shown
    assert "one approval" in shown
    assert "Ask its owner: Abel." in shown


def test_a_shut_window_is_told_with_when_it_opens(story: Story, rita: Client) -> None:
    row = AccessFlow.objects.get()
    day = f"{datetime.now(UTC) + timedelta(days=3):%A}"
    Timeframe.objects.create(
        flow=row, start_time="06:00", end_time="07:00", days_of_week=[day.upper()], time_zone="UTC"
    )
    actions.save(row, actor=system())
    shown = page(rita, "orders_prod")
    assert ": not now" in shown
    assert f"opens {day} 06:00 UTC" in shown


def test_what_is_for_others_and_what_is_not_there_are_answered_alike(story: Story) -> None:
    put_into("secret club", story.cast.outsider)
    named = {"conditions": [{"type": "group", "operator": "is", "values": ["secret club"]}]}
    flow(story.integration, name="Hidden", requestors=named)
    otto = signed_in(story.cast.outsider)
    assert "you can ask for it" in page(otto, "orders_prod")
    GroupMembership.objects.all().delete()
    hidden, nothing = page(otto, "orders_prod"), page(otto, "zzz_prod")
    assert "secret club" not in hidden
    assert "Hidden" not in hidden
    assert hidden.replace("orders_prod", "X") == nothing.replace("zzz_prod", "X")


def test_nothing_typed_is_a_page_too(rita: Client) -> None:
    assert "Why not?" in page(rita, "")
    assert rita.get("/requests/why-not/", {"q": "\0" * 300}).status_code == 200
