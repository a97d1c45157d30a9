"""Standing in: while somebody is away another is asked as well, one hop, never about themselves, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from access_requests import actions, queries
from access_requests.actions import letters as writing
from access_requests.models import AccessRequest, Approval, ExtensionApproval
from accounts import actions as people
from accounts.choices import LetterState
from accounts.models import Delegation, Letter, User
from audit.actor import system
from audit.models import AuditEntry
from tests.accounts.threads import together
from tests.cast import Cast, person
from tests.story import NOON, Story, allow_extensions, begin, flow, put_into, simulated_provider, take_factor

DAY = timedelta(days=1)


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """One flow that asks the approvers, and gives extensions."""
    with simulated_provider():
        told = begin(cast)
        allow_extensions(flow(told.integration), 2, 1800)
        yield told


@pytest.fixture
def sam(story: Story) -> User:
    """Who stands in."""
    return person("Sam")


def away(user: User, to: User, start: datetime = NOON, days: float = 3) -> Delegation:
    return people.delegate(user, to, start, start + days * DAY, actor=system(), at=NOON)


def asked(request: AccessRequest) -> dict[str, str | None]:
    """Return who is asked, and for whom they stand in."""
    rows = Approval.objects.filter(request=request).select_related("approver", "stands_in_for")
    return {one.approver.name: one.stands_in_for.name if one.stands_in_for else None for one in rows}


def yes(story: Story, request: AccessRequest, user: User) -> None:
    actions.approve(request, approver=user, actor=story.by(user), at=story.now)


def sweep(story: Story) -> int:
    return actions.sweep_stand_ins(at=story.now)


def test_the_stand_in_is_asked_as_well_and_told_why(story: Story, sam: User) -> None:
    away(story.cast.approver, sam)
    request = story.ask("orders_prod")
    assert asked(request) == {"Abel": None, "Sam": "Abel"}
    row = Approval.objects.get(approver=sam)
    assert row.why == "Abel is away until 5 Mar and asked you to answer"
    assert [one.pk for one in queries.tasks_of(sam)] == [request.pk]
    yes(story, request, sam)
    assert story.fresh(request).state == "approved"


def test_who_is_away_may_still_answer(story: Story, sam: User) -> None:
    away(story.cast.approver, sam)
    request = story.ask("orders_prod")
    story.approve(request)
    assert story.fresh(request).state == "approved"


def test_before_and_after_the_absence_nobody_stands_in(story: Story, sam: User) -> None:
    away(story.cast.approver, sam, NOON + DAY, 1)
    assert asked(story.ask("orders_prod")) == {"Abel": None}
    story.now = NOON + 2 * DAY
    assert asked(story.ask("orders_dev")) == {"Abel": None}


def test_what_was_asked_before_gets_its_stand_in_by_the_sweep_and_loses_nothing_afterwards(
    story: Story, sam: User
) -> None:
    request = story.ask("orders_prod")
    away(story.cast.approver, sam, NOON + timedelta(hours=1), 0.25)
    assert sweep(story) == 0
    story.now = NOON + timedelta(hours=1)
    assert (sweep(story), sweep(story)) == (1, 0)
    assert asked(request) == {"Abel": None, "Sam": "Abel"}
    story.now = NOON + timedelta(hours=7)
    assert (sweep(story), sweep(story)) == (1, 0)
    assert asked(request) == {"Abel": None}
    assert (queries.task_count(sam), queries.visible_to(sam).count()) == (0, 0)
    recorded = AuditEntry.objects.filter(action__startswith="request.stand_in").order_by("id")
    assert [one.action for one in recorded] == ["request.stand_in_asked", "request.stand_in_withdrawn"]
    story.approve(request)
    assert story.fresh(request).state == "approved"


def test_whose_absence_is_over_is_not_stood_in_for_though_no_sweep_came(story: Story, sam: User) -> None:
    away(story.cast.approver, sam, days=0.01)
    request = story.ask("orders_prod")
    story.now += 0.01 * DAY
    with pytest.raises(actions.NotYours):
        yes(story, request, sam)
    assert story.fresh(request).state == "pending"


def test_an_absence_ended_early_ends_it_too(story: Story, sam: User) -> None:
    one = away(story.cast.approver, sam)
    request = story.ask("orders_prod")
    story.now += timedelta(minutes=1)
    assert people.end_delegation(one, actor=story.by(story.cast.approver), at=story.now)
    assert sweep(story) == 1
    assert asked(request) == {"Abel": None}


def test_what_the_stand_in_answered_stays(story: Story, sam: User) -> None:
    put_into("security", person("Cleo"))
    groups = [
        {"operator": "or", "conditions": [{"type": "group", "operator": "is", "values": [name]}]}
        for name in ("approvers", "security")
    ]
    flow(
        story.integration,
        "Both",
        "all_of",
        approval={"groups": groups},
        requestors={"conditions": [{"type": "user", "operator": "is", "values": [story.cast.outsider.email]}]},
    )
    one = away(story.cast.approver, sam)
    request = story.ask("orders_prod", user=story.cast.outsider)
    yes(story, request, sam)
    people.end_delegation(one, actor=system(), at=story.now + timedelta(seconds=1))
    story.now += timedelta(minutes=1)
    assert sweep(story) == 0
    assert Approval.objects.get(request=request, approver=sam).status == "approved"
    yes(story, request, User.objects.get(name="Cleo"))
    assert story.fresh(request).state == "approved"


def test_neither_requestor_nor_grantee_stands_in(story: Story) -> None:
    away(story.cast.approver, story.cast.requester)
    request = story.ask("orders_prod")
    story.now += timedelta(minutes=1)
    assert sweep(story) == 0
    assert asked(request) == {"Abel": None}
    with pytest.raises(actions.NotYours):
        yes(story, request, story.cast.requester)
    AccessRequest.objects.filter(pk=request.pk).update(requestor=story.cast.outsider)
    assert sweep(story) == 0, "the grantee is the requester still"


def test_who_is_disabled_does_not_stand_in(story: Story, sam: User) -> None:
    away(story.cast.approver, sam)
    first = story.ask("orders_prod")
    people.disable_user(sam, actor=system())
    sweep(story)
    assert asked(first) == {"Abel": None}
    assert asked(story.ask("orders_dev")) == {"Abel": None}


def test_nobody_stands_in_for_who_is_disabled(story: Story, sam: User) -> None:
    away(story.cast.approver, sam)
    put_into("approvers", person("Cleo"))
    request = story.ask("orders_prod")
    people.disable_user(story.cast.approver, actor=system())
    with pytest.raises(actions.NotYours):
        yes(story, request, sam)
    sweep(story)
    assert asked(request) == {"Cleo": None}, "who is disabled is not asked any more either"


def test_it_goes_one_hop_and_a_circle_ends(story: Story, sam: User) -> None:
    third = person("Tom")
    away(story.cast.approver, sam)
    away(sam, third)
    away(third, story.cast.approver)
    request = story.ask("orders_prod")
    assert (sweep(story), asked(request)) == (0, {"Abel": None, "Sam": "Abel"})
    put_into("approvers", sam)
    both = story.ask("orders_dev")
    assert (sweep(story), asked(both)) == (0, {"Abel": None, "Sam": None, "Tom": "Sam"})


def test_two_who_stand_in_for_each_other_are_asked_once_each(story: Story, sam: User) -> None:
    put_into("approvers", sam)
    away(story.cast.approver, sam)
    away(sam, story.cast.approver)
    request = story.ask("orders_prod")
    assert (sweep(story), asked(request)) == (0, {"Abel": None, "Sam": None})


def test_one_stand_in_of_two_stays_until_both_are_back(story: Story, sam: User) -> None:
    cleo = person("Cleo")
    put_into("approvers", cleo)
    away(story.cast.approver, sam, days=1)
    away(cleo, sam, days=2)
    request = story.ask("orders_prod")
    assert asked(request) == {"Abel": None, "Cleo": None, "Sam": "Abel"}
    story.now = NOON + 1.5 * DAY
    AccessRequest.objects.update(lapses_at=NOON + 9 * DAY)
    sweep(story)
    assert (asked(request)["Sam"], sweep(story)) == ("Cleo", 0)
    story.now = NOON + 2 * DAY
    sweep(story)
    assert asked(request) == {"Abel": None, "Cleo": None}


def test_several_may_stand_in_for_one(story: Story, sam: User) -> None:
    tom = person("Tom")
    away(story.cast.approver, sam)
    away(story.cast.approver, tom)
    # And the same one named twice is asked once.
    away(story.cast.approver, tom)
    assert asked(story.ask("orders_prod")) == {"Abel": None, "Sam": "Abel", "Tom": "Abel"}


def test_extensions_are_stood_in_for_likewise(story: Story, sam: User) -> None:
    away(story.cast.approver, sam, days=0.1)
    request, rita = story.granted("orders_prod"), story.cast.requester
    before = request.ends_at
    extension = actions.extend(request, user=rita, actor=story.by(rita), seconds=600, justification="x", at=story.now)
    rows = ExtensionApproval.objects.filter(extension=extension)
    assert {one.approver.name for one in rows} == {"Abel", "Sam"}
    assert [one.pk for one in queries.extension_tasks_of(sam)] == [extension.pk]
    given = actions.approve_extension(extension, approver=sam, actor=story.by(sam), at=story.now)
    assert before is not None
    assert given.new_end == before + timedelta(seconds=600)


def test_an_extension_asked_before_the_absence_gets_and_loses_its_stand_in(story: Story, sam: User) -> None:
    request, rita = story.granted("orders_prod"), story.cast.requester
    extension = actions.extend(request, user=rita, actor=story.by(rita), seconds=600, justification="x", at=story.now)
    people.delegate(story.cast.approver, sam, story.now, story.now + 0.001 * DAY, actor=system(), at=story.now)
    rows = ExtensionApproval.objects.filter(extension=extension)
    assert (sweep(story), rows.count()) == (1, 2)
    story.now += 0.001 * DAY
    with pytest.raises(actions.NotYours):
        actions.approve_extension(extension, approver=sam, actor=story.by(sam), at=story.now)
    assert (sweep(story), rows.count(), sweep(story)) == (1, 1, 0)


def test_an_answer_and_a_withdrawal_at_once_leave_one_of_them(story: Story, sam: User) -> None:
    away(story.cast.approver, sam, days=0.01)
    request, then = story.ask("orders_prod"), story.now
    story.now += 0.01 * DAY
    results: list[Any] = together(
        lambda: actions.approve(request, approver=sam, actor=story.by(sam), at=then), lambda: sweep(story)
    )
    answered = not isinstance(results[0], Exception)
    assert Approval.objects.filter(request=request, approver=sam).exists() == answered
    assert story.fresh(request).state == ("approved" if answered else "pending")


def test_a_letter_that_has_not_left_is_taken_back_with_the_row(story: Story, sam: User) -> None:
    one = away(story.cast.approver, sam)
    story.ask("orders_prod")
    kept = story.ask("orders_dev")
    put_into("approvers", sam)
    Approval.objects.create(request=kept, approver=sam, group_index=1, why="asked themselves")
    story.now += timedelta(minutes=1)
    writing.sweep(at=story.now)
    people.end_delegation(one, actor=system(), at=story.now)
    story.now += timedelta(minutes=1)
    sweep(story)
    assert Letter.objects.get(to=sam).state == LetterState.DROPPED
    writing.sweep(at=story.now)
    (again,) = Letter.objects.filter(to=sam).exclude(state=LetterState.DROPPED)
    assert ("orders_dev" in again.subject, "orders_prod" in again.text) == (True, False)


def test_a_request_that_waits_for_a_factor_gets_its_stand_in_unseen(story: Story, sam: User, cast: Cast) -> None:
    guarded = flow(
        story.integration,
        "Guarded",
        requestors={"conditions": [{"type": "user", "operator": "is", "values": [cast.outsider.email]}]},
    )
    take_factor(guarded)
    request = story.ask("orders_prod", user=cast.outsider)
    away(cast.approver, sam)
    assert (sweep(story), queries.task_count(sam)) == (1, 0)
    actions.prove_factor(request, user=cast.outsider, actor=story.by(cast.outsider), at=story.now)
    assert queries.task_count(sam) == 1


def test_the_sweep_takes_as_many_queries_for_many_as_for_none(story: Story, sam: User) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for name in ("orders_prod", "orders_dev"):
        story.ask(name)
    with CaptureQueriesContext(connection) as quiet:
        assert sweep(story) == 0
    assert len(quiet) == 4
    people.delegate(story.cast.outsider, sam, NOON, NOON + DAY, actor=system(), at=NOON)
    with CaptureQueriesContext(connection) as still:
        assert sweep(story) == 0
    assert len(still) == 4
