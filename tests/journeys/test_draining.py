"""Draining on a real PostgreSQL server: who is in works on, nobody new gets in, and at the cap all of it is cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from access_requests import actions
from access_requests.models import AccessRequest, Proof
from flows.models import AccessFlow
from tests.cast import Cast
from tests.journeys.conftest import Servers
from tests.journeys.real import connect, logins, memberships
from tests.story import Story, amend
from tests.targets import PostgresServer

NAME = "drainshop"


@pytest.fixture
def server(servers: Servers) -> PostgresServer:
    return servers.get(16)


@pytest.fixture
def story(fresh_database: str, cast: Cast, server: PostgresServer) -> Iterator[Story]:
    told = connect(cast, server, NAME)
    amend(AccessFlow.objects.get(), settings={"drain_seconds": 1800})
    told.catch_up()
    yield told
    server.run_sql(f"DROP DATABASE {NAME} WITH (FORCE)")


def sign_in(story: Story, server: PostgresServer, request: AccessRequest) -> Any:
    """Return a function that connects as the grantee, who has looked at the password once."""
    session, rita = story.session(request), request.grantee
    shown = actions.take_credentials(session, user=rita, actor=story.by(rita), at=story.now)
    told = {"user": session.details["username"], "password": shown["password"], "dbname": NAME}
    return lambda: psycopg.connect(host=server.host, port=server.port, connect_timeout=5, autocommit=True, **told)


def test_who_is_in_works_on_until_the_cap_and_nobody_new_gets_in(story: Story, server: PostgresServer) -> None:
    request = story.granted(NAME)
    enter = sign_in(story, server, request)
    at_work = enter()
    story.later(hours=1)
    login = story.group(request).login
    now = story.fresh(request)
    assert (now.state, now.due_at) == ("revoking", now.drains_until)
    assert story.group(request).sessions_left == 1
    assert at_work.execute("SELECT number FROM orders").fetchone() == (7,)
    with pytest.raises(psycopg.OperationalError):
        enter()
    assert logins(server) == {login: False}
    # New access meanwhile: a login of its own, and the old one stays shut with its session at work.
    newer = story.granted(NAME)
    with sign_in(story, server, newer)() as other:
        assert other.execute("SELECT number FROM orders").fetchone() == (7,)
        story.later(minutes=10)
        assert at_work.execute("SELECT number FROM orders").fetchone() == (7,)
        assert logins(server) == {login: False, story.group(newer).login: True}
        story.later(minutes=20)
        with pytest.raises(psycopg.OperationalError):
            at_work.execute("SELECT 1")
        assert other.execute("SELECT number FROM orders").fetchone() == (7,), "the newer grant's session is its own"
    over = story.fresh(request)
    assert (over.state, over.ended_how) == ("revoked", "proven")
    proof = Proof.objects.get(group__request=request)
    assert (proof.due_at, proof.sessions_ended, proof.live_sessions) == (over.drains_until, 1, 1)
    assert {member for member, _ in memberships(server)} == {story.group(newer).login}
    assert story.fresh(newer).state == "active"
    actions.hand_back(newer, user=newer.grantee, actor=story.by(newer.grantee), at=story.now)
    story.work()
    assert memberships(server) == set()


def test_when_they_leave_by_themselves_the_rest_is_taken(story: Story, server: PostgresServer) -> None:
    request = story.granted(NAME)
    at_work = sign_in(story, server, request)()
    story.later(hours=1)
    assert memberships(server) != set()
    at_work.close()
    story.later(minutes=3)
    over = story.fresh(request)
    assert over.state == "revoked"
    assert over.ended_at < over.drains_until
    assert memberships(server) == set()
