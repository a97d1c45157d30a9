"""News: told at least once whatever fails, in the order of their writing, without holding each other up."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import actions, events
from accounts.models import AbstractChange, Change, Group
from accounts.tasks import deliver_changes
from audit.actor import system
from tests.accounts.threads import together
from tests.cast import Cast

KIND = "test.happened"


class Subscriber:
    """Remembers what it was told, and fails when told to."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.fail_on: set[str] = set()
        self.__qualname__ = "Subscriber"

    def __call__(self, change: AbstractChange) -> None:
        self.heard.append(change.subject_id)
        if change.subject_id in self.fail_on:
            raise RuntimeError("the password is hunter2")


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    """Subscribe for the length of the test."""
    before = {kind: list(handlers) for kind, handlers in events._subscribers.items()}
    one = Subscriber()
    events.subscribe(KIND, one)
    yield one
    events._subscribers.clear()
    events._subscribers.update(before)


def publish(*subjects: str) -> None:
    """Publish news of each subject, in one transaction."""
    with transaction.atomic():
        for subject in subjects:
            events.publish(Change, KIND, subject, {"n": 1})


def waiting() -> list[str]:
    """Return whose news are not delivered."""
    return list(Change.objects.filter(delivered_at=None).order_by("id").values_list("subject_id", flat=True))


def test_news_are_told_on_commit_and_not_before(fresh_database: str, subscriber: Subscriber) -> None:
    with transaction.atomic():
        publish("a", "b")
        assert subscriber.heard == []
    assert subscriber.heard == ["a", "b"]
    assert waiting() == []
    assert events.deliver(Change) == 0
    assert subscriber.heard == ["a", "b"]


def test_news_of_a_change_that_was_rolled_back_are_never_told(fresh_database: str, subscriber: Subscriber) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish("a")
        raise ZeroDivisionError
    assert (subscriber.heard, events.deliver(Change), Change.objects.count()) == ([], 0, 0)


def test_news_outside_a_transaction_are_refused(fresh_database: str) -> None:
    with pytest.raises(RuntimeError, match="atomic"):
        events.publish(Change, KIND, "a")


def test_the_sweep_tells_what_a_process_that_died_after_the_commit_did_not(
    fresh_database: str, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "on_commit", lambda *args, **kwargs: None)
    publish("a", "b", "c")
    assert subscriber.heard == []
    assert events.deliver(Change, limit=2) == 2
    assert deliver_changes() == 1
    assert subscriber.heard == ["a", "b", "c"]
    assert waiting() == []


def test_a_failing_subscriber_keeps_its_news_waiting_and_nobody_else(
    fresh_database: str, subscriber: Subscriber
) -> None:
    other = Subscriber()
    events.subscribe(KIND, other)
    subscriber.fail_on = {"b"}
    publish("a", "b", "c")
    assert other.heard == subscriber.heard == ["a", "b", "c"]
    assert waiting() == ["b"]
    subscriber.fail_on = set()
    assert events.deliver(Change, at=timezone.now() + timedelta(minutes=1)) == 1
    # At least once: the other one hears it again.
    assert other.heard == subscriber.heard == ["a", "b", "c", "b"]
    assert waiting() == []


def test_what_failed_is_tried_later_and_later_and_never_given_up(db: None, subscriber: Subscriber) -> None:
    subscriber.fail_on = {"a"}
    publish("a")
    now, waits = timezone.now(), []
    for _ in range(14):
        assert events.deliver(Change, at=now) == 0
        change = Change.objects.get()
        waits.append((change.try_at - now).total_seconds())
        assert events.deliver(Change, at=change.try_at - timedelta(seconds=1)) == 0
        now = change.try_at
    assert waits == [10.0 * 2**n for n in range(9)] + [3600.0] * 5
    assert len(subscriber.heard) == change.attempts == 14
    subscriber.fail_on = set()
    assert events.deliver(Change, at=now) == 1


def test_many_failing_news_do_not_hold_up_new_ones(db: None, subscriber: Subscriber) -> None:
    subscriber.fail_on = {str(number) for number in range(10)}
    publish(*sorted(subscriber.fail_on))
    now = timezone.now()
    assert events.deliver(Change, limit=10, at=now) == 0
    publish("new")
    assert events.deliver(Change, limit=10, at=now + timedelta(seconds=1)) == 1
    assert "new" not in waiting()


def test_an_error_is_kept_and_logged_without_its_message(
    db: None, subscriber: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    subscriber.fail_on = {"a"}
    publish("a")
    with caplog.at_level(logging.DEBUG):
        events.deliver(Change)
    change = Change.objects.get()
    assert "RuntimeError at __call__:" in change.last_error
    assert "RuntimeError" in caplog.text
    assert "hunter2" not in change.last_error + caplog.text


def test_what_a_failing_subscriber_wrote_is_taken_back_and_what_its_neighbour_wrote_is_not(
    db: None, subscriber: Subscriber
) -> None:
    def writes(name: str, fails: bool) -> None:
        def handler(change: AbstractChange) -> None:
            Group.objects.create(name=name)
            if fails:
                # A broken statement, which on PostgreSQL spoils its transaction.
                with connection.cursor() as cursor:
                    cursor.execute("SELECT nonsense FROM nowhere")

        events.subscribe(KIND, handler)

    writes("first", fails=False)
    writes("broken", fails=True)
    writes("last", fails=False)
    publish("a")
    assert events.deliver(Change) == 0
    assert set(Group.objects.values_list("name", flat=True)) == {"first", "last"}


def test_an_error_on_delivery_does_not_reach_who_made_the_change(fresh_database: str, subscriber: Subscriber) -> None:
    subscriber.fail_on = {"a"}
    publish("a")
    assert Change.objects.get().attempts == 1


def test_subscribing_twice_is_hearing_once(fresh_database: str, subscriber: Subscriber) -> None:
    events.subscribe(KIND, subscriber)
    publish("a")
    assert subscriber.heard == ["a"]


def test_news_that_nobody_subscribed_to_are_delivered(fresh_database: str) -> None:
    publish("a")
    assert waiting() == []


def test_two_sweeps_at_once_tell_each_news_once(
    fresh_database: str, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(transaction, "on_commit", lambda *args, **kwargs: None)
        publish(*(str(number) for number in range(30)))
    counts = together(*[lambda: events.deliver(Change)] * 3)
    assert sum(counts) == 30
    assert sorted(subscriber.heard, key=int) == [str(number) for number in range(30)]


def test_a_verbs_news_reach_their_subscriber(fresh_database: str, cast: Cast) -> None:
    heard: list[dict[str, object]] = []

    def handler(change: AbstractChange) -> None:
        heard.append(change.payload)

    events.subscribe("person.disabled", handler)
    try:
        actions.disable_user(cast.requester, actor=system())
    finally:
        events._subscribers["person.disabled"].remove(handler)
    assert heard == [{"users": [str(cast.requester.pk)]}]
