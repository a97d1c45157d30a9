"""What a person may ask for, step by step: only what a flow gives them, and of others only for who may see people."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import TokenScope
from tests.older_api.conftest import Held, held
from tests.story import Story, flow

BASE = "/api/v3/selectable-integrations"
STEPS = (
    BASE,
    f"{BASE}/{{integration_id}}/resource-types",
    f"{BASE}/{{integration_id}}/{{resource_type}}/permissions",
    f"{BASE}/{{integration_id}}/{{resource_type}}/resources",
)


@pytest.fixture
def parts(story: Story) -> dict[str, str]:
    flow(story.integration)
    return {"integration_id": str(story.integration.pk), "resource_type": "database"}


def test_a_requester_is_led_to_what_a_flow_gives(story: Story, parts: dict[str, str]) -> None:
    me = held(story.cast.requester, TokenScope.INVENTORY_READ)
    systems, types, permissions, resources = (me("GET", step, **parts) for step in STEPS)
    assert systems["data"] == [{"id": parts["integration_id"]}]
    assert [one["id"] for one in types["data"]] == ["database"]
    assert permissions["data"] == ["READ_ONLY"]
    assert permissions["allow_multiple"] is True
    assert {one["type"] for one in resources["data"]} == {"database"}
    assert resources["pagination"]["total"] == len(resources["data"]) == 2
    assert me("GET", STEPS[3], **parts, limit="1", offset="1")["data"] == resources["data"][1:]


def test_whom_no_flow_names_gets_empty_lists(story: Story, parts: dict[str, str], call: Held) -> None:
    for who in (held(story.cast.outsider), call):
        for step in STEPS:
            assert who("GET", step, **parts)["data"] == [], "an admin is given nothing either"


def test_what_others_may_ask_for_is_for_who_may_see_people(story: Story, parts: dict[str, str], call: Held) -> None:
    mine = held(story.cast.requester)
    for who in (str(story.cast.requester.pk), story.cast.requester.email):
        for step in STEPS:
            assert call("GET", step, **parts, user_id=who) == mine("GET", step, **parts)
            assert held(story.cast.outsider)("GET", step, status=403, **parts, user_id=who)["code"] == "forbidden"
    narrow = held(story.cast.admin, TokenScope.INVENTORY_READ)
    assert narrow("GET", BASE, status=403, user_id="rita@example.com")["code"] == "missing_scope"
    call("GET", BASE, status=400, user_id="nobody")


def test_unknown_parts_are_as_what_is_not_given(story: Story, parts: dict[str, str]) -> None:
    me = held(story.cast.requester)
    for change in ({"integration_id": "nothing"}, {"resource_type": "table"}):
        for step in STEPS[2:]:
            assert me("GET", step, **(parts | change))["data"] == []


def test_a_step_takes_as_many_queries_however_much_there_is(story: Story, parts: dict[str, str]) -> None:
    me, counts = held(story.cast.requester), []
    me("GET", BASE)  # a token's use is written down once a minute
    flow(story.integration, "A second")
    for number in range(3):
        with CaptureQueriesContext(connection) as caught:
            for step in STEPS:
                me("GET", step, **parts)
        counts.append(len(caught))
        flow(story.integration, f"Another {number}")
    assert counts == [QUERIES] * 3


# Four lists: the token, who asks, what flows give them, where it lies.
QUERIES = 31
