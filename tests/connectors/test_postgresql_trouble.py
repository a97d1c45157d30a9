"""What goes wrong at real servers, each with its typed error."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract.errors import ErrorKind, LeaseLost
from connectors.contract.orders import Desired, Finding, Report, UnitOutcome, Verb
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.providers.postgresql.provider import PROVIDER
from connectors.registry import BUILT_IN
from connectors.runners.local import run
from connectors.toolkit.sql import Session
from tests.connectors.world import Interrupted, World, held, outcomes, password, proven_gone
from tests.targets import PostgresServer, free_port


def kind(report: Report) -> ErrorKind | None:
    """Return the kind of error of a report."""
    return report.error.kind if report.error else None


def check(world: World, **changes: object) -> Report:
    """Check the connection."""
    return run(world.order(Verb.CHECK, **changes), on_page=lambda page: None)


def with_config(world: World, **config: object) -> Report:
    """Check with another configuration."""
    order = world.order(Verb.CHECK)
    return run(replace(order, config={**order.config, **config}), on_page=lambda page: None)


def findings(report: Report, level: str) -> list[Finding]:
    """Return the findings of one level."""
    assert report.error is None, report.error
    return [finding for finding in report.findings if finding.level == level]


# At the door.


def test_a_wrong_password_is_rejected_credentials(one_world: World) -> None:
    report = check(one_world, secrets={"password": Secret("canary-wrong")})
    assert kind(report) is ErrorKind.CREDENTIALS_REJECTED
    assert "canary" not in repr(report)


def test_an_unknown_user_is_rejected_credentials(one_world: World) -> None:
    assert kind(with_config(one_world, username="nobody-here")) is ErrorKind.CREDENTIALS_REJECTED


def test_an_unknown_database_is_missing(one_world: World) -> None:
    assert kind(with_config(one_world, dbname="nowhere")) is ErrorKind.TARGET_MISSING


def test_a_closed_port_is_unreachable(one_world: World) -> None:
    assert kind(with_config(one_world, port=free_port())) is ErrorKind.UNREACHABLE


def test_a_name_that_leads_nowhere_is_unreachable(one_world: World) -> None:
    assert kind(with_config(one_world, hostname="nowhere.invalid")) is ErrorKind.UNREACHABLE


def test_encryption_that_the_server_has_not_is_misconfigured(one_world: World) -> None:
    assert kind(with_config(one_world, sslmode="require")) is ErrorKind.MISCONFIGURED


@pytest.mark.parametrize("config", [{"hostname": ""}, {"username": ""}, {"port": "many"}, {"sslmode": "sometimes"}])
def test_a_configuration_that_is_none_is_misconfigured(one_world: World, config: dict[str, str]) -> None:
    assert kind(with_config(one_world, **config)) is ErrorKind.MISCONFIGURED


def test_a_port_that_answers_but_never_speaks_is_unreachable_in_time(one_world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        order = one_world.order(Verb.CHECK, lease_seconds=4.0)
        order = replace(order, config={**order.config, "port": silent.getsockname()[1]})
        report = run(order, on_page=lambda page: None)
    assert kind(report) in (ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST)
    assert time.monotonic() - begun < 8


# In the middle.


def test_a_server_that_goes_away_and_comes_back(new_server: PostgresServer) -> None:
    world = World(new_server, "shop")
    world.create()
    grant = world.grant()
    assert held(world.apply(grant), grant)
    new_server.stop()
    report = world.end(grant)
    assert kind(report) is ErrorKind.UNREACHABLE
    assert report.read_back is None
    new_server.start()
    assert proven_gone(world.end(grant), grant)


def test_a_server_that_goes_away_between_two_statements(new_server: PostgresServer) -> None:
    world = World(new_server, "shop")
    world.create()
    grant = world.grant()
    asked = 0

    def clock() -> float:
        nonlocal asked
        asked += 1
        if asked == 14:
            new_server.stop("immediate")
        return float(asked) / 1000

    order = world.order(Verb.APPLY, Desired(world.person, (grant,)))
    report = run(order, on_page=lambda page: None, monotonic=clock)
    assert asked > 14
    assert kind(report) is ErrorKind.UNREACHABLE
    new_server.start()
    again = world.apply(grant)
    assert held(again, grant)
    world.sign_in(grant, again).close()


def test_a_statement_that_has_to_wait_is_given_up_inside_the_lease(new_server: PostgresServer) -> None:
    world = World(new_server, "shop")
    world.create()
    world.sql("CREATE TABLE frozen ()")
    blocker = new_server.connect("postgres")
    blocker.execute("BEGIN")
    blocker.execute("LOCK pg_auth_members")
    begun = time.monotonic()
    grant = world.grant()
    report = world.apply(grant, lease_seconds=3.0)
    assert time.monotonic() - begun < 3
    assert outcomes(report, grant) == [UnitOutcome.FAILED]
    error = report.grants[0].units[0].error
    assert error is not None
    assert error.kind is ErrorKind.UNREACHABLE
    assert not world.logins()
    blocker.close()


def test_a_server_process_that_stops_answering_costs_no_more_than_the_lease(new_server: PostgresServer) -> None:
    """The kernel still acknowledges what is sent, so only the connector's own clock can tell."""
    world = World(new_server, "shop")
    world.create()
    stopped: list[int] = []

    def freeze() -> None:
        for _ in range(400):
            rows = new_server.run_sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'latchkey'")
            if rows:
                os.kill(rows[0][0], signal.SIGSTOP)
                stopped.append(rows[0][0])
                return
            time.sleep(0.002)

    blocker = new_server.connect("postgres")
    blocker.execute("BEGIN")
    blocker.execute("LOCK pg_authid IN ACCESS EXCLUSIVE MODE")
    blocker.execute("ROLLBACK")
    helper = threading.Thread(target=freeze)
    helper.start()
    begun = time.monotonic()
    try:
        reports = [world.apply(world.grant(), lease_seconds=3.0) for _ in range(20) if not stopped]
        helper.join()
        assert stopped
        assert time.monotonic() - begun < 15
        assert kind(reports[-1]) in (ErrorKind.LEASE_LOST, ErrorKind.UNREACHABLE)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        blocker.close()


def test_a_server_that_stops_right_after_it_let_us_in_costs_no_more_than_the_lease(
    new_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the connection and its first statement nothing bounds a wait but the connector's own clock."""
    world, plain = World(new_server, "shop"), Session.limit
    world.create()
    stopped: list[int] = []

    def limit(session: Session, *names: str) -> None:
        if not stopped:
            stopped.append(session._connection.info.backend_pid)
            os.kill(stopped[0], signal.SIGSTOP)
        plain(session, *names)

    monkeypatch.setattr(Session, "limit", limit)
    begun = time.monotonic()
    try:
        report = world.apply(world.grant(), lease_seconds=2.0)
        assert stopped
        assert time.monotonic() - begun < 15
        assert kind(report) in (ErrorKind.LEASE_LOST, ErrorKind.UNREACHABLE)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


# Rights that are not there, or not any more.


def test_a_connector_that_lost_createrole_is_told_so(new_server: PostgresServer) -> None:
    world = World(new_server, "shop")
    world.create()
    running = world.grant()
    report = world.apply(running)
    world.sql("ALTER ROLE latchkey NOCREATEROLE")
    assert any("lacks CREATEROLE" in finding.message for finding in findings(check(world), "error"))
    fresh = world.grant()
    failed = world.apply(replace(running, wants_credentials=False), fresh)
    assert held(failed, running)
    assert outcomes(failed, fresh) == [UnitOutcome.FAILED]
    error = next(entry for entry in failed.grants if entry.grant_id == fresh.grant_id).units[0].error
    assert error is not None
    assert error.kind is ErrorKind.NOT_PERMITTED
    assert "CREATEROLE" in error.message
    with world.sign_in(running, report):
        ended = world.end(running)
    assert not proven_gone(ended, running)
    assert ended.read_back is not None
    assert "LOGIN" in {entry.unit.permission for entry in ended.read_back.ours}
    world.sql("ALTER ROLE latchkey CREATEROLE")
    assert proven_gone(world.end(running), running)


def test_a_connector_that_lost_the_admin_option_is_told_so(world: World) -> None:
    (role,) = world.sql(
        f"SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = "
        f"'latchkey level=READ_ONLY database={world.database}'"
    )[0]
    running = world.grant()
    world.apply(running)
    world.sql("REVOKE ADMIN OPTION FOR {} FROM {} CASCADE", role, world.connector)
    try:
        assert any(role in finding.message for finding in findings(check(world), "error"))
        fact = world.discover()["database", world.unit().resource]
        assert "WITH ADMIN OPTION" in fact.refusals["READ_ONLY"]
        assert "READ_WRITE" not in fact.refusals
        fresh = world.grant()
        report = world.apply(replace(running, wants_credentials=False), fresh)
        error = next(entry for entry in report.grants if entry.grant_id == fresh.grant_id).units[0].error
        assert error is not None
        assert error.kind is ErrorKind.NOT_PERMITTED
        assert "ADMIN OPTION" in error.message
        ended = world.end(running, fresh)
        assert not world.may_log_in(running.login)
        if world.server.version < 16:  # CREATEROLE is enough there
            assert proven_gone(ended, running)
    finally:
        world.server.prepare(world.database)
    assert proven_gone(world.end(running, fresh), running, fresh)


def test_another_connector_role_cannot_end_what_the_first_one_made(new_server: PostgresServer) -> None:
    world = World(new_server, "shop")
    world.create()
    grant = world.grant()
    world.apply(grant)
    new_server.make_connector("second", "second-secret")
    new_server.prepare("shop", connector="second")
    other = replace(world, connector="second", password="second-secret")
    ended = other.end(grant)
    assert not proven_gone(ended, grant)
    assert ended.read_back is not None
    assert ended.read_back.ours
    error = ended.grants[0].units[0].error
    assert error is not None
    assert error.kind is ErrorKind.NOT_PERMITTED
    assert proven_gone(world.end(grant), grant)


# What check tries.


def test_a_good_server_has_no_errors_and_leaves_no_probe(world: World) -> None:
    before = world.snapshot()
    report = check(world)
    assert not findings(report, "error")
    assert any("asks new logins for their passwords" in finding.message for finding in findings(report, "ok"))
    assert world.snapshot() == before


def test_check_warns_of_what_createrole_means_up_to_15(world: World) -> None:
    warned = any("as good as superuser" in finding.message for finding in findings(check(world), "warning"))
    assert warned == (world.server.version < 16)


def test_check_warns_of_a_superuser_and_of_public(one_world: World) -> None:
    world = one_world
    order = world.order(Verb.CHECK, secrets={"password": Secret(world.server.password)})
    report = run(replace(order, config={**order.config, "username": "postgres"}), on_page=lambda page: None)
    warnings = " ".join(finding.message for finding in findings(report, "warning"))
    assert "postgres is a superuser" in warnings
    assert "PUBLIC has CONNECT" in warnings
    assert "PUBLIC has TEMPORARY" in warnings
    assert "not encrypted" in warnings


def test_check_says_when_nothing_is_prepared(new_server: PostgresServer) -> None:
    world = World(new_server, "shop")
    report = check(world)
    assert any("No database is prepared" in finding.message for finding in findings(report, "warning"))


@pytest.mark.parametrize("method", ["trust", "scram-sha-256", "reject"])
def test_rules_that_bypass_or_refuse_passwords_are_found_by_trying(new_server: PostgresServer, method: str) -> None:
    world = World(new_server, "shop")
    world.create()
    rules = new_server.folder / "data" / "pg_hba.conf"
    rules.write_text(
        "host all postgres,latchkey 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 " + method + "\n"
    )
    new_server.reload()
    before = world.snapshot()
    report = check(world)
    errors = [finding.message for finding in findings(report, "error")]
    expected = {"trust": "wrong password", "reject": "right password"}
    assert [expected[method] in error for error in errors] == [True] * (method in expected)
    assert world.snapshot() == before


def test_the_probe_works_where_public_may_not_connect(new_server: PostgresServer) -> None:
    world = World(new_server, "shop")
    new_server.run_sql("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
    new_server.run_sql("GRANT CONNECT ON DATABASE postgres TO latchkey")
    report = check(world)
    assert not findings(report, "error")
    assert any("asks new logins for their passwords" in finding.message for finding in findings(report, "ok"))


def test_a_probe_left_behind_is_removed_by_the_next_check(one_world: World) -> None:
    world = one_world
    before = world.snapshot()
    with world.server.connect(user=world.connector, password=world.password) as connection:
        connection.execute("CREATE ROLE left_behind LOGIN")
        connection.execute(f"COMMENT ON ROLE left_behind IS 'latchkey probe integration={world.integration}'")
    check(world)
    assert world.snapshot() == before


def test_a_check_that_loses_its_lease_still_removes_its_probe(one_world: World) -> None:
    world = one_world
    before = world.snapshot()
    order = world.order(Verb.CHECK)
    counter = Interrupted(10**9)
    PROVIDER.check(order, Run(alive=counter, seal=lambda details, grant_id="": ""))
    for number in range(1, counter.asked + 1):
        with suppress(LeaseLost):
            PROVIDER.check(order, Run(alive=Interrupted(number), seal=lambda details, grant_id="": ""))
        assert world.snapshot() == before, number


# Pinned programs.


def test_a_program_that_is_not_the_pinned_one_is_refused(one_world: World) -> None:
    world = one_world
    pins = {function.name: function.digest for function in BUILT_IN.functions("postgresql")}
    grant = world.grant()
    assert held(world.apply(grant, digests=pins), grant)
    for changed in (
        {**pins, "shut_login": "0" * 64},
        {name: pin for name, pin in pins.items() if name != "shut_login"},
    ):
        report = world.end(grant, digests=changed)
        error = report.grants[0].units[0].error
        assert error is not None
        assert error.kind is ErrorKind.REFUSED
        assert world.may_log_in(grant.login)
        assert "shut_login" not in {function.name for function in report.functions}
    assert proven_gone(world.end(grant, digests=pins), grant)


# Secrets.


def test_no_secret_is_in_reports_or_logs(world: World, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Two canaries: the connector's password and the one made for the grantee."""
    caplog.set_level(0)
    grant = world.grant()
    reports = [world.apply(grant), world.apply(grant, dry_run=True), check(world)]
    made = password(reports[0], grant)
    reports += [world.do(Verb.RESET_CREDENTIALS, (grant,)), world.end(grant), world.clean_up(grant)]
    reset = password(reports[3], grant)
    told = caplog.text + "".join(map(repr, reports))
    log = world.server.log.read_text()
    assert f'CREATE ROLE "{grant.login}"' in log  # log_statement=all: it would be there
    assert len({made, reset}) == 2
    for secret in (made, reset, world.password):
        assert secret not in told
        if secret != world.password:  # the test itself gave the connector its password in clear
            assert secret not in log
