"""What a push costs: twenty thousand people come in one afternoon."""

from __future__ import annotations

from typing import Any

import pytest

from access_requests import actions
from access_requests.choices import RequestState
from access_requests.queries.concerned import concerned
from accounts.models import Change, User
from tests.cast import Cast
from tests.scim.directory import ENTERPRISE, Directory, person
from tests.story import allow_extensions, begin, flow, simulated_provider

# The token and eleven statements, in six savepoints; nothing is read again to answer.
MAKING = 23


@pytest.fixture
def idp(db: None) -> Directory:
    return Directory()


def test_who_is_answered_as_made_is_read_so_afterwards(idp: Directory) -> None:
    boss = idp.person("boss")
    extension = {"department": "Sales", "manager": {"value": boss["id"]}}
    made = idp.call("POST", "Users", person("ann", title="Clerk", timezone="Europe/Berlin", **{ENTERPRISE: extension}))
    read = idp.call("GET", f"Users/{made.body['id']}")
    assert read.body == made.body and read.headers["ETag"] == made.headers["ETag"]


def test_one_new_person_is_one_piece_of_news_and_few_queries(idp: Directory, django_assert_num_queries: Any) -> None:
    before = Change.objects.count()
    with django_assert_num_queries(MAKING):
        idp.person("ann", title="Clerk", **{ENTERPRISE: {"department": "Sales"}})
    assert Change.objects.count() == before + 1


def test_whom_news_concerns_is_who_asks_holds_or_answers_now(
    fresh_database: str, cast: Cast, django_assert_num_queries: Any
) -> None:
    rita, abel, everybody = cast.requester.pk, cast.approver.pk, User.objects.values_list("pk", flat=True)
    with simulated_provider():
        story = begin(cast, "one")
        allow_extensions(flow(story.integration), 1, 600)

        def told() -> set[Any]:
            with django_assert_num_queries(1):
                return set(concerned(people))

        people = list(everybody)
        assert told() == set()
        request = story.ask("one")
        assert told() == {rita, abel}
        story.approve(request)
        story.work()
        assert (story.fresh(request).state, told()) == (RequestState.ACTIVE, {rita})
        by = story.by(cast.requester)
        actions.extend(request, user=cast.requester, actor=by, seconds=600, justification="more", at=story.now)
        assert told() == {rita, abel}
        story.later(days=2)
        assert story.fresh(request).state == RequestState.REVOKED
        assert told() == set()


def test_who_is_disabled_by_a_push_loses_what_they_hold_at_once(fresh_database: str, cast: Cast) -> None:
    idp = Directory()
    with simulated_provider():
        story = begin(cast, "one")
        flow(story.integration)
        pushed = idp.person(cast.requester.name, emails=[{"value": cast.requester.email, "primary": True}])
        request = story.granted("one")
        assert story.held()
        off = {"op": "replace", "path": "active", "value": False}
        assert idp.patch(f"Users/{pushed['id']}", off).status == 200
        assert story.fresh(request).state == RequestState.REVOKING
        story.catch_up()
        assert not story.held()
