"""Draining: after the end no new session begins, open ones go on until the cap; whatever is taken away ends at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from access_requests import actions
from access_requests.actions import declaring, emergencies
from access_requests.actions.rules import NotPossible
from access_requests.choices import RevocationKind
from access_requests.models import AccessRequest, Proof
from accounts.actions import disable_user, set_roles
from accounts.choices import Role
from audit import queries as trail
from audit.actor import system
from connectors.contract.errors import Unreachable
from flows import actions as flow_actions
from flows.models import AccessFlow
from integrations import actions as integration_actions
from tests.cast import Cast
from tests.drift.looking import Looking
from tests.story import Story, amend, begin, document, flow, put_into, simulated_provider, unit

HALF = timedelta(minutes=30)
# At so many of the places a kill is tried in the fast lane, by chance.
POINTS = 2


def _begin(cast: Cast) -> Looking:
    told = begin(cast)
    flow(told.integration, columns={"drain_minutes": 30})
    return Looking(cast, told.integration, told.target, told.now)


@pytest.fixture
def story(db: None, cast: Cast) -> Iterator[Story]:
    """A flow for an hour, after which open sessions may go on for half an hour."""
    with simulated_provider():
        yield _begin(cast)


@pytest.fixture
def committed(fresh_database: None, cast: Cast) -> Iterator[Story]:
    """The same with real commits, after which news is heard."""
    with simulated_provider():
        yield _begin(cast)


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
    made = AccessFlow.objects.get()
    flow_actions.set_active(made, active=False, actor=story.by(story.cast.admin))
    actions.recheck_flow(made.pk, at=story.now)


def lose_the_group(story: Story, request: AccessRequest) -> None:
    request.grantee.memberships.all().delete()
    actions.recheck_everything(at=story.now)


ENDINGS: list[tuple[Callable[[Story, AccessRequest], None], str]] = [
    (hand_back, "handed_back"),
    (revoke, "revoked_by_admin"),
    (lose_the_group, "not_eligible"),
    (everything, "revoked_all"),
    (switch_off, "flow_disabled"),
]


def test_whatever_takes_it_away_cuts_the_drain_short(story: Story) -> None:
    for how, why in ENDINGS:
        request = drained(story)
        assert story.held() == {unit("orders_prod")}
        story.now += timedelta(minutes=3)
        how(story, request)
        story.work()
        over = story.fresh(request)
        assert (over.state, over.ended_how, over.end_reason) == ("revoked", "proven", why)
        assert story.held() == set()
        assert len(said(request, "request.drain_cut")) == 1
        assert Proof.objects.get(group__request=request).due_at <= story.now
        assert over.drains_until is not None
        assert over.drains_until <= story.now
        put_into("engineers", story.cast.requester)


@pytest.mark.full
def test_what_is_taken_away_before_its_time_never_drains(story: Story) -> None:
    for how, why in ENDINGS:
        request = story.granted("orders_prod")
        story.target.sessions[str(story.group(request).pk)] = 2
        story.now += timedelta(minutes=3)
        how(story, request)
        story.work()
        over = story.fresh(request)
        assert (over.state, over.end_reason, over.drains_until) == ("revoked", why, None)
        assert story.held() == set()
        put_into("engineers", story.cast.requester)


def test_somebody_who_is_disabled_loses_also_what_drains(committed: Story) -> None:
    request = drained(committed)
    disable_user(request.grantee, actor=committed.by(committed.cast.admin))
    committed.catch_up()
    assert committed.fresh(request).state == "revoked"
    assert committed.held() == set()


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
    set_roles(cast.approver, [Role.ADMIN], actor=system())
    request = drained(story)
    with pytest.raises(NotPossible, match="nothing is late"):
        declaring.propose_end(request, user=cast.admin, actor=story.by(cast.admin), reason="I saw it.", at=story.now)


class Died(BaseException):
    """The process was killed here. Nothing may catch it."""


@contextmanager
def dying_at(number: int) -> Iterator[list[str]]:
    """Die before the `number`-th statement that the database is sent; yield what was sent."""
    sent: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        sent.append(sql)
        if len(sent) == number:
            raise Died
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield sent


def at_the_step(story: Story, at_the_cap: bool) -> AccessRequest:
    """Return access with two open sessions, whose end or cap is due at this moment, and nothing was done about it."""
    told = story.granted("orders_prod")
    story.target.sessions[str(story.group(told).pk)] = 2
    story.later(minutes=59)
    if at_the_cap:
        story.later(minutes=30)
    story.now += timedelta(minutes=1)
    return told


@pytest.mark.parametrize("at_the_cap", [False, True], ids=["at the end", "at the cap"])
def test_a_kill_at_any_statement_is_made_good(
    committed: Story, at_the_cap: bool, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    at_the_step(committed, at_the_cap)
    with dying_at(0) as sent:
        committed.work()
    committed.later(hours=2)
    points = range(1, len(sent) + 1)
    assert len(points) > 20
    for number in points if request.config.getoption("--full") else sorted(rng.sample(points, POINTS)):
        told = at_the_step(committed, at_the_cap)
        key = str(committed.group(told).pk)
        with pytest.raises(Died), dying_at(number):
            committed.work()
        if not at_the_cap:
            committed.later(minutes=2)
            assert committed.target.sessions[key] == 2, f"killed at {number}, it cut sessions that may go on"
            assert key in committed.target.shut
            committed.later(minutes=28)
        committed.later(minutes=2)
        committed.later(minutes=2)
        over = committed.fresh(told)
        assert (over.state, over.ended_how) == ("revoked", "proven"), f"killed at {number}"
        proof = Proof.objects.get(group__request=told)
        assert proof.due_at == over.drains_until == told.ends_at + HALF
        # How many were cut is lost with a report that was never given; that they were is read back.
        assert proof.sessions_ended in {0, 2}
        assert key not in committed.target.sessions
        assert committed.held() == set()
        for action in ("request.revoking", "request.draining", "request.drain_over", "request.revoked"):
            assert len(said(told, action)) == 1, f"killed at {number}: {action}"
