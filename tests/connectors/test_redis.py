"""Redis and Valkey: no more is given than was asked for, and nobody is mistaken for somebody else."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract.errors import ErrorKind, Misconfigured
from connectors.contract.orders import Person, Unit, UnitOutcome, Verb
from connectors.providers.redis import programs
from connectors.toolkit.logins import mark
from tests.connectors.redis_world import (
    CONNECTOR,
    RedisServer,
    RedisWorld,
    credentials,
    kind,
    outcomes,
    refused,
    told,
)

SERVER = {level: Unit("server", "server", level) for level in ("READ_ONLY", "READ_WRITE", "ADMIN")}
_numbers = itertools.count(1)


@pytest.fixture
def world(redis_server: RedisServer) -> RedisWorld:
    """A person on a server."""
    return RedisWorld(redis_server)


def allowed_without_a_key(world: RedisWorld, login: str) -> set[str]:
    """Return the commands that name no key and that a login may send, by asking the server about each of them."""
    with world.server.client() as admin:
        names = admin.execute_command("COMMAND LIST")
        line = admin.connection_pool.get_connection()
        line.send_command("COMMAND", "INFO", *names)  # unparsed: the client would make something else of it
        rows = [row for row in line.read_response() if row]
        subcommands = [below for row in rows for below in row[9]]
        found = set()
        for name, arity, flags, first_key, *_, specifications, below in [*rows, *subcommands]:
            if first_key != 0 or "movablekeys" in flags or specifications or below:
                continue
            words = name.split("|")
            words += ["x"] * (abs(arity) - len(words))
            line.send_command("ACL", "DRYRUN", login, *words)
            if line.read_response() == "OK":
                found.add(name)
    return found


# Who gets what.


@pytest.mark.parametrize("level", ["READ_ONLY", "READ_WRITE"])
def test_a_pattern_opens_its_keys_and_no_others(world: RedisWorld, level: str) -> None:
    grant = world.grant(world.unit(level))
    report = world.apply(grant)
    with world.server.client() as admin:
        admin.mset({"app:1": "a", "other:1": "b"})
    with world.sign_in(grant, report) as client:
        assert client.get("app:1") == "a"
        assert refused(client, "SET", "app:1", "c") is (level == "READ_ONLY")
        for command in (
            ("GET", "other:1"),
            ("SET", "other:1", "x"),
            ("COPY", "app:1", "other:2"),
            ("KEYS", "*"),
            ("SCAN", "0"),
            ("RANDOMKEY",),
            ("DBSIZE",),
            ("FLUSHALL",),
            ("SWAPDB", "0", "1"),
            ("SORT", "app:1", "GET", "other:*"),
            ("EVAL", "return 1", "0"),
            ("FUNCTION", "LIST"),
            ("PUBLISH", "news:1", "x"),
            ("SUBSCRIBE", "latchkey/key-pattern/" + level),
            ("PUBLISH", "latchkey/key-pattern/" + level, "x"),
            ("CLIENT", "LIST"),
            ("CLIENT", "KILL", "ID", "1"),
            ("CLIENT", "TRACKING", "on", "BCAST"),
            ("MONITOR",),
            ("INFO",),
            ("CONFIG", "GET", "*"),
            ("ACL", "LIST"),
            ("ACL", "SETUSER", grant.login, "+@all"),
        ):
            assert refused(client, *command), command
    world.end(grant)


@pytest.mark.parametrize("level", ["READ_ONLY", "READ_WRITE"])
def test_whatever_a_pattern_allows_without_a_key_shows_no_data(world: RedisWorld, level: str) -> None:
    grant = world.grant(world.unit(level))
    world.apply(grant)
    harmless = {
        *("acl|whoami", "asking", "auth", "client|getname", "client|id", "client|setname", "command"),
        *("cluster|nodes", "cluster|shards", "cluster|slots", "discard", "echo", "exec", "hello", "lolwut"),
        *("multi", "ping", "quit", "readonly", "readwrite", "reset", "select", "unwatch"),
    }
    reachable = {one for one in allowed_without_a_key(world, grant.login) if not one.endswith("|help")}
    reachable = {one for one in reachable if not one.startswith("command|")}
    assert reachable <= harmless
    assert "ping" in reachable
    world.end(grant)


def test_channels_open_by_pattern_in_one_direction(world: RedisWorld) -> None:
    hears, speaks = world.grant(world.unit("SUBSCRIBE", "news:*", "channel-pattern")), None
    speaks = world.grant(world.unit("PUBLISH", "news:*", "channel-pattern"))
    report = world.apply(hears, speaks)
    with world.sign_in(hears, report) as hearing, world.sign_in(speaks, report) as speaking:
        ear = hearing.pubsub()
        ear.psubscribe("news:*")
        assert ear.get_message(timeout=5) is not None
        assert speaking.publish("news:today", "hello") == 1
        heard = ear.get_message(timeout=5)
        assert heard is not None
        assert heard["data"] == "hello"
        ear.close()
        assert refused(hearing, "PUBLISH", "news:today", "x")
        assert refused(speaking, "PUBLISH", "secret", "x")
        assert refused(speaking, "GET", "latchkey/channel-pattern/PUBLISH")
        assert refused(hearing, "SUBSCRIBE", "secret")
        assert refused(hearing, "PSUBSCRIBE", "news:today*")
    world.end(hears, speaks)


def test_units_of_one_grant_do_not_widen_each_other(world: RedisWorld) -> None:
    grant = world.grant(world.unit("READ_ONLY", "app:*"), world.unit("READ_WRITE", "cache:*"))
    report = world.apply(grant)
    with world.sign_in(grant, report) as client:
        client.set("cache:1", "x")
        assert refused(client, "SET", "app:1", "x")
        assert refused(client, "RENAME", "cache:1", "app:1")
    world.end(grant)


def test_an_admin_can_do_nothing_that_outlives_the_grant(world: RedisWorld) -> None:
    grant = world.grant(SERVER["ADMIN"])
    report = world.apply(grant)
    with world.sign_in(grant, report) as client:
        assert client.execute_command("SLOWLOG", "LEN") >= 0
        assert client.client_list()
        assert client.set("anything", "x")
    for command in (
        ("ACL", "SETUSER", "mallory", "on", "nopass", "+@all", "~*"),
        ("ACL", "LIST"),
        ("ACL", "LOAD"),
        ("CONFIG", "SET", "requirepass", "mine"),
        ("CONFIG", "GET", "requirepass"),
        ("CONFIG", "REWRITE"),
        ("MODULE", "LOAD", "/nowhere/x.so"),
        ("REPLICAOF", "127.0.0.1", "1"),
        ("SLAVEOF", "127.0.0.1", "1"),
        ("DEBUG", "SLEEP", "0"),
        ("PSYNC", "?", "-1"),
        ("SYNC",),
        ("CLUSTER", "MEET", "127.0.0.1", "1"),
        ("FAILOVER",),
        ("CLIENT", "KILL", "USER", CONNECTOR),
        ("CLIENT", "PAUSE", "1000"),
    ):
        verdict = world.server.admin("ACL DRYRUN", grant.login, *command)
        assert "no permissions" in str(verdict), (command, verdict)
    world.end(grant)


def test_a_transaction_works(world: RedisWorld) -> None:
    grant = world.grant(world.unit("READ_WRITE"))
    report = world.apply(grant)
    with world.sign_in(grant, report) as client, client.pipeline() as pipeline:
        pipeline.watch("app:n")
        pipeline.multi()
        pipeline.set("app:n", "1")
        pipeline.incr("app:n")
        assert pipeline.execute() == [True, 2]
    world.end(grant)


def test_the_connector_itself_reads_no_key_and_reaches_no_channel(world: RedisWorld) -> None:
    with world.server.client(CONNECTOR, world.password) as client:
        for command in (
            ("GET", "app:1"),
            ("SET", "app:1", "x"),
            ("KEYS", "*"),
            ("PUBLISH", "news:1", "x"),
            ("CONFIG", "GET", "*"),
            ("FLUSHALL",),
            ("SHUTDOWN",),
            ("MONITOR",),
        ):
            assert refused(client, *command), command
    # Each right of the set-up is one that a program needs.
    needs = {one.needs for one in vars(programs).values() if hasattr(one, "needs")}
    user = world.server.user(CONNECTOR)
    assert user is not None
    granted = {word for word in dict(zip(user[::2], user[1::2], strict=True))["commands"].split() if word[0] == "+"}
    assert granted == needs - {"+config|rewrite"}


def test_the_marker_opens_nothing(world: RedisWorld) -> None:
    grant = world.grant()
    report = world.apply(grant)
    marker = mark(world.integration, world.person, grant.grant_id)
    with world.server.client() as admin:
        admin.set(marker, "x")
    with world.sign_in(grant, report) as client:
        assert refused(client, "GET", marker)
        assert refused(client, "EXISTS", marker)
    world.end(grant)


# Who is who.


def test_the_server_sees_a_hash_and_never_the_password(world: RedisWorld) -> None:
    grant = world.grant()
    world.server.admin("CONFIG SET", "slowlog-log-slower-than", "0")
    with world.server.client() as watching:
        monitor = watching.monitor()
        with monitor:
            report = world.apply(grant)
            watching.execute_command("ECHO", "over")
            seen = []
            for line in monitor.listen():
                seen.append(line["command"])
                if line["command"] == "ECHO over":
                    break
    password = credentials(report, grant)["password"]
    with world.server.client(decode_responses=False) as admin:
        slow = str(admin.slowlog_get(128))
    world.server.admin("CONFIG SET", "slowlog-log-slower-than", "10000")
    assert len(seen) > 3
    assert "SETUSER" in slow
    assert password not in slow
    assert not any(password in line for line in seen)
    user = world.server.user(grant.login)
    assert user is not None
    assert hashlib.sha256(password.encode()).hexdigest() in user[3]
    assert password not in repr(report)
    assert password not in (world.server.folder / "log").read_text()
    assert password not in (world.server.folder / "users.acl").read_text()
    world.end(grant)


@pytest.mark.parametrize("mine", [False, True])
def test_a_user_that_is_not_the_grants_own_is_left_alone(world: RedisWorld, mine: bool) -> None:
    login = f"taken{next(_numbers)}"
    other = mark("another-integration", world.person, "grant-x")
    world.server.admin("ACL SETUSER", login, "on", ">theirs", "~x", "+get", *([f"(~{other})"] if mine else []))
    before = world.server.user(login)
    grant = world.grant(login=login)
    error = told(world.apply(grant), grant.grant_id).units[0].error
    assert error is not None
    assert error.kind is ErrorKind.REFUSED
    ended = world.end(grant)
    assert outcomes(ended, grant.grant_id) == [UnitOutcome.GONE]
    assert "did not make" in told(ended, grant.grant_id).warnings[0]
    assert world.server.user(login) == before
    world.server.admin("ACL DELUSER", login)


def test_a_leftover_with_our_marker_is_ended_and_told(world: RedisWorld) -> None:
    lost, grant = world.grant(), world.grant()
    world.apply(lost)
    report = world.apply(grant)
    assert world.server.user(lost.login) is None
    assert "was ended" in told(report, lost.grant_id).warnings[0]
    world.end(grant)


def test_people_and_integrations_do_not_touch_each_other(world: RedisWorld) -> None:
    others = (replace(world, person=Person("someone-else", "x")), replace(world, integration="integration-2"))
    grants = [other.grant() for other in others]
    for other, grant in zip(others, grants, strict=True):
        other.apply(grant)
    mine = world.grant()
    world.apply(mine)
    world.end(mine)
    assert all(world.server.user(grant.login) for grant in grants)
    for other, grant in zip(others, grants, strict=True):
        other.end(grant)


def test_ids_of_any_characters_make_a_marker(world: RedisWorld) -> None:
    odd = replace(world, person=Person("a/b) (+@all ~* \"'é", "x"), integration="in te/gration")
    grant = odd.grant()
    assert outcomes(odd.apply(grant), grant.grant_id) == [UnitOutcome.HELD]
    assert outcomes(odd.end(grant), grant.grant_id) == [UnitOutcome.GONE]


def test_the_persons_own_user_is_standing_with_what_it_may_do(world: RedisWorld) -> None:
    login = f"grace{next(_numbers)}"
    world.server.admin("ACL SETUSER", login, "on", ">own", "resetchannels", "%R~app:*", "+@read", "(~x:* +get +ping)")
    named = replace(world, person=Person(f"p{login}", "Grace", (f"{login.upper()}@example.org",)))
    report = named.do(Verb.READ_BACK)
    assert report.read_back is not None
    found = {one.unit for one in report.read_back.standing}
    assert Unit("key-pattern", "app:*", "READ_ONLY") in found
    (other,) = found - {Unit("key-pattern", "app:*", "READ_ONLY")}
    assert other.resource_type == "server"
    assert "~x:*" in other.permission
    assert "+get" in other.permission
    world.server.admin("ACL DELUSER", login)


# Patterns are data.


@pytest.mark.parametrize("bad", ["a b", "a\tb", 'a"b', "a'b", "a)b", "(a", "a\\b", "a\x01b", "latchkey/x", "a\x00"])
def test_a_pattern_that_would_change_a_rule_is_refused_everywhere(world: RedisWorld, bad: str) -> None:
    grant = world.grant(world.unit("READ_WRITE", bad))
    error = told(world.apply(grant), grant.grant_id).units[0].error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED
    assert world.server.user(grant.login) is None
    listed = replace(world, config={"key_patterns": f"app:*\n{bad}x"})
    assert kind(listed.do(Verb.CHECK)) is ErrorKind.MISCONFIGURED


@given(st.text())
def test_whatever_a_pattern_is_it_stays_one_argument_or_is_refused(pattern: str) -> None:
    file = programs.ADD_KEY_PATTERN_READ_WRITE
    try:
        arguments = file.compose({"login": "x", "pattern": pattern})
    except Misconfigured:
        return
    assert len(arguments) == len(file.arguments)
    assert arguments[5] == f"~{pattern}"
    assert not set(pattern) & set(" \t\r\n\0\"'\\()")


def test_patterns_with_other_signs_open_what_they_say(world: RedisWorld) -> None:
    signs = replace(world, config={"key_patterns": "größe:*\n+@all\n~*\n{tag}:[ab]?#&%R~x"})
    grant = signs.grant(*(signs.unit("READ_WRITE", one) for one in ("größe:*", "+@all", "~*", "{tag}:[ab]?#&%R~x")))
    report = signs.apply(grant)
    assert set(outcomes(report, grant.grant_id)) == {UnitOutcome.HELD}
    with signs.sign_in(grant, report) as client:
        for key in ("größe:xl", "+@all", "~anything", "{tag}:a1#&%R~x"):
            assert client.set(key, "1")
        for key in ("app:1", "anything", "{tag}:c1#&%R~x"):
            assert refused(client, "SET", key, "1")
    assert outcomes(signs.end(grant), grant.grant_id) == [UnitOutcome.GONE] * 4


def test_a_pattern_that_is_not_offered_is_not_given_and_one_withdrawn_stays_until_its_end(world: RedisWorld) -> None:
    grant = world.grant(world.unit("READ_ONLY", "elsewhere:*"))
    error = told(world.apply(grant), grant.grant_id).units[0].error
    assert error is not None
    assert error.kind is ErrorKind.TARGET_MISSING
    held = world.grant()
    report = world.apply(held)
    without = replace(world, config={"key_patterns": ""})
    again = without.apply(replace(held, wants_credentials=False))
    assert outcomes(again, held.grant_id) == [UnitOutcome.HELD]
    with world.sign_in(held, report) as client:
        client.get("app:1")
    assert outcomes(without.end(held), held.grant_id) == [UnitOutcome.GONE]
