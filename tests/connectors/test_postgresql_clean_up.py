"""Logins go at last, and nothing that people made goes with them."""

from __future__ import annotations

import psycopg
import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import UnitOutcome, Verb
from tests.connectors.world import World, held, outcomes, proven_gone
from tests.targets import PostgresServer


@pytest.fixture
def maker(world: World) -> World:
    """Somebody with ADMIN in two databases, who made things in both."""
    world.sql("CREATE DATABASE {}", f"{world.database} 2", on="postgres")
    world.server.prepare(f"{world.database} 2")
    return world


def owner(world: World, name: str, database: str) -> str:
    """Return the comment on the role that owns a table: it says what the role is for."""
    rows = world.sql(
        f"SELECT shobj_description(relowner, 'pg_authid') FROM pg_class WHERE relname = '{name}'", on=database
    )
    return str(rows[0][0])


def test_what_a_grantee_made_is_kept_in_every_database(maker: World) -> None:
    world, second = maker, f"{maker.database} 2"
    try:
        grant = world.grant(world.unit("ADMIN"), world.unit("ADMIN", names=(second,)))
        report = world.apply(grant)
        assert held(report, grant)
        for database in (world.database, second):
            with world.sign_in(grant, report, database) as connection:
                connection.execute("CREATE TABLE precious AS SELECT 'mine' AS word")
                connection.execute("CREATE SCHEMA precious CREATE VIEW v AS SELECT 1 AS n")
                connection.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
                connection.execute("CREATE FUNCTION precious.g() RETURNS int LANGUAGE sql AS 'SELECT 2'")
                connection.execute("CREATE TYPE mood AS ENUM ('good')")
                connection.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")
        assert proven_gone(world.end(grant), grant)
        assert world.logins() == {grant.login}
        for database in (world.database, second):
            assert owner(world, "precious", database) == f"latchkey level=KEEPER database={database}"
        cleaned = world.clean_up(grant)
        assert proven_gone(cleaned, grant)
        assert not world.logins()
        for database in (world.database, second):
            assert world.sql("SELECT word FROM precious", on=database) == [("mine",)]
            assert world.sql("SELECT n FROM precious.v", on=database) == [(1,)]
            assert world.sql("SELECT f(), precious.g(), 'good'::mood", on=database) == [(1, 2, "good")]
        members = world.sql(
            f"SELECT roleid::regrole::text FROM pg_auth_members WHERE member = '{world.connector}'::regrole"
            f" AND grantor = '{world.connector}'::regrole"
        )
        assert members == []
    finally:
        world.sql("DROP DATABASE {} WITH (FORCE)", second, on="postgres")


def test_the_next_admin_goes_on_with_what_was_made(world: World) -> None:
    first = world.grant(world.unit("ADMIN"))
    report = world.apply(first)
    with world.sign_in(first, report) as connection:
        connection.execute("CREATE TABLE precious AS SELECT 'mine' AS word")
    second = world.grant(world.unit("ADMIN"))
    report = world.apply(second)
    with world.sign_in(second, report) as connection:
        connection.execute("ALTER TABLE precious ADD COLUMN more int")


def test_what_was_left_behind_opens_nothing(world: World) -> None:
    """Views and SECURITY DEFINER functions work with their owner's privileges, also for somebody who has none."""
    grant = world.grant(world.unit("ADMIN"))
    report = world.apply(grant)
    with world.sign_in(grant, report) as connection:
        connection.execute("CREATE VIEW peephole AS SELECT item FROM orders")
        connection.execute(
            "CREATE FUNCTION backdoor() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT item FROM public.orders'"
        )
        connection.execute("GRANT SELECT ON peephole TO PUBLIC")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "CREATE TRIGGER t BEFORE INSERT ON orders EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            )
    outsider = f"outsider_{world.database}"
    world.sql("CREATE ROLE {} LOGIN PASSWORD 'known'", outsider)
    with world.server.connect(world.database, user=outsider, password="known") as connection:
        assert connection.execute("SELECT backdoor()").fetchone() == ("first",)
        for step in (world.end, world.clean_up):
            assert proven_gone(step(grant), grant)
            for statement in ("SELECT * FROM peephole", "SELECT backdoor()"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
    world.sql("DROP ROLE {}", outsider)


def test_where_no_keeper_is_prepared_the_login_stays_shut(world: World) -> None:
    """A login that can make things in a database nobody prepared, by PUBLIC. The connector must never own them."""
    database = f"{world.database} open"
    world.sql("CREATE DATABASE {}", database, on="postgres")
    try:
        world.sql("GRANT CREATE ON SCHEMA public TO PUBLIC", on=database)
        grant = world.grant()
        report = world.apply(grant)
        with world.sign_in(grant, report, database) as connection:
            connection.execute("CREATE TABLE precious AS SELECT 'mine' AS word")
        ended = world.end(grant)
        assert proven_gone(ended, grant)
        assert "No keeper is prepared" in ended.grants[0].warnings[0]
        cleaned = world.clean_up(grant)
        assert outcomes(cleaned, grant) == [UnitOutcome.FAILED]
        assert not world.may_log_in(grant.login)
        world.server.prepare(database)
        assert proven_gone(world.clean_up(grant), grant)
        assert world.sql("SELECT word FROM precious", on=database) == [("mine",)]
    finally:
        world.sql("DROP DATABASE {} WITH (FORCE)", database, on="postgres")


def test_what_cannot_be_handed_over_keeps_the_login_shut_and_says_so(world: World) -> None:
    """The connector lost its way into a database in which the grantee made something."""
    grant = world.grant(world.unit("ADMIN"))
    report = world.apply(grant)
    with world.sign_in(grant, report) as connection:
        connection.execute("CREATE TABLE precious AS SELECT 'mine' AS word")
    world.sql("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", world.database, on="postgres")
    ended = world.end(grant)
    assert proven_gone(ended, grant)
    assert "could not be handed over" in ended.grants[0].warnings[0]
    cleaned = world.clean_up(grant)
    assert outcomes(cleaned, grant) == [UnitOutcome.FAILED]
    error = cleaned.grants[0].units[0].error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED
    assert any("it stays, shut" in warning for warning in cleaned.grants[0].warnings)
    assert world.logins() == {grant.login}
    assert not world.may_log_in(grant.login)
    world.sql("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", world.database, on="postgres")
    assert proven_gone(world.clean_up(grant), grant)
    assert world.sql("SELECT word FROM precious") == [("mine",)]


def test_clean_up_ends_what_is_still_open_first(world: World) -> None:
    grant = world.grant()
    report = world.apply(grant)
    with world.sign_in(grant, report):
        cleaned = world.clean_up(grant)
    assert cleaned.grants[0].sessions_ended == 1
    assert proven_gone(cleaned, grant)
    assert not world.logins()


def test_clean_up_twice_is_a_success(world: World) -> None:
    grant = world.grant()
    world.apply(grant)
    world.clean_up(grant)
    before = world.snapshot()
    assert proven_gone(world.clean_up(grant), grant)
    assert world.snapshot() == before


def test_clean_up_leaves_grants_in_force_and_foreign_logins_alone(world: World) -> None:
    kept, foreign = world.grant(), world.grant()
    world.apply(kept)
    world.sql("CREATE ROLE {} LOGIN", foreign.login)
    before = world.snapshot()
    report = world.do(Verb.CLEAN_UP, (kept,), ())
    assert held(report, kept)
    told = world.clean_up(foreign)
    assert "left alone" in told.grants[0].warnings[0]
    assert world.snapshot() == before


def test_a_server_is_as_it_was_after_everything(world: World) -> None:
    before = world.snapshot()
    grants = [world.grant(world.unit(level)) for level in ("READ_ONLY", "READ_WRITE", "ADMIN")]
    world.apply(*grants)
    assert world.snapshot() != before
    world.end(*grants)
    world.clean_up(*grants)
    assert world.snapshot() == before


def test_a_superuser_connector_does_all_of_it_too(new_server: PostgresServer) -> None:
    world = World(new_server, "shop", connector="postgres", password=new_server.password)
    world.create()
    world.server.prepare("shop", connector="postgres", optional=True)
    before = world.snapshot()
    grant = world.grant(world.unit("ADMIN"), world.table("orders", "READ_WRITE"), world.schema())
    report = world.apply(grant)
    assert held(report, grant)
    with world.sign_in(grant, report) as connection:
        connection.execute("CREATE TABLE precious AS SELECT 'mine' AS word")
        assert proven_gone(world.end(grant), grant)
    assert proven_gone(world.clean_up(grant), grant)
    world.sql("DROP TABLE precious")
    assert world.snapshot() == before
