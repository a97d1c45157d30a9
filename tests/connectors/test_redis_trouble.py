"""What check says of Redis and Valkey, and what goes wrong there, each with its typed error."""

from __future__ import annotations

import itertools
import socket
import time
from dataclasses import replace

import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Unit, UnitOutcome, Verb
from connectors.providers.redis import rules
from tests.connectors.redis_world import (
    ADMIN_PASSWORD,
    CONNECTOR,
    RedisServer,
    RedisWorld,
    credentials,
    kind,
    outcomes,
    told,
)
from tests.targets import free_port

SERVER = {level: Unit("server", "server", level) for level in ("READ_ONLY", "READ_WRITE", "ADMIN")}
_numbers = itertools.count(1)


@pytest.fixture
def world(redis_server: RedisServer) -> RedisWorld:
    """A person on a server."""
    return RedisWorld(redis_server)


def test_check_finds_nothing_wrong_and_leaves_nothing(world: RedisWorld) -> None:
    world.server.admin("ACL SETUSER", "latchkey_probe_old", f"(resetchannels ~latchkey/{world.integration}/!/probe)")
    world.server.admin("ACL LOG", "RESET")
    report = world.do(Verb.CHECK)
    assert report.error is None
    wrong = [one.message for one in report.findings if one.level != "ok"]
    assert wrong == [f"The connection to 127.0.0.1:{world.server.port} is not encrypted."]
    assert not any("probe" in line for line in world.server.users())


def test_check_says_what_is_too_much_and_what_is_missing(new_redis: RedisServer) -> None:
    world = RedisWorld(new_redis, config={"key_patterns": "", "channel_patterns": ""})
    new_redis.admin("ACL SETUSER", "helper", "on", f">{ADMIN_PASSWORD}", "~*", "&*", "+@all")
    new_redis.admin("ACL SETUSER", CONNECTOR, "~*", "+get")
    new_redis.admin("ACL SETUSER", "default", "nopass")
    warnings = " ".join(one.message for one in world.do(Verb.CHECK).findings if one.level == "warning")
    assert "'default'" in warnings
    assert "more than the connector needs" in warnings
    assert "No pattern is listed" in warnings
    new_redis.admin("ACL SETUSER", CONNECTOR, "-client|kill")
    report = world.do(Verb.CHECK)
    assert kind(report) is ErrorKind.NOT_PERMITTED
    assert report.error is not None
    assert "+client|kill" in report.error.fix
    assert not any("probe" in line for line in new_redis.users())
    new_redis.admin("ACL SETUSER", CONNECTOR, "+client|kill")
    findings = world.do(Verb.CHECK).findings
    assert any("client|kill" in one.message for one in findings if one.level == "warning")


# What goes wrong.


def test_a_wrong_password_is_rejected_credentials(world: RedisWorld) -> None:
    report = replace(world, password="canary-wrong").do(Verb.CHECK)
    assert kind(report) is ErrorKind.CREDENTIALS_REJECTED
    assert "canary" not in repr(report)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"hostname": ""}, ErrorKind.MISCONFIGURED),
        ({"username": ""}, ErrorKind.MISCONFIGURED),
        ({"port": "many"}, ErrorKind.MISCONFIGURED),
        ({"port": 70000}, ErrorKind.MISCONFIGURED),
        ({"other_nodes": "b:many"}, ErrorKind.MISCONFIGURED),
        ({"hostname": "nowhere.invalid"}, ErrorKind.UNREACHABLE),
        ({"tls": "true", "ca": "no certificate"}, ErrorKind.MISCONFIGURED),
    ],
)
def test_a_configuration_that_cannot_work_is_told(
    world: RedisWorld, config: dict[str, str], expected: ErrorKind
) -> None:
    assert kind(replace(world, config=config).do(Verb.CHECK)) is expected


def test_a_server_without_tls_is_told_from_the_hint(world: RedisWorld) -> None:
    report = replace(world, config={"tls": "true"}).do(Verb.CHECK, lease_seconds=2.0)
    assert kind(report) in (ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST)


def test_a_closed_port_is_unreachable(world: RedisWorld) -> None:
    elsewhere = replace(world, config={"port": free_port()})
    assert kind(elsewhere.apply(elsewhere.grant())) is ErrorKind.UNREACHABLE


def test_a_server_that_never_speaks_costs_no_more_than_the_lease(world: RedisWorld) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        mute = replace(world, config={"port": silent.getsockname()[1]})
        report = mute.do(Verb.CHECK, lease_seconds=2.0)
    assert kind(report) in (ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST)
    assert time.monotonic() - begun < 4


def test_a_server_that_stops_answering_costs_no_more_than_the_lease(new_redis: RedisServer) -> None:
    world = RedisWorld(new_redis)
    with new_redis.client() as admin:
        admin.execute_command("CLIENT", "PAUSE", "8000", "ALL")
        begun = time.monotonic()
        report = world.apply(world.grant(), lease_seconds=2.0)
        assert time.monotonic() - begun < 4
    assert kind(report) in (ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST)


def test_a_server_that_goes_away_in_the_middle_and_comes_back(new_redis: RedisServer) -> None:
    world = RedisWorld(new_redis)
    grant = world.grant()
    report = world.apply(grant)
    new_redis.stop()
    assert kind(world.end(grant)) is ErrorKind.UNREACHABLE
    new_redis.start()
    world.sign_in(grant, report).ping()
    assert outcomes(world.end(grant), grant.grant_id) == [UnitOutcome.GONE]


def test_a_lease_that_is_over_changes_nothing_more(world: RedisWorld) -> None:
    grant = world.grant()
    assert kind(world.apply(grant, lease_seconds=0.0)) is ErrorKind.LEASE_LOST
    assert world.server.user(grant.login) is None


@pytest.mark.parametrize("right", ["+acl|setuser", "+acl|list", "+client|list", "+time"])
def test_a_right_that_the_connector_lost_is_named(new_redis: RedisServer, right: str) -> None:
    world = RedisWorld(new_redis)
    new_redis.admin("ACL SETUSER", CONNECTOR, "-" + right[1:])
    grant = world.grant()
    report = world.apply(grant)
    error = report.error or told(report, grant.grant_id).units[0].error
    assert error is not None
    assert error.kind is ErrorKind.NOT_PERMITTED
    assert right in error.fix


def test_a_dry_run_shows_commands_without_secrets(world: RedisWorld) -> None:
    grant = world.grant()
    report = world.apply(grant, dry_run=True)
    texts = {one.function: one.text for one in report.programs}
    assert {"create_login", "add_connection", "add_key_pattern_read_only", "open_login"} <= texts.keys()
    assert "#(secret)" in texts["open_login"]
    assert world.server.user(grant.login) is None


def test_details_are_ready_to_use_and_hold_no_secret(world: RedisWorld) -> None:
    grant = world.grant(world.unit(), world.unit("PUBLISH", "news:*", "channel-pattern"))
    report = world.apply(grant)
    details = told(report, grant.grant_id).details
    assert credentials(report, grant)["password"] not in repr(details)
    port = world.server.port
    assert details["command"] == f"redis-cli -h 127.0.0.1 -p {port} --user {grant.login} --askpass"
    assert details["uri"] == f"redis://{grant.login}@127.0.0.1:{port}"
    assert details["key_patterns"] == ["app:*"]
    assert details["channel_patterns"] == ["news:*"]
    world.end(grant)


def test_clean_up_is_done_also_when_the_end_never_ran(world: RedisWorld) -> None:
    grant = world.grant()
    world.apply(grant)
    for _ in range(2):
        assert outcomes(world.do(Verb.CLEAN_UP, (), (grant,)), grant.grant_id) == [UnitOutcome.GONE]
    assert world.server.user(grant.login) is None


def test_pages_are_of_the_size_that_was_asked_for(world: RedisWorld) -> None:
    many = replace(world, config={"key_patterns": "\n".join(f"p{n}:*" for n in range(11))})
    pages = many.discover(page_size=5)
    assert [len(page.resources) for page in pages] == [5, 5, 3]


def test_a_unit_that_is_none_fails_alone(world: RedisWorld) -> None:
    for bad in (
        Unit("server", "other", "ADMIN"),
        Unit("key-pattern", "app:*", "ADMIN"),
        Unit("stream", "x", "READ_ONLY"),
    ):
        grant = world.grant(world.unit(), bad)
        assert outcomes(world.apply(grant), grant.grant_id) == [UnitOutcome.HELD, UnitOutcome.FAILED]
        world.end(grant)


def test_every_unit_has_a_shape_of_its_own() -> None:
    units = [
        Unit(kind, "server" if kind == "server" else "*", level)
        for kind in rules.LEVELS
        for level in rules.LEVELS[kind]
    ]
    every = [shape for unit in units for shape in rules.shapes(unit)]
    assert len(every) == len(set(every))
