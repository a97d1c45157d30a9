"""What the stories do not tell of Redis and Valkey: that the least is given, what others changed, what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.contract.orders import UnitOutcome
from tests.connectors.redis_world import VALKEY, RedisServer, RedisWorld, redis_program, running

PROGRAMS = {"redis": redis_program(), "valkey": str(VALKEY) if VALKEY.is_file() else ""}


@pytest.fixture(scope="session", params=sorted(PROGRAMS))
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A server of each kind that there is; shared, so a test keeps to logins of its own."""
    program = PROGRAMS[request.param]
    if not program:
        pytest.skip(f"There is no {request.param} (Debian's redis-server; script/optional-servers valkey).")
    # As in version 6, where everybody may use every channel: nothing of ours may rely on another default.
    with running(program, "acl-pubsub-default allchannels") as found:
        yield found


@pytest.fixture
def world(server: RedisServer) -> RedisWorld:
    """A person on a server."""
    return RedisWorld(server)


def test_a_login_is_sent_as_a_hash_only(world: RedisWorld) -> None:
    grant = world.grant()
    report = world.apply(grant)
    assert [one.outcome for one in report.grants[0].units] == [UnitOutcome.HELD]
    with world.sign_in(grant, report) as client:
        assert client.get("app:one") is None
    world.end(grant)
    assert world.server.user(grant.login) is None
