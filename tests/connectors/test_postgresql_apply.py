"""Giving and taking access on real servers."""

from __future__ import annotations

import time
from dataclasses import replace

import psycopg
import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Ending, Person, Unit, UnitOutcome, Verb
from tests.connectors.world import World, ending, held, outcomes, password, proven_gone


@pytest.mark.parametrize(
    ("level", "may", "may_not"),
    [
        ("READ_ONLY", "SELECT item FROM orders", "INSERT INTO orders (item) VALUES ('x')"),
        ("READ_WRITE", "INSERT INTO orders (item) VALUES ('x')", "CREATE TABLE mine ()"),
        ("ADMIN", "CREATE TABLE mine AS SELECT 1", "CREATE ROLE other"),
    ],
)
def test_each_level_gives_what_it_says_and_no_more(world: World, level: str, may: str, may_not: str) -> None:
    grant = world.grant(world.unit(level))
    report = world.apply(grant)
    assert held(report, grant)
    with world.sign_in(grant, report) as connection:
        connection.execute(may)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(may_not)


def test_default_privileges_reach_tables_made_later(world: World) -> None:
    grant = world.grant()
    report = world.apply(grant)
    world.sql("CREATE TABLE later AS SELECT 7 AS n")
    world.sql("CREATE SCHEMA newer")
    world.sql("CREATE TABLE newer.later AS SELECT 8 AS n")
    with world.sign_in(grant, report) as connection:
        assert connection.execute("SELECT n FROM later").fetchone() == (7,)
        assert connection.execute("SELECT n FROM newer.later").fetchone() == (8,)


def test_the_end_cuts_the_session_and_shuts_the_login(world: World) -> None:
    grant = world.grant()
    report = world.apply(grant)
    with world.sign_in(grant, report) as connection:
        ended = world.end(grant)
        assert proven_gone(ended, grant)
        assert ended.grants[0].sessions_ended == 1
        assert ended.read_back is not None
        assert ended.read_back.live_sessions == 0
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        world.sign_in(grant, report)
    assert world.logins() == {grant.login}
    assert not world.may_log_in(grant.login)
    row = world.sql(f"SELECT rolpassword, rolvaliduntil < now() FROM pg_authid WHERE rolname = '{grant.login}'")
    assert row == [(None, True)]


def test_the_target_ends_it_by_itself(world: World) -> None:
    grant = world.grant(seconds=-1)
    report = world.apply(grant)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        world.sign_in(grant, report)


def test_a_session_that_became_the_role_does_not_survive(world: World) -> None:
    """Up to 15 a member can become the role, and would keep reading after its membership is gone."""
    grant = world.grant()
    report = world.apply(grant)
    role = world.sql(f"SELECT roleid::regrole::text FROM pg_auth_members WHERE member = '\"{grant.login}\"'::regrole")
    with world.sign_in(grant, report) as connection:
        if world.server.version < 16:
            connection.execute(f"SET ROLE {role[0][0]}")
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SET ROLE {role[0][0]}")
        assert connection.execute("SELECT item FROM orders").fetchall() == [("first",)]
        assert proven_gone(world.end(grant), grant)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT item FROM orders")


def test_overlap_the_end_of_one_grant_leaves_the_other_alone(world: World) -> None:
    one, two = world.grant(), world.grant()
    report = world.apply(one, two)
    assert held(report, one)
    assert held(report, two)
    with world.sign_in(two, report) as connection:
        ended = world.apply(replace(two, wants_credentials=False), gone=(ending(one),))
        assert proven_gone(ended, one)
        assert held(ended, two)
        assert connection.execute("SELECT item FROM orders").fetchone() == ("first",)
    assert not world.may_log_in(one.login)
    world.sign_in(two, report).close()


def test_a_second_run_changes_nothing(open_world: World) -> None:
    world = open_world
    grant = world.grant(world.unit("READ_WRITE"), world.table(), world.schema("public", "READ_WRITE"))
    world.apply(grant)
    grant = replace(grant, wants_credentials=False)
    before = world.snapshot()
    again = world.apply(grant)
    assert held(again, grant)
    assert again.grants[0].sealed_credentials == ""
    assert world.snapshot() == before
    changing = {
        "create_login",
        "open_login",
        "set_password",
        "grant_role",
        "grant_role_until_15",
        "grant_database_connect",
    }
    assert not changing & {function.name for function in again.functions}


def test_a_second_end_changes_nothing(world: World) -> None:
    grant = world.grant()
    world.apply(grant)
    world.end(grant)
    before = world.snapshot()
    again = world.end(grant)
    assert proven_gone(again, grant)
    assert world.snapshot() == before


def test_ending_what_never_was_is_a_success(world: World) -> None:
    grant = world.grant()
    before = world.snapshot()
    assert proven_gone(world.end(grant), grant)
    assert world.snapshot() == before


def test_an_extension_moves_the_end_without_a_gap(world: World) -> None:
    grant = world.grant(seconds=100)
    report = world.apply(grant)
    longer = replace(grant, ends_at=grant.ends_at + 5000, wants_credentials=False)
    with world.sign_in(grant, report) as connection:
        extended = world.apply(longer)
        assert held(extended, longer)
        connection.execute("SELECT 1")
    until = world.sql(f"SELECT extract(epoch FROM rolvaliduntil)::float8 FROM pg_roles WHERE rolname = '{grant.login}'")
    assert until[0][0] == pytest.approx(longer.ends_at, abs=0.001)
    world.sign_in(grant, report).close()


def test_an_access_without_an_end_says_so(one_world: World) -> None:
    world = one_world
    grant = replace(world.grant(), ends_at=float("inf"))
    assert held(world.apply(grant), grant)
    until = world.sql(f"SELECT rolvaliduntil::text FROM pg_roles WHERE rolname = '{grant.login}'")
    assert until == [("infinity",)]
    before = world.snapshot()
    world.apply(replace(grant, wants_credentials=False))
    assert world.snapshot() == before


def test_a_retry_that_wants_credentials_gets_new_ones(world: World) -> None:
    grant = world.grant()
    first, second = world.apply(grant), world.apply(grant)
    world.sign_in(grant, second).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        world.sign_in(grant, first)


def test_details_lead_to_the_database(one_world: World) -> None:
    world = one_world
    grant = world.grant()
    report = world.apply(grant)
    details = report.grants[0].details
    assert (details["host"], details["port"], details["username"]) == ("127.0.0.1", world.server.port, grant.login)
    assert details["databases"] == [world.database]
    uri = details["uri"].replace("@", f":{password(report, grant)}@")
    with psycopg.connect(uri) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == (grant.login, world.database)
    assert "password" not in details


@pytest.mark.parametrize("how", ["no marker", "other person", "other grant"])
def test_a_login_that_was_there_before_is_never_taken_over(world: World, how: str) -> None:
    grant = world.grant()
    world.sql("CREATE ROLE {} LOGIN PASSWORD 'theirs'", grant.login)
    if how != "no marker":
        person = world.person.person_id if how == "other grant" else "somebody-else"
        marker = f"latchkey integration={world.integration} person={person} grant=another"
        world.sql(f"COMMENT ON ROLE {{}} IS '{marker}'", grant.login)
    before = world.snapshot()
    report = world.apply(grant)
    assert outcomes(report, grant) == [UnitOutcome.FAILED]
    error = report.grants[0].units[0].error
    assert error is not None
    assert error.kind is ErrorKind.REFUSED
    assert "not taken over" in error.message
    if how != "other grant":  # a login of ours for a grant that is over is ended, of course
        assert world.snapshot() == before
        assert world.apply(gone=(ending(grant),)).error is None
        assert world.snapshot() == before


def test_a_grant_that_fails_in_part_is_held_in_part(world: World) -> None:
    good, bad = world.unit(), Unit("database", '["nowhere"]', "READ_ONLY")
    grant = world.grant(bad, good)
    report = world.apply(grant)
    assert outcomes(report, grant) == [UnitOutcome.FAILED, UnitOutcome.HELD]
    error = report.grants[0].units[0].error
    assert error is not None
    assert error.kind is ErrorKind.TARGET_MISSING
    with world.sign_in(grant, report) as connection:
        connection.execute("SELECT * FROM orders")


def test_a_grant_that_fails_altogether_leaves_nothing(world: World) -> None:
    grant = world.grant(Unit("database", '["nowhere"]', "READ_ONLY"))
    before = world.snapshot()
    report = world.apply(grant)
    assert outcomes(report, grant) == [UnitOutcome.FAILED]
    assert report.grants[0].sealed_credentials == ""
    assert world.snapshot() == before
    assert report.read_back is not None
    assert not report.read_back.ours


@pytest.mark.parametrize(
    "unit",
    [
        Unit("database", "shop", "READ_ONLY"),
        Unit("database", '["a","b"]', "READ_ONLY"),
        Unit("database", '[""]', "READ_ONLY"),
        Unit("database", '["shop"]', "MEMBER"),
        Unit("galaxy", '["shop"]', "READ_ONLY"),
    ],
)
def test_a_unit_that_is_none_of_ours_is_misconfigured(one_world: World, unit: Unit) -> None:
    world = one_world
    grant = world.grant(unit, world.unit())
    report = world.apply(grant)
    assert outcomes(report, grant) == [UnitOutcome.FAILED, UnitOutcome.HELD]
    error = report.grants[0].units[0].error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED
    assert report.grants[0].details["databases"][-1] == world.database


def test_logins_of_ours_that_the_order_does_not_name_are_ended_too(world: World) -> None:
    forgotten, kept = world.grant(), world.grant()
    report = world.apply(forgotten)
    with world.sign_in(forgotten, report) as connection:
        after = world.apply(kept)
        assert held(after, kept)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert not world.may_log_in(forgotten.login)
    told = next(entry for entry in after.grants if entry.grant_id == forgotten.grant_id)
    assert told.sessions_ended == 1
    assert "does not know its grant" in told.warnings[0]
    assert after.read_back is not None
    assert {entry.grant_id for entry in after.read_back.ours} == {kept.grant_id}


def test_another_person_and_another_integration_are_left_alone(world: World) -> None:
    mine = world.grant()
    world.apply(mine)
    before = [line for line in world.snapshot() if mine.login in line]
    other = replace(world, person=Person("somebody-else-entirely", "x"))
    other.apply(other.grant())
    elsewhere = replace(world, integration="integration-2")
    elsewhere.apply()
    assert [line for line in world.snapshot() if mine.login in line] == before
    assert before


def test_a_login_shut_by_hand_is_opened_again_while_its_grant_lasts(world: World) -> None:
    grant = world.grant()
    report = world.apply(grant)
    world.sql("ALTER ROLE {} NOLOGIN", grant.login)
    drifted = world.read_back(replace(grant, wants_credentials=False))
    assert outcomes(drifted, grant) == [UnitOutcome.FAILED]
    repaired = world.apply(replace(grant, wants_credentials=False))
    assert held(repaired, grant)
    world.sign_in(grant, report).close()


def test_a_login_dropped_by_hand_is_made_again_and_said_so(world: World) -> None:
    grant = world.grant()
    world.apply(grant)
    world.sql("DROP ROLE {}", grant.login)
    report = world.apply(replace(grant, wants_credentials=False))
    assert held(report, grant)
    assert "its old password no longer works" in report.grants[0].warnings[0]


def test_a_membership_taken_by_hand_is_seen_and_given_again(world: World) -> None:
    grant = world.grant()
    world.apply(grant)
    (role,) = world.sql(f"SELECT roleid::regrole::text FROM pg_auth_members WHERE member='\"{grant.login}\"'::regrole")[
        0
    ]
    with world.server.connect(user=world.connector, password=world.password) as connection:
        connection.execute(f'REVOKE {role} FROM "{grant.login}"')
    grant = replace(grant, wants_credentials=False)
    assert outcomes(world.read_back(grant), grant) == [UnitOutcome.FAILED]
    assert held(world.apply(grant), grant)


def test_less_than_before_takes_the_rest_away(open_world: World) -> None:
    world = open_world
    grant = world.grant(world.unit(), world.table("orders", "READ_WRITE"))
    report = world.apply(grant)
    less = replace(grant, units=(world.table(),), wants_credentials=False)
    after = world.apply(less)
    assert held(after, less)
    with world.sign_in(grant, report) as connection:
        connection.execute("SELECT * FROM orders")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM orders")


def test_a_database_dropped_in_between_is_a_success(open_world: World) -> None:
    world = open_world
    grant = world.grant(world.unit(), world.table(), world.schema())
    assert held(world.apply(grant), grant)
    world.remove()
    ended = world.end(grant)
    assert proven_gone(ended, grant)
    assert proven_gone(world.clean_up(grant), grant)


def test_a_database_dropped_before_fails_the_grant(world: World) -> None:
    world.remove()
    grant = world.grant()
    report = world.apply(grant)
    error = report.grants[0].units[0].error
    assert error is not None
    assert error.kind is ErrorKind.TARGET_MISSING


def test_membership_in_a_role(world: World) -> None:
    team = f'the team\'s "{world.database}"'
    world.sql("CREATE ROLE {}", team)
    world.sql("GRANT INSERT, SELECT ON orders TO {}", team)
    world.sql("GRANT {} TO {} WITH ADMIN OPTION", team, world.connector)
    grant = world.grant(world.unit("MEMBER", kind="role", names=(team,)))
    report = world.apply(grant)
    assert held(report, grant)
    with world.sign_in(grant, report) as connection:
        connection.execute("SELECT * FROM orders")
    ended = world.end(grant)
    assert proven_gone(ended, grant)
    world.clean_up(grant)
    world.sql("DROP OWNED BY {}", team)
    world.sql("DROP ROLE {}", team)


def test_a_role_that_leads_too_far_is_refused_at_grant_time_too(world: World) -> None:
    team = f"team_{world.database}"
    world.sql("CREATE ROLE {}", team)
    world.sql("GRANT pg_execute_server_program TO {}", team)
    world.sql("GRANT {} TO {} WITH ADMIN OPTION", team, world.connector)
    try:
        grant = world.grant(world.unit("MEMBER", kind="role", names=(team,)))
        report = world.apply(grant)
        error = report.grants[0].units[0].error
        assert error is not None
        assert error.kind is ErrorKind.REFUSED
        assert "pg_execute_server_program" in error.message
        assert not world.sql(
            f"SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = '{grant.login}'"
        )
        assert not [login for login in world.logins() if world.may_log_in(login)]
    finally:
        world.sql("DROP ROLE {}", team)


def test_a_login_name_that_does_not_fit_is_refused_not_cut(one_world: World) -> None:
    world = one_world
    grant = world.grant(login="ü" * 32)
    report = world.apply(grant)
    error = report.grants[0].units[0].error
    assert error is not None
    assert "63 bytes" in error.message
    assert not world.logins()


@pytest.mark.parametrize("login", ["ü" * 31 + "x", 'o\'brien "the" \\ best', "-- ; DROP", " ", "user", "MixedCase"])
def test_any_login_name_that_fits_works(one_world: World, login: str) -> None:
    world = one_world
    grant = world.grant(login=login)
    report = world.apply(grant)
    assert held(report, grant)
    with world.sign_in(grant, report) as connection:
        assert connection.execute("SELECT session_user").fetchone() == (login,)
        ended = world.end(grant)
    assert proven_gone(ended, grant)
    assert ended.grants[0].sessions_ended == 1
    assert proven_gone(world.clean_up(grant), grant)
    assert not world.logins()


def test_credentials_are_reset_for_those_who_want_it_only(world: World) -> None:
    one, two = world.grant(), world.grant()
    first = world.apply(one, two)
    quiet = replace(two, wants_credentials=False)
    for verb in (Verb.RESET_CREDENTIALS, Verb.ROTATE):
        report = world.do(verb, (one, quiet))
        world.sign_in(one, report).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            world.sign_in(one, first)
        world.sign_in(two, first).close()


def test_credentials_of_an_ended_grant_are_not_reset(world: World) -> None:
    grant = world.grant()
    world.apply(grant)
    world.end(grant)
    before = world.snapshot()
    report = world.do(Verb.RESET_CREDENTIALS, (grant,))
    assert report.grants[0].sealed_credentials == ""
    assert outcomes(report, grant) == [UnitOutcome.FAILED]
    assert world.snapshot() == before


def test_a_dry_run_changes_nothing_and_shows_everything_but_secrets(one_world: World) -> None:
    world = one_world
    running, wanted = world.grant(), world.grant(login='new "login"')
    world.apply(running)
    before = world.snapshot()
    report = world.apply(wanted, gone=(ending(running),), dry_run=True)
    assert report.error is None
    assert world.snapshot() == before
    shown = {program.function: program.text for program in report.programs}
    assert '"new ""login"""' in shown["create_login"]
    assert "(secret)" in shown["create_login"]
    assert "SCRAM" not in repr(report)
    assert f'ALTER ROLE "{running.login}" NOLOGIN' in shown["shut_login"]
    assert "create_login" not in {function.name for function in report.functions}


def test_the_clock_of_the_proof_is_the_targets(one_world: World) -> None:
    world = one_world
    report = world.read_back()
    assert report.read_back is not None
    assert report.read_back.read_at == pytest.approx(time.time(), abs=5)


def test_an_ending_by_another_name_is_found_by_its_grant(one_world: World) -> None:
    world = one_world
    grant = world.grant()
    world.apply(grant)
    report = world.apply(gone=(Ending(grant.grant_id, "", grant.units),))
    assert proven_gone(report, grant)
    assert not world.may_log_in(grant.login)
