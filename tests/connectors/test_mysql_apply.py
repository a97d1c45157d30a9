"""Giving access at MySQL and MariaDB: what the stories of every provider do not cover."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pymysql
import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Unit, UnitOutcome, Verb
from tests.connectors.mysql_world import MySQLWorld, name, of, pattern

# What each level is for, and what the next one would be.
USES = {
    "READ_ONLY": ("SELECT item FROM orders", "INSERT INTO orders VALUES ()"),
    "READ_WRITE": ("DELETE FROM orders", "CREATE TABLE more (a INT)"),
    "ADMIN": ("CREATE TABLE IF NOT EXISTS more (a INT)", "CREATE VIEW glass AS SELECT 1 AS a"),
}
NAMES = [
    "we'ird",
    'two"quotes',
    "back`tick",
    "back\\slash",
    "a_b%c",
    "żółć データ",
    "`; DROP TABLE x; -- .",
    ":'login'",
]


@pytest.mark.parametrize("level", USES)
def test_a_level_permits_what_it_says_and_no_more(shop: MySQLWorld, level: str) -> None:
    grant = shop.grant(shop.unit(level))
    password = shop.password_of(shop.apply(grant), grant)
    may, may_not = USES[level]
    assert shop.may(grant, password, may)
    assert not shop.may(grant, password, may_not)
    shop.sql(f"CREATE TABLE {name(shop.database)}.later (a INT)")
    assert shop.may(grant, password, "SELECT * FROM later")


@pytest.mark.parametrize("level", ["READ_ONLY", "READ_WRITE", "ADMIN"])
def test_a_level_of_a_table_stays_in_the_table(shop: MySQLWorld, level: str) -> None:
    grant = shop.grant(shop.unit(level, "orders"))
    password = shop.password_of(shop.apply(grant), grant)
    assert shop.may(grant, password, "SELECT item FROM orders")
    assert shop.may(grant, password, "DELETE FROM orders") == (level != "READ_ONLY")
    assert shop.may(grant, password, "ALTER TABLE orders COMMENT = 'x'") == (level == "ADMIN")
    assert not shop.may(grant, password, "SELECT item FROM secrets")


def test_a_wild_card_in_a_name_means_that_character_only(shop: MySQLWorld) -> None:
    other = shop.database.replace("_", "x")
    shop.sql(f"CREATE DATABASE {other}", f"CREATE TABLE {other}.orders (a INT)")
    grant = shop.grant(shop.unit("READ_WRITE"))
    password = shop.password_of(shop.apply(grant), grant)
    assert shop.may(grant, password, "SELECT * FROM orders")
    assert not shop.may(grant, password, f"SELECT * FROM {other}.orders")
    shop.sql(f"DROP DATABASE {other}")


@pytest.mark.parametrize("odd", NAMES)
def test_names_are_data_whatever_is_in_them(shop: MySQLWorld, odd: str) -> None:
    world = MySQLWorld(shop.server, odd)
    world.create()
    world.sql(f"CREATE TABLE {name(odd)}.{name(odd)} (a INT)")
    before = world.snapshot()
    grant = world.grant(world.unit("READ_ONLY"), world.unit("READ_WRITE", odd))
    report = world.apply(grant)
    password = world.password_of(report, grant)
    assert {one.outcome for one in of(report, grant).units} == {UnitOutcome.HELD}
    assert world.may(grant, password, f"INSERT INTO {name(odd)} VALUES (1)")
    assert not world.may(grant, password, "INSERT INTO orders VALUES ()")
    assert f"/{odd}" not in of(report, grant).details["uri"] or odd.isalnum()
    world.apply(gone=(grant,))
    world.clean_up(grant)
    assert world.snapshot() == before
    world.remove()


@pytest.mark.parametrize(
    "login", ["x' OR '1", "a`b", "ada%", "ada shop", "zażółć", "root", "latchkey", "latchkey_keeper"]
)
def test_a_login_that_cannot_be_ours_is_refused_and_nothing_is_touched(shop: MySQLWorld, login: str) -> None:
    before = shop.snapshot()
    grant = shop.grant(login=login)
    report = shop.apply(grant)
    (unit,) = of(report, grant).units
    assert unit.error is not None
    assert unit.error.kind is ErrorKind.REFUSED
    shop.apply(gone=(grant,))
    shop.clean_up(grant)
    assert shop.snapshot() == before


def test_the_login_of_somebody_else_is_never_taken_over(shop: MySQLWorld) -> None:
    mine = shop.grant()
    password = shop.password_of(shop.apply(mine), mine)
    other = replace(shop, person=replace(shop.person, person_id="person-2"))
    before = shop.snapshot()
    report = other.apply(replace(mine, grant_id="another"))
    assert of(report, replace(mine, grant_id="another")).units[0].outcome is UnitOutcome.FAILED
    other.apply(gone=(mine,))
    assert shop.snapshot() == before
    assert shop.may(mine, password, "SELECT 1")


def test_a_unit_that_fails_leaves_the_others_alone(shop: MySQLWorld) -> None:
    units = (
        shop.unit("READ_ONLY"),
        Unit("database", '["nowhere"]', "READ_ONLY"),
        Unit("database", '["mysql"]', "READ_ONLY"),
        Unit("database", '["LATCHKEY"]', "ADMIN"),
        shop.unit("READ_ONLY", "no such table"),
        Unit("role", '["nobody"]', "MEMBER"),
        Unit("database", "no source id", "READ_ONLY"),
        Unit("database", json.dumps([shop.database]), "EVERYTHING"),
    )
    grant = shop.grant(*units)
    report = shop.apply(grant)
    kinds = [one.error.kind if one.error else None for one in of(report, grant).units]
    missing, refused, wrong = ErrorKind.TARGET_MISSING, ErrorKind.REFUSED, ErrorKind.MISCONFIGURED
    assert kinds == [None, missing, refused, refused, missing, missing, wrong, wrong]
    assert shop.may(grant, shop.password_of(report, grant), "SELECT * FROM orders")


def test_no_login_is_left_of_a_grant_of_which_nothing_can_be_given(shop: MySQLWorld) -> None:
    shop.prepare("READ_ONLY")
    before = shop.snapshot()
    grant = shop.grant(shop.unit("ADMIN"))
    report = shop.apply(grant)
    told = of(report, grant)
    assert told.units[0].error is not None
    assert told.units[0].error.kind is ErrorKind.NOT_PERMITTED
    assert "ALTER" in told.units[0].error.message
    assert "2_database.sql" in told.units[0].error.fix
    assert not told.sealed_credentials
    shop.clean_up(grant)
    assert shop.snapshot() == before


def test_what_others_gave_is_seen_and_taken_without_a_gap(shop: MySQLWorld) -> None:
    grant = shop.grant()
    password = shop.password_of(shop.apply(grant), grant)
    here = pattern(shop.database)
    shop.sql(f"GRANT INSERT ON {here}.* TO {grant.login}@'%'")
    report = shop.run(shop.order(Verb.READ_BACK, grant))
    assert report.read_back is not None
    assert "INSERT, SELECT" in {one.unit.permission for one in report.read_back.ours}
    with shop.enter(grant, password) as session, session.cursor() as cursor:
        report = shop.apply(replace(grant, wants_credentials=False))
        cursor.execute("SELECT * FROM orders")
    assert {function.name for function in report.functions} >= {"revoke_database_write"}
    assert "revoke_everything" not in {function.name for function in report.functions}
    assert not shop.may(grant, password, "INSERT INTO orders VALUES ()")


@pytest.mark.parametrize(
    "gift",
    [
        "GRANT PROCESS ON *.* TO {login}@'%'",
        "GRANT TRIGGER ON {here}.* TO {login}@'%'",
        "GRANT SELECT (item) ON {plain}.secrets TO {login}@'%'",
        "GRANT SELECT ON mysql.* TO {login}@'%'",
        "GRANT UPDATE ON {plain}.orders TO {login}@'%' WITH GRANT OPTION",
    ],
)
def test_what_the_connector_could_not_give_is_taken_too(shop: MySQLWorld, gift: str) -> None:
    grant = shop.grant()
    password = shop.password_of(shop.apply(grant), grant)
    clean = shop.snapshot()
    shop.sql(gift.format(login=grant.login, here=pattern(shop.database), plain=name(shop.database)))
    assert shop.snapshot() != clean
    report = shop.apply(replace(grant, wants_credentials=False))
    assert report.read_back is not None
    assert [one.unit for one in report.read_back.ours] == [shop.unit()]
    assert shop.may(grant, password, "SELECT * FROM orders")
    assert shop.snapshot() == clean


def test_a_login_that_was_locked_by_hand_is_opened_again(shop: MySQLWorld) -> None:
    grant = shop.grant()
    password = shop.password_of(shop.apply(grant), grant)
    shop.sql(f"ALTER USER {grant.login}@'%' ACCOUNT LOCK")
    report = shop.run(shop.order(Verb.READ_BACK, grant))
    assert of(report, grant).units[0].outcome is UnitOutcome.FAILED
    assert not shop.may(grant, password, "SELECT 1")
    shop.apply(replace(grant, wants_credentials=False))
    assert shop.may(grant, password, "SELECT * FROM orders")


def test_a_login_that_was_dropped_by_hand_is_made_again_and_that_is_said(shop: MySQLWorld) -> None:
    grant = shop.grant()
    shop.apply(grant)
    shop.sql(f"DROP USER {grant.login}@'%'")
    report = shop.run(shop.order(Verb.READ_BACK, grant))
    assert of(report, grant).units[0].outcome is UnitOutcome.FAILED
    report = shop.apply(replace(grant, wants_credentials=False))
    assert of(report, grant).units[0].outcome is UnitOutcome.HELD
    assert "made again" in of(report, grant).warnings[0]


def test_what_is_left_of_a_login_that_was_dropped_by_hand_is_cleaned_up(shop: MySQLWorld) -> None:
    before = shop.snapshot()
    grant = shop.grant()
    shop.apply(grant)
    shop.sql(f"DROP USER {grant.login}@'%'")
    report = shop.apply(gone=(grant,))
    assert of(report, grant).units[0].outcome is UnitOutcome.GONE
    shop.clean_up(grant)
    assert shop.snapshot() == before


def test_an_extension_moves_the_end_and_cuts_nobody(shop: MySQLWorld) -> None:
    grant = shop.grant(seconds=600)
    password = shop.password_of(shop.apply(grant), grant)
    with shop.enter(grant, password) as session, session.cursor() as cursor:
        shop.apply(replace(grant, ends_at=grant.ends_at + 600, wants_credentials=False))
        cursor.execute("SELECT 1")
    (row,) = shop.sql(f"SELECT ends_at FROM latchkey.logins WHERE login = '{grant.login}'")
    assert row["ends_at"] == pytest.approx(grant.ends_at + 600)
    shop.apply(replace(grant, ends_at=float("inf"), wants_credentials=False))
    assert shop.sql(f"SELECT ends_at FROM latchkey.logins WHERE login = '{grant.login}'") == [{"ends_at": None}]


def test_an_open_login_of_ours_that_the_order_does_not_name_is_ended(shop: MySQLWorld) -> None:
    forgotten = shop.grant()
    password = shop.password_of(shop.apply(forgotten), forgotten)
    report = shop.apply()
    assert "it was ended" in of(report, forgotten).warnings[0]
    assert not shop.may(forgotten, password, "SELECT 1")


def test_a_dry_run_shows_statements_without_secrets(shop: MySQLWorld) -> None:
    grant = shop.grant(shop.unit("READ_WRITE"))
    report = shop.apply(grant, dry_run=True)
    shown = {program.function: program.text for program in report.programs}
    assert shown["grant_database_read"] == f"GRANT SELECT\nON {pattern(shop.database)}.* TO `{grant.login}`@'%';"
    assert "'(secret)'" in shown["create_login"]


def test_the_server_and_our_log_never_see_the_password(shop: MySQLWorld, caplog: pytest.LogCaptureFixture) -> None:
    shop.sql("SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = ON")
    grant = shop.grant()
    with caplog.at_level(logging.DEBUG):
        report = shop.apply(grant)
    password = shop.password_of(report, grant)
    shop.sql("SET GLOBAL general_log = OFF")
    log = "\n".join(str(row["argument"]) for row in shop.sql("SELECT argument FROM mysql.general_log"))
    assert f"latchkey.create_login('{grant.login}'" in log
    assert password not in log
    assert shop.password not in log
    assert password not in caplog.text + repr(report)


def test_the_command_and_the_address_are_ready_to_use(shop: MySQLWorld) -> None:
    grant = shop.grant()
    details = of(shop.apply(grant), grant).details
    client = shop.server.kind
    assert details["command"] == (
        f"{client} --host=127.0.0.1 --port={shop.server.port} --user={grant.login} --password {shop.database}"
    )
    assert details["uri"] == f"mysql://{grant.login}@127.0.0.1:{shop.server.port}/{shop.database}"


def test_giving_again_changes_nothing(shop: MySQLWorld) -> None:
    grant = shop.grant(shop.unit("READ_WRITE"), shop.unit("ADMIN", "orders"))
    shop.apply(grant)
    before = shop.snapshot()
    report = shop.apply(replace(grant, wants_credentials=False))
    assert shop.snapshot() == before
    changing = {"create_login", "open_login", "set_password", "revoke_everything", "shut_login"}
    assert not changing & {function.name for function in report.functions}
    assert not [one.name for one in report.functions if one.name.startswith(("grant_", "revoke_"))]


def test_two_who_ask_at_once_do_not_meet(shop: MySQLWorld) -> None:
    other = replace(shop, person=replace(shop.person, person_id="person-2"), number=50)
    mine, theirs = shop.grant(), other.grant()
    password = shop.password_of(shop.apply(mine), mine)
    other.apply(theirs)
    other.apply(gone=(theirs,))
    assert shop.may(mine, password, "SELECT * FROM orders")
    with pytest.raises(pymysql.Error):
        other.enter(theirs, "anything")
