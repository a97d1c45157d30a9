"""Letters are written with what they tell, and sent at least once, by one sender, by the rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from accounts import actions, post
from accounts.actions.letters import BODY_KEPT, GIVE_UP_AFTER, LEASE
from accounts.choices import LetterKind, LetterState
from accounts.letters import Attachment
from accounts.models import Letter, User
from accounts.tasks import sweep_letters
from audit.actor import person, system
from audit.choices import Source
from audit.models import AuditEntry
from tests.accounts.threads import together
from tests.cast import Cast

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def write(to: User, key: str = "a", **more: Any) -> Letter | None:
    """Write a letter as some verb would."""
    given: dict[str, Any] = {
        "kind": LetterKind.OPENED,
        "subject": "Hello",
        "template": "test",
        "context": {"by": "a test", "where": "the outbox"},
        "at": NOON,
    }
    with transaction.atomic():
        return actions.write_letter(to=to, key=key, **(given | more))


def states() -> list[str]:
    """Return the states of all letters, by key."""
    return list(Letter.objects.order_by("key").values_list("state", flat=True))


@pytest.fixture
def outbox() -> Iterator[list[Any]]:
    """Return what Django's test backend was handed."""
    mail.outbox = []
    yield mail.outbox
    mail.outbox = []


class Refusing:
    """Stands in for the way: raises what it is told to, before or after the letter has left."""

    error: Exception | None = None

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.handed: list[str] = []
        monkeypatch.setattr(post.Way, "send", lambda way, made: self.send(made))

    def send(self, made: Any) -> None:
        self.handed.append(made.extra_headers["Message-ID"])
        if self.error:
            raise self.error


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    return Refusing(monkeypatch)


def test_a_letter_is_written_in_the_transaction_and_nothing_is_sent_in_it(
    fresh_database: str, cast: Cast, outbox: list[Any]
) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        write(cast.requester)
        raise ZeroDivisionError
    assert (Letter.objects.count(), outbox) == (0, [])
    with pytest.raises(RuntimeError, match="atomic"):
        actions.write_letter(
            to=cast.requester, kind=LetterKind.OPENED, subject="x", template="test", context={}, key="a"
        )


def test_a_letter_leaves_as_text_and_html_with_its_own_message_id(cast: Cast, outbox: list[Any]) -> None:
    letter = write(cast.requester, attachment=Attachment("a.csv", "text/csv", b"a,b\n"))
    assert letter is not None
    assert sweep_letters() == 1
    (made,) = outbox
    assert (made.to, made.subject) == (["rita@example.com"], "Hello")
    assert made.extra_headers["Message-ID"] == f"<{letter.message_id}>"
    assert "It was sent by a test" in made.body
    ((html, kind),) = made.alternatives
    assert kind == "text/html"
    assert "It was sent by a test" in html
    assert [tuple(one) for one in made.attachments] == [("a.csv", "a,b\n", "text/csv")]
    assert sweep_letters() == 0
    letter.refresh_from_db()
    assert (letter.state, letter.tries, letter.last_error) == (LetterState.SENT, 1, "")


def test_the_same_news_never_makes_two_letters(cast: Cast, outbox: list[Any]) -> None:
    first, second = write(cast.requester), write(cast.requester, subject="Again")
    assert first == second
    actions.send_letters(at=NOON)
    assert write(cast.requester) == first
    assert actions.send_letters(at=NOON) == 0
    assert [one.subject for one in outbox] == ["Hello"]


def test_two_who_write_the_same_at_once_make_one(fresh_database: str, cast: Cast) -> None:
    made = together(*[lambda: write(cast.requester)] * 4)
    assert {one.pk for one in made} == {Letter.objects.get().pk}


def test_who_is_disabled_or_chose_not_to_gets_none(cast: Cast, outbox: list[Any]) -> None:
    late = [write(user, f"{user.name}") for user in (cast.requester, cast.outsider)]
    assert all(late)
    for user in (cast.requester, cast.approver):
        actions.disable_user(user, actor=system())
    actions.choose_letters(cast.outsider, {LetterKind.OPENED}, actor=person(cast.outsider, Source.PORTAL))
    assert write(cast.approver, "b") is None
    assert write(cast.outsider, "c") is None
    assert write(cast.outsider, "d", kind=LetterKind.ENDED) is not None
    # What was written before is asked again at the door.
    assert actions.send_letters(at=NOON) == 1
    assert [one.to for one in outbox] == [["otto@example.com"]]
    assert states() == ["dropped", "dropped", "sent"]


def test_a_letter_goes_to_where_the_person_is_now(cast: Cast, outbox: list[Any]) -> None:
    write(cast.requester)
    actions.edit_user(cast.requester, actor=system(), email="rita.new@example.com")
    actions.send_letters(at=NOON)
    assert outbox[0].to == ["rita.new@example.com"]
    assert Letter.objects.get().address == "rita.new@example.com"


def test_what_is_no_news_any_more_is_dropped(cast: Cast, outbox: list[Any]) -> None:
    write(cast.requester, expires_at=NOON + timedelta(minutes=10))
    assert actions.send_letters(at=NOON + timedelta(minutes=10)) == 0
    assert (states(), outbox) == (["dropped"], [])


def test_a_letter_taken_back_is_not_sent_and_one_that_left_cannot_be(cast: Cast, outbox: list[Any]) -> None:
    letter = write(cast.requester)
    assert letter
    assert actions.drop_letter(letter, at=NOON)
    assert actions.send_letters(at=NOON) == 0
    gone = write(cast.requester, "b")
    assert gone
    actions.send_letters(at=NOON)
    assert not actions.drop_letter(gone, at=NOON)
    assert states() == ["dropped", "sent"]


def test_failing_letters_wait_longer_and_longer_and_are_given_up_loudly(
    cast: Cast, way: Refusing, caplog: pytest.LogCaptureFixture
) -> None:
    write(cast.requester)
    way.error, now, waits = ConnectionRefusedError(111, "Connection refused"), NOON, []
    while Letter.objects.get().state == LetterState.QUEUED:
        assert actions.send_letters(at=now) == 0
        letter = Letter.objects.get()
        waits.append((letter.next_try_at - now).total_seconds())
        now = letter.next_try_at
    assert waits[:8] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert timedelta() <= now - LEASE - NOON - GIVE_UP_AFTER < timedelta(hours=1)
    assert (letter.state, letter.settled_at is not None) == (LetterState.FAILED, True)
    assert "Connection refused" in letter.last_error
    entry = AuditEntry.objects.get(action="letter.given_up")
    assert (entry.details["tries"], "Hello (to rita@example.com)" in entry.subject_name) == (letter.tries, True)
    assert "was given up" in caplog.text
    assert len(set(way.handed)) == 1, "every try carries the same Message-ID"


def test_while_the_server_is_away_one_letter_finds_out_and_the_others_wait(cast: Cast, way: Refusing) -> None:
    for key in "abc":
        write(cast.requester, key)
    way.error = TimeoutError("timed out")
    actions.send_letters(at=NOON)
    assert list(Letter.objects.order_by("key").values_list("tries", flat=True)) == [1, 0, 0]
    way.error = None
    assert actions.send_letters(at=NOON) == 2
    assert actions.send_letters(at=NOON + timedelta(minutes=1)) == 1


def test_an_error_nobody_foresaw_holds_up_no_other_letter(cast: Cast, way: Refusing) -> None:
    write(cast.requester, "a")
    way.error = RuntimeError("the password is hunter2")
    actions.send_letters(at=NOON)
    assert "hunter2" not in Letter.objects.get().last_error
    way.error = None
    write(cast.requester, "b")
    assert actions.send_letters(at=NOON) == 1


def test_an_address_that_mail_cannot_carry_is_given_up_at_once_with_the_reason(cast: Cast, outbox: list[Any]) -> None:
    User.objects.filter(pk=cast.requester.pk).update(email="ríta@example.com")
    write(cast.requester, "a")
    write(cast.approver, "b")
    assert actions.send_letters(at=NOON) == 1
    assert states() == ["failed", "sent"]
    assert "not plain ASCII" in Letter.objects.get(key="a").last_error


def test_a_process_that_dies_between_sending_and_noting_sends_again_with_the_same_message_id(
    cast: Cast, way: Refusing
) -> None:
    write(cast.requester)
    way.error = SystemExit("killed")  # type: ignore[assignment]
    with pytest.raises(SystemExit):
        actions.send_letters(at=NOON)
    assert states() == ["sending"]
    way.error = None
    assert actions.send_letters(at=NOON + LEASE - timedelta(seconds=1)) == 0
    assert actions.send_letters(at=NOON + LEASE) == 1
    assert len(way.handed) == 2
    assert len(set(way.handed)) == 1
    assert (states(), Letter.objects.get().tries) == (["sent"], 2)


def test_what_was_sent_late_stays_sent_although_its_lease_was_over(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    write(cast.requester)

    def slow(way: Any, made: Any) -> None:
        assert actions.send_letters(at=NOON + timedelta(seconds=1)) == 0
        Letter.objects.update(state=LetterState.QUEUED, next_try_at=NOON + LEASE)

    monkeypatch.setattr(post.Way, "send", slow)
    assert actions.send_letters(at=NOON) == 1
    assert states() == ["sent"]


def test_two_senders_at_once_send_each_letter_once(
    fresh_database: str, cast: Cast, way: Refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        write(cast.requester, str(number))
    sent = together(*[lambda: actions.send_letters(at=NOON)] * 3)
    assert sum(sent) == 20
    assert len(way.handed) == len(set(way.handed)) == 20


def test_a_letter_that_was_given_up_is_sent_again_by_who_may(cast: Cast, way: Refusing) -> None:
    letter = write(cast.requester)
    assert letter
    way.error = ValueError("no")
    actions.send_letters(at=NOON)
    assert states() == ["failed"]
    for nobody in (cast.requester, cast.outsider):
        with pytest.raises(actions.NotAllowed):
            actions.retry_letter(letter, actor=person(nobody, Source.ADMIN))
    way.error = None
    later = NOON + timedelta(days=10)
    assert actions.retry_letter(letter, actor=person(cast.admin, Source.ADMIN), at=later)
    assert actions.send_letters(at=later) == 1
    assert not actions.retry_letter(letter, actor=person(cast.admin, Source.ADMIN), at=later)
    assert AuditEntry.objects.filter(action="letter.retried").count() == 1


def test_bodies_and_attachments_go_a_month_after_the_letter_is_settled(cast: Cast, outbox: list[Any]) -> None:
    letter = write(cast.requester, attachment=Attachment("a.csv", "text/csv", b"a"))
    assert letter
    write(cast.requester, "waits", at=NOON + timedelta(days=1))
    actions.send_letters(at=NOON)
    assert actions.tidy_letters(at=NOON + BODY_KEPT - timedelta(seconds=1)) == 0
    assert actions.tidy_letters(at=NOON + BODY_KEPT) == 1
    letter.refresh_from_db()
    assert (letter.text, letter.html, letter.attachment, letter.subject) == ("", "", None, "Hello")
    assert actions.tidy_letters(at=NOON + BODY_KEPT) == 0
    assert not actions.retry_letter(letter, actor=system())


def test_a_letter_carries_no_attachment_that_no_mailbox_takes(cast: Cast) -> None:
    with pytest.raises(actions.BadValue, match="larger than 10 MB"):
        write(cast.requester, attachment=Attachment("a.csv", "text/csv", b"a" * (10 * 2**20 + 1)))


def test_people_choose_what_they_get_and_admins_cannot_choose_not_to_hear_of_overdue_ends(cast: Cast) -> None:
    me = person(cast.admin, Source.PORTAL)
    for kind in (LetterKind.OVERDUE, LetterKind.JOBS, LetterKind.REPORT):
        with pytest.raises(actions.BadValue):
            actions.choose_letters(cast.admin, {kind}, actor=me)
    with pytest.raises(actions.NotAllowed):
        actions.choose_letters(cast.requester, set(), actor=me)
    actions.choose_letters(cast.admin, {LetterKind.ENDED}, actor=me)
    actions.choose_letters(cast.admin, {LetterKind.ENDED}, actor=me)
    entry = AuditEntry.objects.get(action="user.profile_edited")
    assert entry.details == {"changed": {"letters_off": [[], ["ended"]]}}
    assert User.objects.get(pk=cast.admin.pk).letters_off == ["ended"]
