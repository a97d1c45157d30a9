"""Draining: after the end no new session begins, open ones go on until the cap; whatever is taken away ends at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from access_requests import actions
from access_requests.actions import declaring, emergencies
from access_requests.actions.rules import NotPossible
from access_requests.choices import RevocationKind
from access_requests.models import AccessRequest, Proof
from accounts.actions import people
from audit import queries as trail
from connectors.contract.errors import Unreachable
from flows import actions as flow_actions
from flows.models import AccessFlow
from integrations import actions as integration_actions
from tests.cast import Cast
from tests.story import Story, allow_extensions, amend, begin, flow, simulated_provider, unit

HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """A flow for an hour, after which open sessions may go on for half an hour."""
    with simulated_provider():
        told = begin(cast)
        flow(told.integration, columns={"drain_minutes": 30})
        yield told


def drained(story: Story, sessions: int = 2, *names: str) -> AccessRequest:
    """Return access whose time is over, with sessions open at its end."""
    request = story.granted(*(names or ("orders_prod",)))
    story.target.sessions[str(story.group(request).pk)] = sessions
    story.later(hours=1)
    return story.fresh(request)


def said(request: AccessRequest, action: str) -> list[dict[str, object]]:
    return [one.details for one in trail.of_subject("request", str(request.pk)).filter(action=action)]


def test_open_sessions_go_on_until_the_cap_and_the_end_is_counted_from_there(story: Story) -> None:
    request = drained(story)
    group, key = story.group(request), str(story.group(request).pk)
    cap = request.ends_at + HALF
    assert (request.state, request.due_at, request.drains_until) == ("revoking", cap, cap)
    assert (group.draining_at, group.sessions_left, group.ended_at) == (story.now, 2, None)
    assert key in story.target.shut
    assert story.held() == {unit("orders_prod")}
    assert [one["sessions"] for one in said(request, "request.draining")] == [2]
    story.later(minutes=29)
    assert story.fresh(request).overdue_since is None
    assert story.held() == {unit("orders_prod")}
    story.later(minutes=1)
    over = story.fresh(request)
    assert (over.state, over.ended_how, over.end_reason) == ("revoked", "proven", "time")
    proof = Proof.objects.get(group=group)
    assert (proof.due_at, proof.lag_seconds, proof.sessions_ended) == (cap, 0.0, 2)
    assert story.held() == set()
    assert len(said(request, "request.draining")) == 1, "said once, however often it was looked"
    assert len(said(request, "request.drain_over")) == 1
    assert over.drain_look_at is None


def test_without_a_session_it_ends_at_once(story: Story) -> None:
    request = drained(story, sessions=0)
    assert (request.state, request.due_at) == ("revoked", request.ends_at)
    assert story.group(request).draining_at is None


def test_when_the_last_session_leaves_the_rest_ends_with_it(story: Story) -> None:
    request = drained(story)
    story.later(minutes=5)
    assert story.fresh(request).state == "revoking"
    story.target.sessions.clear()
    story.later(minutes=3)
    over = story.fresh(request)
    assert over.state == "revoked"
    assert over.ended_at < over.drains_until
    assert Proof.objects.get(group__request=request).lag_seconds == 0.0


def test_a_flow_that_says_nothing_of_it_ends_at_once(story: Story) -> None:
    amend(AccessFlow.objects.get(), settings={"drain_seconds": 0})
    request = drained(story)
    assert (request.state, request.drains_until, request.due_at) == ("revoked", None, request.ends_at)
    assert Proof.objects.get(group__request=request).sessions_ended == 2


def test_what_the_flow_gives_less_of_by_now_counts(story: Story) -> None:
    request = story.granted("orders_prod")
    story.target.sessions[str(story.group(request).pk)] = 1
    flow = AccessFlow.objects.get()
    columns = {"name": flow.name, "approval_mode": "any_of", "grant_duration_minutes": 60, "drain_minutes": 10}
    from tests.story import document  # noqa: PLC0415

    flow_actions.define(columns, document(story.integration), actor=story.by(story.cast.admin), flow=flow)
    story.later(hours=1)
    assert story.fresh(request).drains_until == story.fresh(request).ends_at + timedelta(minutes=10)


def test_an_outdated_connector_ends_everything_at_once(story: Story) -> None:
    story.target.outdated = True
    request = drained(story)
    assert request.state == "revoked"
    proof = Proof.objects.get(group__request=request)
    assert (proof.due_at, proof.sessions_ended) == (request.ends_at, 2)
    assert story.group(request).draining_at is None


def test_new_access_while_another_drains_is_given_and_neither_hurts_the_other(story: Story) -> None:
    first = drained(story)
    second = story.granted("orders_prod")
    key = str(story.group(second).pk)
    assert second.state == "active"
    assert set(story.target.holds[str(second.grantee_id)]) == {str(story.group(first).pk), key}
    assert key not in story.target.shut
    story.later(minutes=31)
    assert story.fresh(first).state == "revoked"
    assert story.fresh(second).state == "active"
    assert story.held() == {unit("orders_prod")}


def hand_back(story: Story, request: AccessRequest) -> None:
    actions.hand_back(request, user=request.grantee, actor=story.by(request.grantee), at=story.now)


def revoke(story: Story, request: AccessRequest) -> None:
    admin = story.cast.admin
    actions.revoke(request, user=admin, actor=story.by(admin), reason="An incident.", at=story.now)


def everything(story: Story, request: AccessRequest) -> None:
    admin = story.cast.admin
    emergencies.revoke_all(RevocationKind.EVERYWHERE, None, actor=story.by(admin), reason="All.", at=story.now)


def switch_off(story: Story, request: AccessRequest) -> None:
    flow_actions.switch(AccessFlow.objects.get(), False, actor=story.by(story.cast.admin))


def lose_the_group(story: Story, request: AccessRequest) -> None:
    request.grantee.memberships.all().delete()
    actions.recheck_everything(at=story.now)


ENDINGS = [(hand_back, "handed_back"), (revoke, "revoked_by_admin"), (everything, "revoked_all"),
           (switch_off, "flow_disabled"), (lose_the_group, "not_eligible")]  # fmt: skip


@pytest.mark.parametrize(("how", "why"), ENDINGS, ids=[why for _, why in ENDINGS])
def test_whatever_takes_it_away_cuts_the_drain_short(story: Story, how: object, why: str) -> None:
    request = drained(story)
    story.now += timedelta(minutes=3)
    how(story, request)  # type: ignore[operator]
    story.work()
    over = story.fresh(request)
    assert (over.state, over.ended_how, over.end_reason) == ("revoked", "proven", why)
    assert story.held() == set()
    assert len(said(request, "request.drain_cut")) == 1
    assert Proof.objects.get(group__request=request).due_at <= story.now
    assert over.drains_until <= story.now


@pytest.mark.parametrize(("how", "why"), ENDINGS, ids=[why for _, why in ENDINGS])
def test_what_is_taken_away_before_its_time_never_drains(story: Story, how: object, why: str) -> None:
    request = story.granted("orders_prod")
    story.target.sessions[str(story.group(request).pk)] = 2
    story.now += timedelta(minutes=3)
    how(story, request)  # type: ignore[operator]
    story.work()
    over = story.fresh(request)
    assert (over.state, over.end_reason, over.drains_until) == ("revoked", why, None)
    assert story.held() == set()


def test_somebody_who_is_disabled_loses_also_what_drains(story: Story) -> None:
    request = drained(story)
    people.set_active(request.grantee, active=False, actor=story.by(story.cast.admin))
    story.catch_up()
    assert story.fresh(request).state == "revoked"
    assert story.held() == set()


def test_a_connector_that_is_away_at_the_end_is_late_until_nobody_new_gets_in(story: Story) -> None:
    request = story.granted("orders_prod")
    story.target.sessions[str(story.group(request).pk)] = 1
    story.target.down = Unreachable("No answer.")
    story.later(hours=1)
    story.later(minutes=5)
    late = story.fresh(request)
    assert (late.due_at, late.overdue_since) == (late.ends_at, late.ends_at), "people may still get in"
    story.target.down = None
    story.later(minutes=10)
    now = story.fresh(request)
    assert (now.due_at, now.overdue_since) == (now.drains_until, None)
    assert said(request, "request.draining")[0]["lag_seconds"] == 900.0


def test_a_connector_that_is_away_at_the_cap_is_overdue_from_there_and_the_end_waits_for_it(story: Story) -> None:
    request = drained(story)
    story.later(minutes=20)
    story.target.down = Unreachable("No answer.")
    story.later(minutes=10)
    story.later(minutes=2)
    late = story.fresh(request)
    assert (late.state, late.overdue_since) == ("revoking", late.drains_until)
    story.target.down = None
    story.later(hours=2)
    proof = Proof.objects.get(group__request=request)
    assert story.fresh(request).ended_how == "proven"
    assert proof.lag_seconds == (story.now - late.drains_until).total_seconds()


def test_a_connector_that_comes_back_after_the_cap_is_not_told_to_drain(story: Story) -> None:
    request = story.granted("orders_prod")
    story.target.sessions[str(story.group(request).pk)] = 1
    story.target.down = Unreachable("No answer.")
    story.later(hours=1)
    story.target.down = None
    # No sweep since: the order that says "drain" is the open one, and the wire leaves that out.
    story.now += timedelta(hours=1)
    integration_actions.expire_leases(at=story.now)
    integration_actions.run_until_idle(seconds=10, at=lambda: story.now)
    story.work()
    assert story.fresh(request).state == "revoked"
    assert said(request, "request.draining") == []


def test_nothing_that_drains_is_declared_over(story: Story, cast: Cast) -> None:
    request = drained(story)
    admin = cast.admin
    with pytest.raises(NotPossible, match="nothing is late"):
        declaring.propose_end(request, user=admin, actor=story.by(admin), reason="I saw it.", at=story.now)


def test_an_end_that_found_nobody_to_drain_for_is_not_extended(story: Story) -> None:
    allow_extensions(AccessFlow.objects.get(), 2, 3600)
    request = drained(story)
    with pytest.raises(NotPossible):
        actions.extend(request, user=request.grantee, seconds=3600, justification="x", actor=story.by(request.grantee),
                       at=story.now)  # fmt: skip
