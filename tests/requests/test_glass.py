"""Broken glass: it opens at once, everybody is told, and the review cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from access_requests import actions
from access_requests.actions import glass
from access_requests.lifecycle import REVIEW_WITHIN
from access_requests.models import AccessRequest, Approval, Review, Reviewer
from access_requests.queries import task_count, visible_to
from access_requests.queries.reviews import broken_for, reviews_for
from accounts.models import User
from audit.models import AuditEntry
from flows.models import AccessFlow
from tests.cast import person
from tests.requests.postbox import deliver, letters
from tests.story import Story, amend, approval, asked, put_into, unit

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def emergency(story: Story) -> Iterator[None]:
    """Let the flow be asked with broken glass; the leads are its second tier."""
    put_into("leads", person("Lena"))
    groups = approval(asked("approvers"), asked("leads", tier=1), after=600)
    amend(AccessFlow.objects.get(), approval=groups, settings={"break_glass": True})
    yield


def break_it(story: Story, **more: object) -> AccessRequest:
    return story.ask("orders_prod", break_glass=True, **more)


def say(story: Story, request: AccessRequest, user: User, note: str = "It was needed.", right: bool = True) -> Review:
    return actions.review(request, user=user, actor=story.by(user), justified=right, note=note, at=story.now)


def test_it_opens_at_once_and_asks_nobody(story: Story) -> None:
    request = break_it(story)
    assert request.state == "approved"
    story.work()
    assert story.fresh(request).state == "active"
    assert story.held() == {unit("orders_prod")}
    assert not Approval.objects.exists()
    assert {one.person.name for one in Reviewer.objects.all()} == {"Abel", "Lena"}
    assert AuditEntry.objects.filter(action="request.glass_broken").count() == 1


def test_everybody_is_told_at_once_and_may_see_it(story: Story) -> None:
    request = break_it(story)
    deliver(story)
    told = {letter.to.name for letter in letters("glass")}
    assert told == {"Abel", "Lena", "Ada"}
    assert "an incident" in letters("glass")[0].text
    abel, otto = story.cast.approver, story.cast.outsider
    assert visible_to(abel).filter(pk=request.pk).exists()
    assert not visible_to(otto).filter(pk=request.pk).exists()
    assert [bool(broken_for(one)) for one in (abel, story.cast.admin, story.cast.requester, otto)] == [
        *(True, True, True),
        False,
    ]
    deliver(story)
    assert len(letters("glass")) == 3


def test_it_takes_a_justification_and_a_flow_that_allows_it(story: Story) -> None:
    with pytest.raises(actions.BadAsk, match="justification"):
        break_it(story, justification="")
    amend(AccessFlow.objects.get(), settings={"break_glass": False})
    with pytest.raises(actions.BadAsk, match="break the glass"):
        break_it(story)


def test_the_review_is_due_a_day_after_access_ends(story: Story) -> None:
    request = break_it(story, duration_seconds=600)
    story.work()
    review = Review.objects.get()
    assert review.due_at == story.fresh(request).ends_at + REVIEW_WITHIN
    story.later(seconds=601)
    ended = story.fresh(request)
    assert ended.state == "revoked"
    review.refresh_from_db()
    assert review.due_at == ended.ended_at + REVIEW_WITHIN


def test_a_reviewer_says_so_once_with_a_note(story: Story) -> None:
    request, abel = break_it(story), story.cast.approver
    with pytest.raises(actions.NotPossible, match="Say what you found"):
        say(story, request, abel, note=" ")
    assert task_count(abel) == 1
    review = say(story, request, abel, right=False)
    assert (review.state, review.reviewer, review.decided_at) == ("unjust", abel, story.now)
    assert task_count(abel) == 0
    with pytest.raises(actions.NotPossible, match="already"):
        say(story, request, story.cast.admin)
    deliver(story)
    (letter,) = letters("glass", to=story.cast.requester)
    assert "not justified" in letter.text
    assert "It was needed." in letter.text
    assert AuditEntry.objects.get(action="request.reviewed").details["justified"] is False


@pytest.mark.parametrize("who", ["requester", "outsider"])
def test_whoever_broke_it_and_whoever_has_no_part_in_it_does_not_review_it(story: Story, who: str) -> None:
    request, user = break_it(story), getattr(story.cast, who)
    with pytest.raises(actions.NotYours):
        say(story, request, user)
    assert not reviews_for(user).exists()
    with pytest.raises(actions.NotYours):
        actions.revoke(request, user=user, actor=story.by(user), reason="no", at=story.now)


def test_an_admin_who_broke_it_does_not_review_it(story: Story) -> None:
    put_into("engineers", story.cast.admin)
    request = break_it(story, user=story.cast.admin)
    with pytest.raises(actions.NotYours):
        say(story, request, story.cast.admin)
    assert say(story, request, story.cast.approver).state == "justified"


def test_a_reviewer_may_revoke_at_once(story: Story) -> None:
    request, abel = break_it(story), story.cast.approver
    story.work()
    actions.revoke(request, user=abel, actor=story.by(abel), reason="No emergency.", at=story.now)
    story.work()
    assert story.fresh(request).state == "revoked"
    assert story.held() == set()


def test_an_overdue_review_is_told_of_every_day_until_it_is_given(story: Story) -> None:
    request = break_it(story, duration_seconds=600)
    story.work()
    story.later(seconds=601)
    deliver(story)
    before = len(letters("glass"))
    assert glass.sweep(at=story.now + DAY - timedelta(minutes=1)) == 0
    assert glass.sweep(at=story.now + DAY) == 1
    assert glass.sweep(at=story.now + DAY + timedelta(hours=23)) == 0
    assert glass.sweep(at=story.now + 2 * DAY) == 1
    assert len(letters("glass")) == before + 6
    say(story, request, story.cast.approver)
    assert glass.sweep(at=story.now + 9 * DAY) == 0


def test_who_owes_an_overdue_review_does_not_break_the_glass_again(story: Story) -> None:
    request = break_it(story, duration_seconds=600)
    story.work()
    story.later(seconds=601)
    break_it(story, duration_seconds=600)  # owed, but not yet overdue
    story.now += DAY
    with pytest.raises(actions.BadAsk, match=f"review of {request} is overdue"):
        break_it(story)
    assert story.ask("orders_dev").state == "pending"


def test_without_anybody_to_review_it_the_glass_stays_whole(story: Story) -> None:
    User.objects.exclude(pk=story.cast.requester.pk).update(is_active=False)
    with pytest.raises(actions.BadAsk, match="Nobody but you could review"):
        break_it(story)
