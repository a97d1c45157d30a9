"""Letters of requests: who gets which, when, once, and what they say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from access_requests import actions
from access_requests.actions import letters as writing
from access_requests.models import AccessRequest, Approval, Change
from accounts import actions as people
from accounts.choices import LetterKind, LetterState, Role
from accounts.models import Letter, User
from audit.actor import person
from audit.choices import Source
from connectors.contract.errors import Unreachable
from tests.accounts.threads import together
from tests.cast import person as somebody
from tests.requests.postbox import deliver, letters, links, told
from tests.story import Story, allow_extensions, flow, put_into, unit


def yes(story: Story, request: AccessRequest) -> AccessRequest:
    story.approve(request)
    story.work()
    return story.fresh(request)


def test_an_approver_is_told_who_asks_for_what_how_long_why_and_why_them(story: Story) -> None:
    request = story.ask("orders_prod", justification="INC-4821: replay\nthe postings")
    told(story)
    (letter,) = letters()
    assert (letter.to, letter.kind) == (story.cast.approver, LetterKind.APPROVAL)
    assert letter.subject.startswith("Rita asks for ")
    for part in (letter.text, letter.html):
        for said in (
            *("Rita, rita@example.com", "Simulated server", "server/orders_prod", "1 h, from the moment it opens"),
            *("INC-4821: replay", "the postings", "You are in the group approvers", "The first time Rita asks"),
            f"/requests/{request.pk}/",
        ):
            assert said in part, said
    assert "> INC-4821: replay\n> the postings\n" in letter.text


def test_an_approver_is_told_once(story: Story) -> None:
    story.ask("orders_prod")
    assert [told(story, 60) for _ in range(3)] == [1, 1, 1]


def test_requests_that_come_together_are_one_letter(story: Story) -> None:
    story.ask("orders_prod")
    story.now += timedelta(seconds=3)
    story.ask("orders_dev")
    assert told(story, 1) == 0, "it waits a moment for others"
    assert told(story, 5) == 1
    (letter,) = letters()
    assert letter.subject == "2 requests wait for your approval"
    assert letter.text.count("Look and answer:") == 2
    assert "orders_prod" in letter.html
    assert "orders_dev" in letter.html
    story.ask("orders_dev")
    story.ask("orders_prod")
    assert told(story, 10) == 1, "not half a minute after the letter before"
    assert told(story, 20) == 2
    assert letters()[-1].subject == "2 requests wait for your approval"


def test_a_hundred_requests_are_one_letter_of_twenty(story: Story) -> None:
    for _ in range(25):
        story.ask("orders_dev")
    told(story)
    (letter,) = letters()
    assert letter.subject == "25 requests wait for your approval"
    assert letter.text.count("Look and answer:") == 20
    assert "5 more wait for you" in letter.text
    assert told(story, 60) == 1


def test_two_sweeps_at_once_write_each_letter_once(story: Story) -> None:
    for name in ("Dora", "Emil", "Fay"):
        put_into("approvers", somebody(name, Role.GRANTEE))
    story.ask("orders_prod")
    at = story.now + timedelta(seconds=6)
    together(*[lambda: writing.sweep(at=at)] * 3)
    assert sorted(one.to.name for one in letters()) == ["Abel", "Dora", "Emil", "Fay"]


def test_what_somebody_else_answered_is_asked_of_nobody(story: Story) -> None:
    request = story.ask("orders_prod")
    story.approve(request)
    told(story)
    assert letters("approval") == []
    assert not Approval.objects.filter(told_at__isnull=True).exists()


@pytest.mark.parametrize("how", ["approved", "rejected", "withdrawn"])
def test_a_letter_that_has_not_left_is_taken_back_once_the_request_is_answered(story: Story, how: str) -> None:
    dora = somebody("Dora", Role.GRANTEE)
    put_into("approvers", dora)
    request = story.ask("orders_prod")
    told(story)
    assert len(letters("approval")) == 2
    approver, requester = story.cast.approver, story.cast.requester
    if how == "approved":
        story.approve(request)
    elif how == "rejected":
        actions.reject(request, approver=approver, actor=story.by(approver), at=story.now)
    else:
        actions.cancel(request, user=requester, actor=story.by(requester), at=story.now)
    told(story)
    assert letters("approval") == []
    assert Letter.objects.filter(state=LetterState.DROPPED).count() == 2


def test_of_a_letter_on_two_requests_the_one_that_still_waits_is_told_anew(story: Story) -> None:
    first, second = story.ask("orders_prod"), story.ask("orders_dev")
    told(story)
    story.approve(first)
    told(story)
    told(story)
    (letter,) = letters("approval")
    assert "orders_dev" in letter.text
    assert "orders_prod" not in letter.text
    assert Approval.objects.get(request=second).letter == letter
    # What has left stays as it is.
    Letter.objects.filter(pk=letter.pk).update(state=LetterState.SENT, settled_at=story.now)
    story.approve(second)
    told(story)
    assert letters("approval") == [letter]


def test_who_chose_not_to_or_is_disabled_is_asked_by_no_letter_and_never_again(story: Story) -> None:
    approver = story.cast.approver
    people.choose_letters(approver, {LetterKind.APPROVAL}, actor=person(approver, Source.PORTAL))
    story.ask("orders_prod")
    told(story)
    people.choose_letters(approver, set(), actor=person(approver, Source.PORTAL))
    assert told(story) == 0
    assert Approval.objects.get().told_at is not None


def test_a_request_that_owes_a_second_factor_is_nobodys_to_answer_yet(story: Story) -> None:
    request = story.ask("orders_prod")
    AccessRequest.objects.filter(pk=request.pk).update(state="pending_mfa")
    assert told(story) == 0
    AccessRequest.objects.filter(pk=request.pk).update(state="pending")
    assert told(story) == 1


def test_a_grantee_hears_that_access_is_active_and_where_to_connect_without_any_secret(story: Story) -> None:
    request = story.granted("orders_prod")
    told(story)
    told(story)
    (letter,) = letters("opened")
    assert (letter.to, letter.subject[:8]) == (story.cast.requester, "Active: ")
    secret, login = story.target.passwords[story.group(request).login], story.group(request).login
    for part in (letter.text, letter.html):
        assert "Approved by Abel." in part
        assert "2 Mar, 13:00" in part
        assert f"/requests/{request.pk}/" in part
        assert secret not in part
        assert login not in part


def test_who_asked_for_somebody_else_hears_of_it_as_well(story: Story) -> None:
    request = story.ask("orders_prod")
    AccessRequest.objects.filter(pk=request.pk).update(requestor=story.cast.outsider)
    actions.reject(request, approver=story.cast.approver, actor=story.by(story.cast.approver), at=story.now)
    told(story)
    assert {one.to.name for one in letters("refused")} == {"Rita", "Otto"}


def test_a_rejection_says_who_and_why(story: Story) -> None:
    request, approver = story.ask("orders_prod"), story.cast.approver
    actions.reject(request, approver=approver, actor=story.by(approver), reason="Use the copy.", at=story.now)
    told(story)
    (letter,) = letters()
    assert letter.subject.startswith("Rejected: ")
    assert "Abel rejected the request." in letter.text
    assert "> Use the copy." in letter.text
    assert "Use the copy." in letter.html


def test_what_nobody_answered_lapses_and_what_cannot_be_granted_fails_and_both_are_told(story: Story) -> None:
    story.ask("orders_prod")
    story.later(days=2)
    told(story)
    story.target.ungrantable.add(unit("orders_dev"))
    assert story.granted("orders_dev").state == "failed"
    told(story)
    assert [one.subject.split(":")[0] for one in letters("refused")] == ["Lapsed", "Failed"]
    assert "Nobody answered in time." in letters("refused")[0].text
    assert "orders_dev is not there" in letters("refused")[1].text


def test_an_end_is_told_with_its_proof(story: Story) -> None:
    request = story.granted("orders_prod")
    story.later(hours=2)
    told(story)
    (letter,) = letters("ended")
    assert story.fresh(request).state == "revoked"
    assert letter.subject.startswith("Ended: ")
    for part in (letter.text, letter.html):
        for said in ("Revoked (proven)", "The time ended", "2 Mar, 13:00:00", "after it was due", "Simulated server"):
            assert said in part, said
        assert "nothing of it is there" in part


def test_news_that_is_told_twice_or_late_makes_no_second_letter_and_no_false_one(story: Story) -> None:
    request = story.granted("orders_prod")
    told(story)
    Change.objects.update(delivered_at=None)
    told(story)
    assert len(letters("opened")) == 1
    Letter.objects.all().delete()
    story.later(hours=2)
    Change.objects.update(delivered_at=None)
    told(story)
    assert [one.kind for one in letters()] == ["ended"], "it is not active any more"
    assert story.fresh(request).state == "revoked"


def test_what_happened_days_before_anybody_could_tell_it_is_no_news(story: Story) -> None:
    story.granted("orders_prod")
    story.later(hours=2)
    story.now += timedelta(days=2)
    told(story)
    assert letters() == []
    assert not Change.objects.filter(delivered_at=None).exists()


def test_a_process_that_dies_after_the_move_loses_no_letter(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "on_commit", lambda *args, **kwargs: None)
    story.granted("orders_prod")
    monkeypatch.undo()
    story.work()
    told(story)
    assert len(letters("opened")) == 1


def test_a_letter_that_cannot_be_made_holds_up_no_move(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no template")

    monkeypatch.setattr("access_requests.actions.letters.write_letter", broken)
    request = story.granted("orders_prod")
    told(story)
    assert (story.fresh(request).state, Letter.objects.count()) == ("active", 0)
    monkeypatch.undo()
    for change in Change.objects.filter(delivered_at=None):
        assert deliver(story, at=change.try_at) == 1
    assert len(letters("opened")) == 1


def test_the_end_is_announced_ten_minutes_before_once_and_again_after_an_extension(story: Story) -> None:
    allow_extensions(flow(story.integration, "Open", "none"), 1, 1800)
    request = story.granted("orders_dev")
    story.later(minutes=49)
    told(story, 30)
    assert letters("ending") == []
    story.later(minutes=1)
    told(story)
    told(story, 60)
    (letter,) = letters("ending")
    assert letter.subject.startswith("Ends at 13:00: ")
    assert f"/requests/{request.pk}/ending/" in letter.text
    assert letter.expires_at == story.fresh(request).ends_at
    requester = story.cast.requester
    actions.extend(request, user=requester, actor=story.by(requester), seconds=1800, justification="more", at=story.now)
    told(story)
    assert len(letters("ending")) == 1
    story.later(minutes=29)
    told(story)
    assert [one.subject[:13] for one in letters("ending")] == ["Ends at 13:00", "Ends at 13:30"]
    assert "cannot be extended" in letters("ending")[-1].text


def test_times_are_in_the_readers_zone(story: Story) -> None:
    User.objects.filter(pk=story.cast.requester.pk).update(time_zone="Europe/Berlin")
    story.granted("orders_prod")
    story.later(minutes=51)
    told(story)
    assert letters("ending")[0].subject.startswith("Ends at 14:00: ")
    assert "14:00 (Europe/Berlin)" in letters("opened")[0].text


def test_short_access_is_not_announced_to_end(story: Story) -> None:
    story.granted("orders_prod", duration_seconds=1140)
    story.later(minutes=14)
    told(story)
    assert letters("ending") == []


def test_approvers_are_asked_for_more_time_and_the_answer_is_told(story: Story) -> None:
    allow_extensions(flow(story.integration, "Longer", columns={"grant_duration_minutes": 120}), 2, 1800)
    request, requester, approver = story.granted("orders_prod"), story.cast.requester, story.cast.approver
    told(story, 60)
    Letter.objects.all().delete()
    by = story.by(requester)
    more = actions.extend(request, user=requester, actor=by, seconds=1800, justification="not done", at=story.now)
    told(story, 60)
    (asked,) = letters()
    assert (asked.to, asked.subject[:25]) == (approver, "Rita asks for 30 min more")
    assert "30 min more, without a gap" in asked.html
    actions.reject_extension(more, approver=approver, actor=story.by(approver), reason="Enough.", at=story.now)
    more = actions.extend(request, user=requester, actor=by, seconds=600, justification="please", at=story.now)
    actions.approve_extension(more, approver=approver, actor=story.by(approver), reason="Go on.", at=story.now)
    told(story)
    assert [(one.kind, one.subject.split(":")[0]) for one in letters(to=requester)] == [
        ("refused", "Not extended"),
        ("opened", "Extended"),
    ]
    assert "> Enough." in letters("refused")[0].text
    assert "> Abel: Go on." in letters("opened")[0].text


def test_admins_hear_of_overdue_ends_at_once_then_hourly_until_they_are_done(story: Story) -> None:
    ada2 = somebody("Ada2", Role.ADMIN)
    request = story.granted("orders_prod")
    story.target.down = Unreachable("The simulated server does not answer.")
    story.later(hours=1, minutes=4)
    told(story)
    assert letters("overdue") == []
    story.later(minutes=2)
    told(story)
    assert {one.to for one in letters("overdue")} == {story.cast.admin, ada2}
    (letter,) = letters("overdue", story.cast.admin)
    assert letter.subject == "1 end is overdue"
    for part in (letter.text, letter.html):
        for said in ("Rita, rita@example.com", "The simulated server does not answer.", "6 min ago"):
            assert said in part, said
    people.choose_letters(story.cast.admin, {LetterKind.ENDED}, actor=person(story.cast.admin, Source.PORTAL))
    for minutes in (1, 20, 38):
        story.later(minutes=minutes)
        told(story)
    assert len(letters("overdue")) == 2
    story.later(minutes=1)
    told(story)
    assert len(letters("overdue")) == 4
    story.target.down = None
    story.later(hours=2)
    assert story.fresh(request).state == "revoked"
    story.later(days=2)
    told(story)
    assert len(letters("overdue")) == 4


def test_many_overdue_ends_are_one_letter_and_more_of_them_wait_a_while(story: Story) -> None:
    flow(story.integration, "Open", "none")
    story.granted("orders_prod")
    story.now += timedelta(minutes=3)
    story.granted("orders_dev")
    story.target.down = Unreachable("No.")
    story.later(hours=1, minutes=3)
    told(story)
    story.later(minutes=4)
    told(story)
    (letter,) = letters("overdue")
    assert letter.subject == "1 end is overdue"
    story.later(minutes=40)
    told(story)
    assert len(letters("overdue")) == 1
    story.later(minutes=20)
    told(story)
    assert [one.subject for one in letters("overdue")] == ["1 end is overdue", "2 ends are overdue"]


def visit(client: Client, letter: Letter) -> None:
    """Open every link of a letter, as a scanner does."""
    for link in sorted(links(letter)):
        path = "/" + link.split("/", 3)[3] if link.count("/") > 2 else "/"
        assert client.get(path, follow=True).status_code in {200, 403, 404}, path
        assert client.head(path).status_code in {200, 302, 403, 404, 405}, path


def snapshot() -> Any:
    """Return what a click could change."""
    from audit.models import AuditEntry

    return [
        list(model.objects.order_by("pk").values())
        for model in (AccessRequest, Approval, Letter, Change, User, AuditEntry)
    ]


def test_opening_every_link_of_every_letter_changes_nothing_for_anybody(story: Story) -> None:
    allow_extensions(flow(story.integration, "Open", "none"), 1, 1800)
    story.granted("orders_dev")
    story.later(minutes=51)
    told(story)
    story.target.down = Unreachable("No.")
    story.later(minutes=30)
    told(story)
    story.target.down = None
    story.later(hours=2)
    told(story)
    assert {one.kind for one in letters()} >= {"opened", "ending", "overdue", "ended"}
    cast = story.cast
    clients = [Client() for _ in range(5)]
    for client, user in zip(clients, (None, cast.requester, cast.approver, cast.admin, cast.outsider), strict=True):
        if user is not None:
            client.force_login(user)
    before = snapshot()
    for letter in letters():
        assert links(letter), letter.kind
        for client in clients:
            visit(client, letter)
    assert snapshot() == before
