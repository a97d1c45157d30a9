"""Identities, users, and attributes of many people at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Attribute
from audit.models import AuditEntry
from tests.older_api.conftest import Held
from tests.story import Story

BULK = "/api/v2/bulk/identities/attributes"


def rita(**attributes: str) -> dict[str, Any]:
    return {"email": "Rita@example.com", "attributes": attributes}


def test_attributes_are_written_read_and_taken_away(story: Story, call: Held) -> None:
    Attribute.objects.create(user=story.cast.requester, type="team", value="payments")
    done = call("PUT", BULK, [rita(city="Prague", floor="3"), {"email": "nobody@example.com", "attributes": {}}])
    assert done["summary"] == {"total": 2, "succeeded": 1, "failed": 1}
    assert [one["success"] for one in done["results"]] == [True, False]
    assert done["results"][1]["errors"][0]["error_code"] == "not_found"
    wanted = {"email": "rita@example.com", "attributes": {"city": "Prague", "floor": "3", "team": "payments"}}
    assert call("GET", BULK, emails="rita@example.com,nobody@example.com")["data"] == [wanted]
    entries = AuditEntry.objects.count()
    call("PUT", BULK, [rita(city="Prague")])
    assert AuditEntry.objects.count() == entries, "what is so already is no change"
    call("PUT", BULK, [rita(city="Brno")])
    call("DELETE", BULK, [{"email": "rita@example.com", "attribute_types": ["floor", "nothing"]}])
    (told,) = call("GET", BULK, emails="rita@example.com")["data"]
    assert told["attributes"] == {"city": "Brno", "team": "payments"}
    entry = AuditEntry.objects.filter(action="user.attributes_set").latest("pk")
    assert (entry.source, entry.actor_name) == ("api", "Ada")


def test_what_goes_wrong_with_one_person_leaves_the_others_theirs(story: Story, call: Held) -> None:
    done = call("PUT", BULK, [rita(**{"": "x"}), {"email": "abel@example.com", "attributes": {"city": "Graz"}}])
    assert [one["success"] for one in done["results"]] == [False, True]
    assert not Attribute.objects.filter(user=story.cast.requester).exists()


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        [{}],
        ["rita@example.com"],
        None,
        [{"email": "rita@example.com", "attributes": {"a": ["b"]}, "attribute_types": {}}],
        [{"email": "rita@example.com", "attributes": {"a": "b" * 301}, "attribute_types": ["a" * 101]}],
        [{"email": "rita@example.com", "attributes": {}, "attribute_types": []}] * 1001,
    ],
)
def test_what_cannot_be_meant_changes_nothing(story: Story, call: Held, method: str, body: Any) -> None:
    call(method, BULK, body, 400)
    assert not Attribute.objects.exists()


def test_people_are_pages_by_skip(story: Story, call: Held) -> None:
    page = call("GET", BULK, limit="2", skip="1")
    assert page["pagination"] == {"limit": 2, "offset": 1, "total": 4}
    assert [one["email"] for one in page["data"]] == ["ada@example.com", "otto@example.com"]


def test_users_are_found_by_id_and_address(story: Story, call: Held) -> None:
    every = call("GET", "/api/v2/users")["data"]
    assert [one["email"].partition("@")[0] for one in every] == ["abel", "ada", "otto", "rita"]
    user = story.cast.requester
    for pk in (str(user.pk), user.email):
        assert call("GET", "/api/v2/users/{id}", id=pk) == every[-1]
    call("GET", "/api/v2/users/{id}", status=404, id="nobody")


def test_lists_of_people_take_as_many_queries_as_one(story: Story, call: Held) -> None:
    counts = []
    for value in ("a", "b", "c"):
        call("PUT", BULK, [rita(**{value: value}), {"email": "abel@example.com", "attributes": {value: value}}])
        with CaptureQueriesContext(connection) as caught:
            for path in (BULK, "/api/v2/users", "/api/v2/identities"):
                call("GET", path)
        counts.append(len(caught))
    assert counts == [QUERIES] * 3


# Three lists, each with its token and its owner's roles.
QUERIES = 17
