"""Latchkey was down: what lay sealed may have been used. Found when it is back, whatever kills it meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from access_requests.actions import NotPossible, envelopes, standstill
from access_requests.actions.standstill import sweep_envelopes
from access_requests.envelopes import EnvelopeState
from access_requests.models import Envelope, PlatformGap, Pulse
from access_requests.queries.envelopes import owed
from accounts.models import Letter
from audit import queries as trail
from connectors.contract.errors import Unreachable
from tests.envelopes.conftest import Safe, over


class Killed(BaseException):
    """What a kill -9 looks like from inside: no handler of ours catches it, and the open transaction is lost."""


def doubts(made: Envelope) -> int:
    return trail.of_subject("request", str(made.request.pk)).filter(action="envelope.doubted").count()


@pytest.mark.full
def test_while_it_is_alive_nothing_ends(safe: Safe) -> None:
    made = safe.sealed()
    safe.alive(60)
    safe.sweep(minutes=10)
    assert safe.fresh(made).state == EnvelopeState.SEALED
    assert not PlatformGap.objects.exists()


def test_after_a_gap_what_was_sealed_is_ended_proven_and_owed(safe: Safe) -> None:
    made, ready = safe.sealed(), safe.ready(name="orders_dev")
    since = safe.story.now
    safe.sweep(minutes=11)
    found = safe.fresh(made)
    assert over(found.request) == ("revoked", "proven", "envelope_doubted")
    assert (found.doubted_from, found.doubted_until) == (since, since + timedelta(minutes=11))
    assert safe.fresh(ready).state == EnvelopeState.READY, "what is on no paper cannot have been used"
    (entry,) = trail.of_subject("request", str(made.request.pk)).filter(action="envelope.doubted")
    assert (entry.details["from"], entry.details["until"]) == (since.isoformat(), safe.story.now.isoformat())
    assert Letter.objects.filter(to=safe.beth, subject__contains="may have been used").count() == 1
    assert owed() == [found]
    by = {"user": safe.beth, "actor": safe.story.by(safe.beth), "at": safe.story.now}
    with pytest.raises(NotPossible, match="what happened"):
        envelopes.review(made, words=" ", **by)
    envelopes.review(made, words="The seal was whole.", **by)
    assert owed() == []
    with pytest.raises(NotPossible, match="no account is owed"):
        envelopes.review(made, words="Again.", **by)


@pytest.mark.full
def test_one_whose_end_was_not_proven_when_latchkey_went_down_is_in_doubt_too(safe: Safe) -> None:
    made = safe.sealed()
    safe.story.target.down = Unreachable("It does not answer.")
    envelopes.withdraw(made, user=safe.ada, actor=safe.story.by(safe.ada), reason="old", at=safe.story.now)
    safe.sweep(minutes=30)
    found = safe.fresh(made)
    assert (found.state, found.is_owed) == (EnvelopeState.ENDING, True), "the paper still worked in the gap"
    assert found.request.end_reason == "withdrawn"
    safe.story.target.down = None
    safe.story.later(hours=2)
    assert safe.fresh(made).request.ended_how == "proven"


@pytest.mark.full
def test_one_that_was_over_before_the_gap_is_not(safe: Safe) -> None:
    made = safe.sealed()
    envelopes.withdraw(made, user=safe.ada, actor=safe.story.by(safe.ada), reason="old", at=safe.story.now)
    safe.sweep(seconds=10)
    safe.sweep(minutes=30)
    assert not safe.fresh(made).is_owed


@pytest.mark.full
def test_a_clock_that_goes_back_makes_no_gap_and_hides_none(safe: Safe) -> None:
    made = safe.sealed()
    sweep_envelopes(at=safe.story.now - timedelta(hours=1))
    assert not PlatformGap.objects.exists()
    sweep_envelopes(at=safe.story.now - timedelta(minutes=30))
    assert PlatformGap.objects.count() == 1, "thirty minutes by the clock as it is now"
    assert safe.fresh(made).state == EnvelopeState.SEALED, "by that clock it was printed after the gap"


@pytest.mark.full
def test_a_gap_right_after_the_print_is_found_though_no_sweep_came_between(safe: Safe) -> None:
    made = safe.ready()
    Pulse.objects.all().delete()
    safe.print_out(made)
    safe.sweep(minutes=11)
    assert safe.fresh(made).is_owed


@pytest.mark.full
def test_saying_afterwards_that_it_was_opened_is_written_down(safe: Safe) -> None:
    made = safe.sealed()
    safe.sweep(minutes=20)
    safe.tell(made, opened_at=safe.story.now - timedelta(minutes=15))
    found = safe.fresh(made)
    assert (found.opened_by, found.is_owed) == ("Rita", True), "an admin still looks into it"


# One of them in the fast lane: each makes a database of its own.
STEPS = ["tell_admins", *(pytest.param(name, marks=pytest.mark.full) for name in ("move", "record", "moved"))]


def _dies_at(name: str) -> Callable[[], None]:
    """Kill whoever comes to a step; return what lets the next one pass."""
    place = "access_requests.lifecycle.record" if name == "move" else f"access_requests.actions.standstill.{name}"

    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    with_patch = pytest.MonkeyPatch()
    with_patch.setattr(place, die)
    return with_patch.undo


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_is_done_once_after_the_restart(safe: Safe, step: str) -> None:
    first, second = safe.sealed(), safe.sealed(name="orders_dev")
    since = safe.story.now
    safe.story.now += timedelta(minutes=11)
    undo = _dies_at(step)
    with pytest.raises(Killed):
        sweep_envelopes(at=safe.story.now)
    undo()
    safe.sweep(seconds=30)
    for made in (first, second):
        found = safe.fresh(made)
        assert over(found.request) == ("revoked", "proven", "envelope_doubted")
        assert found.doubted_from == since
        assert doubts(made) == 1
        assert Letter.objects.filter(to=safe.beth, subject=f"{made} may have been used").count() == 1
    (gap,) = PlatformGap.objects.all()
    assert gap.done_at is not None


@pytest.mark.full
def test_killed_between_two_envelopes_the_second_is_still_seen_to(safe: Safe) -> None:
    first, second = safe.sealed(), safe.sealed(name="orders_dev")
    safe.story.now += timedelta(minutes=11)
    standstill.beat(safe.story.now)
    (gap,) = PlatformGap.objects.all()
    standstill._doubt(first, gap, safe.story.now)
    safe.sweep(seconds=10)
    assert [doubts(made) for made in (first, second)] == [1, 1]
    assert safe.fresh(second).request.end_reason == "envelope_doubted"


@pytest.mark.full
@pytest.mark.parametrize("step", ["hand_out", "record", "lock_person"])
def test_killed_while_printing_it_was_printed_or_was_not(
    safe: Safe, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    made = safe.ready()

    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(envelopes, step, die)
        with pytest.raises(Killed):
            safe.print_out(made)
    assert safe.fresh(made).state == EnvelopeState.READY
    assert safe.print_out(made)["password"]


@pytest.mark.full
@pytest.mark.parametrize("step", ["record", "approve_now"])
def test_killed_while_saying_yes_it_was_said_or_was_not(safe: Safe, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    made = safe.prepare()

    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(envelopes, step, die)
        with pytest.raises(Killed):
            envelopes.confirm(made, user=safe.beth, actor=safe.story.by(safe.beth), at=safe.story.now)
    found = safe.fresh(made)
    assert (found.state, found.confirmed_by) == (EnvelopeState.WAITING, None)


@pytest.mark.full
def test_killed_while_saying_that_it_was_opened_nothing_of_it_is_kept(
    safe: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = safe.sealed()

    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(envelopes.endings, "end", die)
        with pytest.raises(Killed):
            safe.tell(made)
    assert (safe.fresh(made).state, safe.fresh(made).told_at) == (EnvelopeState.SEALED, None)


@pytest.mark.full
def test_somebody_at_work_with_it_is_told_loudly_and_once(safe: Safe) -> None:
    made = safe.sealed()
    safe.story.target.sessions[str(made.request.grantee.pk)] = 2
    safe.sweep(minutes=5)
    found = safe.fresh(made)
    assert (found.state, found.sessions_seen, found.seen_at is not None) == (EnvelopeState.SEALED, 2, True)
    entries = trail.of_subject("request", str(made.request.pk)).filter(action="envelope.session_seen")
    assert entries.count() == 1
    assert Letter.objects.filter(to=safe.beth, subject__contains="at work").count() == 1
    assert owed() == [found]
    safe.alive(15)
    assert entries.count() == 1, "once, however often it is seen"
    assert safe.fresh(made).last_seen_at > found.last_seen_at
    with pytest.raises(NotPossible, match="still sealed"):
        envelopes.review(made, user=safe.beth, actor=safe.story.by(safe.beth), words="me", at=safe.story.now)


@pytest.mark.full
def test_a_look_is_asked_for_every_five_minutes_and_not_more_often(safe: Safe) -> None:
    safe.sealed()
    seen = safe.story.target.seen
    before = len(seen)
    for _ in range(30):
        safe.sweep(seconds=10)
    assert len(seen) - before == 1
