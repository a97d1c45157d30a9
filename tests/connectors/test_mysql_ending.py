"""Ending access at MySQL and MariaDB: sessions, ends that come by themselves, what somebody made, what is standing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pymysql
import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Unit, UnitOutcome, Verb
from tests.connectors.mysql_live import OpenSession
from tests.connectors.mysql_world import MySQLWorld, name, of, pattern

AUDITORS = Unit("role", '["auditors"]', "MEMBER")


def wait_for(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def make_role(shop: MySQLWorld, *privileges: str) -> None:
    """Make the role that can be asked for, with these privileges on the database."""
    shop.sql(
        "DROP ROLE IF EXISTS auditors",
        "CREATE ROLE auditors",
        f"GRANT {', '.join(privileges)} ON {pattern(shop.database)}.* TO auditors",
    )
    shop.server.set_up("3_role.sql", role="auditors")


def test_a_dropped_login_would_work_on_so_its_sessions_are_killed(shop: MySQLWorld) -> None:
    grant = shop.grant()
    password = shop.password_of(shop.apply(grant), grant)
    sessions = [OpenSession(shop.enter(grant, password)) for _ in range(5)]
    report = shop.apply(gone=(grant,))
    assert of(report, grant).sessions_ended == 5
    assert not any(session.alive() for session in sessions)
    again = shop.grant()
    password = shop.password_of(shop.apply(again), again)
    session = OpenSession(shop.enter(again, password))
    shop.sql(f"DROP USER {again.login}@'%'")
    assert session.alive()  # why it is done
    session.close()


def test_a_session_in_the_middle_of_a_statement_is_killed_too(shop: MySQLWorld) -> None:
    grant = shop.grant()
    password = shop.password_of(shop.apply(grant), grant)
    session = shop.enter(grant, password, read_timeout=20)
    errors: list[pymysql.Error] = []

    def sleep() -> None:
        try:
            with session.cursor() as cursor:
                cursor.execute("SELECT SLEEP(15)")
        except pymysql.Error as error:
            errors.append(error)

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    wait_for(lambda: bool(shop.sql("SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(15)'")))
    began = time.monotonic()
    report = shop.apply(gone=(grant,))
    assert of(report, grant).sessions_ended == 1
    sleeper.join()
    assert time.monotonic() - began < 10
    assert len(errors) == 1


def test_the_session_of_another_grant_is_not_cut(shop: MySQLWorld) -> None:
    first, second = shop.grant(), shop.grant()
    report = shop.apply(first, second)
    session = OpenSession(shop.enter(second, shop.password_of(report, second)))
    shop.apply(replace(second, wants_credentials=False), gone=(first,))
    assert session.alive()
    session.close()


def test_access_ends_by_itself_when_its_moment_has_come(shop: MySQLWorld) -> None:
    event = "information_schema.EVENTS WHERE EVENT_SCHEMA = 'latchkey'"
    (found,) = shop.sql(f"SELECT INTERVAL_VALUE, INTERVAL_FIELD, STATUS FROM {event}")
    assert set(found.values()) == {"10", "SECOND", "ENABLED"}
    shop.sql("ALTER EVENT latchkey.end_what_is_due ON SCHEDULE EVERY 1 SECOND")  # tests have no time
    grant = shop.grant(seconds=2)
    report = shop.apply(grant)
    password = shop.password_of(report, grant)
    session = OpenSession(shop.enter(grant, password))
    assert session.alive()
    wait_for(lambda: not session.alive())
    assert time.time() > grant.ends_at
    assert not shop.may(grant, password, "SELECT 1")
    report = shop.run(shop.order(Verb.READ_BACK, gone=(grant,)))
    assert report.read_back is not None
    assert {one.unit.permission for one in report.read_back.ours} == {"READ_ONLY"}  # it waits for the connector
    report = shop.apply(gone=(grant,))
    assert of(report, grant).units[0].outcome is UnitOutcome.GONE
    shop.sql("ALTER EVENT latchkey.end_what_is_due ON SCHEDULE EVERY 10 SECOND")


def test_the_end_in_the_table_is_what_counts_and_others_have_theirs(shop: MySQLWorld) -> None:
    first, second = shop.grant(), shop.grant(ends_at=float("inf"))
    report = shop.apply(first, second)
    passwords = {grant.login: shop.password_of(report, grant) for grant in (first, second)}
    # One that cannot be locked, because somebody dropped it, does not keep the others from their end.
    shop.sql(
        "INSERT INTO latchkey.logins VALUES ('a_ghost', 'integration-1', 'x', 'x', 1)",
        f"UPDATE latchkey.logins SET ends_at = 1 WHERE login = '{first.login}'",
        "CALL latchkey.end_what_is_due()",
    )
    assert not shop.may(first, passwords[first.login], "SELECT 1")
    assert shop.may(second, passwords[second.login], "SELECT 1")


def test_a_password_that_expires_would_be_no_end(shop: MySQLWorld) -> None:
    grant = shop.grant()
    password = shop.password_of(shop.apply(grant), grant)
    shop.sql(f"ALTER USER {grant.login}@'%' PASSWORD EXPIRE")
    choose = {
        "mariadb": "SET PASSWORD = PASSWORD('chosen-by-the-grantee')",
        "mysql": "ALTER USER CURRENT_USER() IDENTIFIED BY 'chosen-by-the-grantee'",
    }
    shop.server.client(
        "--connect-expired-password", f"--execute={choose[shop.server.kind]}", user=grant.login, password=password
    )
    assert shop.may(grant, "chosen-by-the-grantee", "SELECT * FROM orders")


def test_an_ended_login_keeps_nothing_and_is_dropped_at_the_clean_up(shop: MySQLWorld) -> None:
    make_role(shop, "SELECT")
    before = shop.snapshot()
    grant = shop.grant(shop.unit("ADMIN"), shop.unit("READ_WRITE", "orders"), AUDITORS)
    shop.apply(grant)
    report = shop.apply(gone=(grant,))
    assert report.read_back is not None
    assert report.read_back.ours == ()
    assert shop.sql(f"SELECT * FROM latchkey.holdings WHERE user = '{grant.login}' AND privileges <> ''") == []
    assert shop.sql(f"SELECT locked FROM latchkey.accounts WHERE user = '{grant.login}'")[0]["locked"] == 1
    shop.clean_up(grant)
    shop.clean_up(grant)
    assert shop.snapshot() == before
    shop.sql("DROP ROLE auditors")


def test_a_role_works_as_soon_as_its_login_signs_in_and_leaves_no_default_behind(shop: MySQLWorld) -> None:
    make_role(shop, "SELECT")
    grant = shop.grant(AUDITORS)
    password = shop.password_of(shop.apply(grant), grant)
    assert shop.may(grant, password, "SELECT * FROM orders")
    shop.apply(gone=(grant,))
    rows = shop.sql(f"SHOW GRANTS FOR {grant.login}@'%'")
    assert not [row for row in rows if "auditors" in str(row)]
    shop.sql("DROP ROLE auditors")


def test_of_several_roles_the_server_s_own_rule_says_which_are_active(shop: MySQLWorld) -> None:
    make_role(shop, "SELECT")
    shop.sql("CREATE ROLE books", f"GRANT INSERT ON {pattern(shop.database)}.* TO books")
    shop.server.set_up("3_role.sql", role="books")
    grant = shop.grant(AUDITORS, Unit("role", '["books"]', "MEMBER"))
    report = shop.apply(grant)
    password = shop.password_of(report, grant)
    with shop.enter(grant, password, database=None) as session, session.cursor() as cursor:
        if shop.server.kind == "mariadb":
            assert "SET ROLE `auditors`" in of(report, grant).details["command"]
            cursor.execute("SET ROLE auditors")
        cursor.execute(f"SELECT * FROM {name(shop.database)}.orders")
    # One of them goes; the other is then the only one.
    shop.apply(replace(grant, units=(AUDITORS,), wants_credentials=False))
    assert shop.may(grant, password, "SELECT * FROM orders")
    shop.apply(gone=(grant,))
    shop.sql("DROP ROLE auditors, books")


@pytest.mark.parametrize(
    ("kind", "statement", "gone"),
    [
        ("view", "CREATE VIEW glass AS SELECT * FROM secrets", "DROP VIEW glass"),
        ("procedure", "CREATE PROCEDURE glass() SELECT * FROM secrets", "DROP PROCEDURE glass"),
        ("event", "CREATE EVENT glass ON SCHEDULE EVERY 1 YEAR DO DELETE FROM secrets", "DROP EVENT glass"),
        (
            "trigger",
            "CREATE TRIGGER glass BEFORE INSERT ON orders FOR EACH ROW SET NEW.item = (SELECT MAX(item) FROM secrets)",
            "DROP TRIGGER glass",
        ),
    ],
)
def test_what_somebody_made_opens_nothing_and_keeps_the_login_from_being_dropped(
    shop: MySQLWorld, kind: str, statement: str, gone: str
) -> None:
    make_role(shop, "SELECT", "CREATE VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE", "EVENT", "TRIGGER")
    grant = shop.grant(AUDITORS)
    with shop.enter(grant, shop.password_of(shop.apply(grant), grant)) as session, session.cursor() as cursor:
        cursor.execute(statement)
    told = of(shop.apply(gone=(grant,)), grant)
    assert told.units[0].outcome is UnitOutcome.GONE
    assert f"The {kind} glass in {shop.database}" in told.warnings[0]
    uses = {"view": "SELECT * FROM glass", "procedure": "CALL glass()", "trigger": "INSERT INTO orders VALUES ()"}
    if kind in uses:
        with pytest.raises(pymysql.Error) as refused:
            shop.sql(uses[kind], database=shop.database)
        assert refused.value.args[0] in (1044, 1142, 1143, 1356, 1370)
    told = of(shop.clean_up(grant), grant)
    assert told.units[0].error is not None
    assert told.units[0].error.kind is ErrorKind.REFUSED
    assert "could not be dropped" in told.warnings[0]
    assert shop.sql(f"SELECT locked FROM latchkey.accounts WHERE user = '{grant.login}'")[0]["locked"] == 1
    shop.sql(gone, database=shop.database)
    assert of(shop.clean_up(grant), grant).units[0].outcome is UnitOutcome.GONE
    assert shop.sql(f"SELECT 1 FROM latchkey.accounts WHERE user = '{grant.login}'") == []
    shop.sql("DROP ROLE auditors")


@pytest.mark.parametrize("host", ["%", "localhost"])
def test_what_a_person_has_on_an_account_of_their_own_is_standing_and_stays(shop: MySQLWorld, host: str) -> None:
    account = f"'ada.shop'@'{host}'"
    shop.sql(f"CREATE USER {account}", f"GRANT SELECT, TRIGGER ON {pattern(shop.database)}.* TO {account}")
    shop.sql(f"GRANT SELECT ON {name(shop.database)}.orders TO {account}", f"GRANT PROCESS ON *.* TO {account}")
    before = shop.snapshot()
    grant = shop.grant()
    report = shop.apply(grant)
    assert report.read_back is not None
    standing = {(one.unit.resource_type, one.unit.permission) for one in report.read_back.standing}
    assert standing == {("database", "SELECT, TRIGGER"), ("table", "READ_ONLY"), ("server", "PROCESS")}
    shop.apply(gone=(grant,))
    shop.clean_up(grant)
    assert shop.snapshot() == before
    shop.sql(f"DROP USER {account}")


def test_an_account_that_is_only_like_the_person_s_name_is_nobody_s(shop: MySQLWorld) -> None:
    others = ("'Ada.Shop2'@'%'", "'ada_shop'@'%'", "'ADA.SHOP'@'%'")
    for account in others:
        shop.sql(f"CREATE USER {account}", f"GRANT SELECT ON {pattern(shop.database)}.* TO {account}")
    report = shop.run(shop.order(Verb.READ_BACK))
    assert report.read_back is not None
    assert report.read_back.standing == ()
    for account in others:
        shop.sql(f"DROP USER {account}")


def test_a_role_that_somebody_else_gave_goes_too(shop: MySQLWorld) -> None:
    shop.sql("CREATE ROLE theirs")
    grant = shop.grant(shop.unit())
    password = shop.password_of(shop.apply(grant), grant)
    shop.sql(f"GRANT theirs TO {grant.login}@'%'")
    report = shop.apply(replace(grant, wants_credentials=False))
    assert report.read_back is not None
    assert [one.unit for one in report.read_back.ours] == [shop.unit()]
    assert shop.may(grant, password, "SELECT * FROM orders")
    shop.sql(f"GRANT theirs TO {grant.login}@'%' WITH ADMIN OPTION")
    report = shop.apply(gone=(grant,))
    assert report.read_back is not None
    assert report.read_back.ours == ()
    assert of(report, grant).warnings == ()
    shop.sql("DROP ROLE theirs")
