"""What others change on Redis and Valkey, what a restart brings back, and more nodes than one."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest
import redis

from connectors.contract.orders import Unit, UnitOutcome, Verb
from connectors.toolkit.logins import mark
from tests.connectors.redis_world import (
    ADMIN_PASSWORD,
    CONNECTOR,
    RedisServer,
    RedisWorld,
    credentials,
    outcomes,
    redis_program,
    running,
    told,
)
from tests.targets import free_port

SERVER = {level: Unit("server", "server", level) for level in ("READ_ONLY", "READ_WRITE", "ADMIN")}
_numbers = itertools.count(1)


@pytest.fixture
def world(redis_server: RedisServer) -> RedisWorld:
    """A person on a server."""
    return RedisWorld(redis_server)


def test_what_others_added_shows_and_is_taken(world: RedisWorld) -> None:
    grant = world.grant()
    report = world.apply(grant)
    world.server.admin("ACL SETUSER", grant.login, "+flushall", "~more:*", ">second", "(~* +@all)")
    seen = world.do(Verb.READ_BACK, (grant,)).read_back
    assert seen is not None
    extra = {one.unit.permission for one in seen.ours} - {"READ_ONLY"}
    assert any("flushall" in one for one in extra)
    assert any("+@all" in one for one in extra)
    again = world.apply(replace(grant, wants_credentials=False))
    assert again.read_back is not None
    assert [one.unit for one in again.read_back.ours] == list(grant.units)
    for password in ("second", credentials(report, grant)["password"]):
        with pytest.raises(redis.AuthenticationError), world.server.client(grant.login, password) as client:
            client.ping()
    assert "new password" in told(again, grant.grant_id).warnings[0]
    world.end(grant)


def test_rules_that_others_took_are_given_again_and_the_password_stays(world: RedisWorld) -> None:
    grant = world.grant()
    report = world.apply(grant)
    marker = mark(world.integration, world.person, grant.grant_id)
    world.server.admin("ACL SETUSER", grant.login, "clearselectors", f"(~{marker})")
    assert outcomes(world.do(Verb.READ_BACK, (grant,)), grant.grant_id) == [UnitOutcome.FAILED]
    assert outcomes(world.apply(replace(grant, wants_credentials=False)), grant.grant_id) == [UnitOutcome.HELD]
    with world.sign_in(grant, report) as client:
        client.get("app:1")
    world.end(grant)


def test_a_login_without_a_password_is_given_one(world: RedisWorld) -> None:
    grant = world.grant()
    world.apply(grant)
    world.server.admin("ACL SETUSER", grant.login, "nopass")
    world.apply(replace(grant, wants_credentials=False))
    with pytest.raises(redis.AuthenticationError), world.server.client(grant.login, "anything") as client:
        client.ping()
    world.end(grant)


def test_a_login_that_others_removed_is_made_again_with_a_warning(world: RedisWorld) -> None:
    grant = world.grant()
    world.apply(grant)
    world.server.admin("ACL DELUSER", grant.login)
    assert outcomes(world.do(Verb.READ_BACK, (grant,)), grant.grant_id) == [UnitOutcome.FAILED]
    again = world.apply(replace(grant, wants_credentials=False))
    assert outcomes(again, grant.grant_id) == [UnitOutcome.HELD]
    assert "new password" in told(again, grant.grant_id).warnings[0]
    assert not told(again, grant.grant_id).sealed_credentials
    world.end(grant)


def test_every_connection_of_a_login_is_ended_also_one_that_only_listens(world: RedisWorld) -> None:
    grant = world.grant(world.unit("SUBSCRIBE", "news:*", "channel-pattern"))
    report = world.apply(grant)
    clients = [world.sign_in(grant, report) for _ in range(3)]
    ears = [client.pubsub() for client in clients]
    for ear in ears:
        ear.subscribe("news:1")
        assert ear.get_message(timeout=5)
    ended = world.end(grant)
    assert told(ended, grant.grant_id).sessions_ended == 3
    assert ended.read_back is not None
    assert ended.read_back.live_sessions == 0
    assert not any(f"user={grant.login}" in str(one) for one in world.server.admin("CLIENT LIST"))


# Restarts and nodes.


def test_what_was_given_and_ended_outlives_a_restart(new_redis: RedisServer) -> None:
    world = RedisWorld(new_redis)
    kept, gone = world.grant(world.unit("READ_WRITE"), SERVER["ADMIN"]), world.grant()
    report = world.apply(kept, gone)
    world.apply(replace(kept, wants_credentials=False), gone=(gone,))
    new_redis.stop()
    new_redis.start()
    with world.sign_in(kept, report) as client:
        client.set("app:1", "x")
    again = world.apply(replace(kept, wants_credentials=False))
    assert again.read_back is not None
    assert {one.unit for one in again.read_back.ours} == set(kept.units)
    assert new_redis.user(gone.login) is None
    world.end(kept)


def test_an_ended_login_that_a_restart_brought_back_is_removed_by_the_next_order() -> None:
    with running(redis_program(), acl_file=False) as server:
        world = RedisWorld(server)
        grant = world.grant()
        world.apply(grant)
        server.admin("CONFIG REWRITE")  # somebody else, while the grant was on
        world.end(grant)
        server.stop()
        server.start()
        assert server.user(grant.login)
        seen = world.do(Verb.READ_BACK, (), (grant,))
        assert outcomes(seen, grant.grant_id) == [UnitOutcome.FAILED]
        assert outcomes(world.end(grant), grant.grant_id) == [UnitOutcome.GONE]
        warnings = [one.message for one in world.do(Verb.CHECK).findings if one.level == "warning"]
        assert any("live in memory" in one for one in warnings)


def test_users_can_be_kept_in_the_configuration_file() -> None:
    with running(redis_program(), acl_file=False) as server:
        server.set_up("configuration_file")
        world = RedisWorld(server, config={"persistence": "configuration_file"})
        kept, gone = world.grant(), world.grant()
        report = world.apply(kept, gone)
        world.apply(replace(kept, wants_credentials=False), gone=(gone,))
        server.stop()
        server.start()
        world.sign_in(kept, report).ping()
        assert server.user(gone.login) is None


def test_an_end_that_cannot_be_kept_is_not_proven() -> None:
    with running(redis_program(), acl_file=False) as server:
        world = RedisWorld(server)
        server.admin("ACL SETUSER", CONNECTOR, "+acl|save")
        wrong = replace(world, config={"persistence": "acl_file"})
        grant = wrong.grant()
        report = wrong.apply(grant)
        assert outcomes(report, grant.grant_id) == [UnitOutcome.HELD]
        assert "restart" in told(report, grant.grant_id).warnings[0]
        ended = wrong.end(grant)
        assert outcomes(ended, grant.grant_id) == [UnitOutcome.FAILED]
        assert server.user(grant.login) is None
        assert any("ACL file" in one.message for one in wrong.do(Verb.CHECK).findings if one.level == "error")
        assert outcomes(world.end(grant), grant.grant_id) == [UnitOutcome.GONE]


def test_a_login_is_the_same_on_every_node_and_a_node_that_lost_it_gets_it_back(new_redis: RedisServer) -> None:
    with running(redis_program()) as second:
        world = RedisWorld(new_redis, config={"other_nodes": f"127.0.0.1:{second.port}\n"})
        grant = world.grant()
        report = world.apply(grant)
        password = credentials(report, grant)["password"]
        second.admin("ACL DELUSER", grant.login)
        assert outcomes(world.do(Verb.READ_BACK, (grant,)), grant.grant_id) == [UnitOutcome.FAILED]
        again = world.apply(replace(grant, wants_credentials=False))
        assert outcomes(again, grant.grant_id) == [UnitOutcome.HELD]
        assert not told(again, grant.grant_id).warnings
        second.client(grant.login, password).get("app:1")
        second.admin("ACL SETUSER", grant.login, "(~* +@all)")
        seen = world.do(Verb.READ_BACK, (grant,)).read_back
        assert seen is not None
        assert any("+@all" in one.unit.permission for one in seen.ours)
        world.end(grant)
        assert second.user(grant.login) is None


def test_nothing_is_proven_gone_while_a_node_does_not_answer(new_redis: RedisServer) -> None:
    with running(redis_program()) as second:
        world = RedisWorld(new_redis, config={"other_nodes": f"127.0.0.1:{second.port}"})
        grant, later = world.grant(), world.grant()
        world.apply(grant)
        second.stop()
        ended = world.apply(later, gone=(grant,))
        assert outcomes(ended, grant.grant_id) == [UnitOutcome.FAILED]
        assert outcomes(ended, later.grant_id) == [UnitOutcome.HELD]
        assert "was left out" in told(ended, later.grant_id).warnings[0]
        assert new_redis.user(grant.login) is None
        assert ended.read_back is not None
        assert any("UNKNOWN" in one.unit.permission for one in ended.read_back.ours)
        second.start()
        assert second.user(grant.login)
        assert outcomes(world.end(grant, later), grant.grant_id) == [UnitOutcome.GONE]
        assert second.user(grant.login) is None


def test_check_says_that_replicas_are_not_listed(new_redis: RedisServer) -> None:
    with running(redis_program(), f"masterauth {ADMIN_PASSWORD}") as replica:
        replica.admin("REPLICAOF", "127.0.0.1", str(new_redis.port))
        deadline = time.monotonic() + 10
        while new_redis.admin("INFO", "replication")["connected_slaves"] == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        world = RedisWorld(new_redis)
        assert any("1 replica(s)" in one.message for one in world.do(Verb.CHECK).findings if one.level == "warning")
        listed = replace(world, config={"other_nodes": f"127.0.0.1:{replica.port}"})
        assert not any("replica" in one.message for one in listed.do(Verb.CHECK).findings)
        grant = listed.grant()
        assert outcomes(listed.apply(grant), grant.grant_id) == [UnitOutcome.HELD]
        assert replica.user(grant.login)
        listed.end(grant)


def test_check_says_that_a_cluster_has_more_nodes() -> None:
    with running(redis_program(), "cluster-enabled yes", f"cluster-port {free_port()}") as server:
        assert any(
            "cluster" in one.message for one in RedisWorld(server).do(Verb.CHECK).findings if one.level == "error"
        )
