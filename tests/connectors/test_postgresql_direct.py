"""Schemas and tables: granted directly, and only where the optional part of the set-up ran."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import UnitOutcome
from tests.connectors.world import World, held, outcomes, proven_gone

ODD = [
    'say "hi"',
    "o'brien",
    "a b",
    "Müller",
    "ü" * 31 + "x",
    "{x}",
    "%s",
    "semi;colon",
    "back\\slash",
    "a.b",
    ":'x'",
    "$$",
]


def test_a_table_to_read(open_world: World) -> None:
    world = open_world
    world.sql("CREATE TABLE other AS SELECT 1")
    grant = world.grant(world.table())
    report = world.apply(grant)
    assert held(report, grant)
    with world.sign_in(grant, report) as connection:
        connection.execute("SELECT * FROM orders")
        for statement in ("INSERT INTO orders (item) VALUES ('x')", "SELECT * FROM other"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    assert proven_gone(world.end(grant), grant)
    assert not [line for line in world.snapshot() if grant.login in line and "'class'" in line]


def test_a_table_to_write_comes_with_the_sequence_of_its_key(open_world: World) -> None:
    world = open_world
    grant = world.grant(world.table("orders", "READ_WRITE"))
    report = world.apply(grant)
    assert held(report, grant)
    with world.sign_in(grant, report) as connection:
        connection.execute("INSERT INTO orders (item) VALUES ('x')")
        connection.execute("UPDATE orders SET item = 'y'")
        connection.execute("DELETE FROM orders")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("TRUNCATE orders")
    assert proven_gone(world.end(grant), grant)
    assert not [line for line in world.snapshot() if grant.login in line and "'class'" in line]


def test_a_schema_covers_what_is_in_it_and_a_later_run_what_came_since(open_world: World) -> None:
    world = open_world
    grant = world.grant(world.schema("public", "READ_WRITE"))
    report = world.apply(grant)
    assert held(report, grant)
    world.sql("CREATE TABLE later (id serial)")
    grant = replace(grant, wants_credentials=False)
    with world.sign_in(grant, report) as connection:
        connection.execute("INSERT INTO orders (item) VALUES ('x')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM later")
        assert held(world.read_back(grant), grant)
        assert held(world.apply(grant), grant)
        connection.execute("INSERT INTO later DEFAULT VALUES")
    assert proven_gone(world.end(grant), grant)
    assert not [line for line in world.snapshot() if grant.login in line and ("'class'" in line or "'schema'" in line)]


def test_an_empty_schema_can_be_granted(open_world: World) -> None:
    world = open_world
    world.sql("CREATE SCHEMA empty")
    world.server.prepare(world.database, optional=True)
    grant = world.grant(world.schema("empty"))
    assert held(world.apply(grant), grant)
    assert proven_gone(world.end(grant), grant)


def test_a_schema_of_many_tables_is_taken_in_few_statements(open_world: World) -> None:
    world = open_world
    world.sql("CREATE SCHEMA many")
    world.sql("SELECT 1; " + "".join(f"CREATE TABLE many.t{n} (id serial);" for n in range(60)))
    world.server.prepare(world.database, optional=True)
    grant = world.grant(world.schema("many", "READ_WRITE"))
    assert held(world.apply(grant), grant)
    ended = world.end(grant)
    assert proven_gone(ended, grant)
    assert "revoke_table" not in {function.name for function in ended.functions}
    assert not [line for line in world.snapshot() if grant.login in line and "'class'" in line]


def test_a_schema_of_many_tables_of_which_one_is_closed_to_us_is_taken_one_by_one(open_world: World) -> None:
    world = open_world
    world.sql("CREATE SCHEMA many")
    world.sql("SELECT 1; " + "".join(f"CREATE TABLE many.t{n} ();" for n in range(30)))
    world.server.prepare(world.database, optional=True)
    grant = world.grant(world.schema("many"))
    assert held(world.apply(grant), grant)
    world.sql("CREATE TABLE many.closed ()")
    world.sql("REVOKE ALL ON many.closed FROM {}", world.connector)
    ended = world.end(grant)
    assert proven_gone(ended, grant)
    if world.server.version >= 16:  # up to 15 the connector has what it hands out, so the table is not closed to it
        assert "revoke_table" in {function.name for function in ended.functions}
    assert not [line for line in world.snapshot() if grant.login in line and "'class'" in line]


def test_without_the_optional_setup_a_table_is_not_permitted_and_nothing_is_left(world: World) -> None:
    grant = world.grant(world.table())
    report = world.apply(grant)
    assert outcomes(report, grant) == [UnitOutcome.FAILED]
    error = report.grants[0].units[0].error
    assert error is not None
    assert error.kind is ErrorKind.NOT_PERMITTED
    assert "GRANT OPTION" in error.message
    assert report.read_back is not None
    assert not report.read_back.ours
    assert not world.may_log_in(grant.login)
    assert report.grants[0].sealed_credentials == ""


def test_a_warning_that_nothing_was_granted_is_a_failure(world: World) -> None:
    """CONNECT through PUBLIC and a plain SELECT: the server takes the GRANT, warns, and grants nothing."""
    world.sql("GRANT USAGE ON SCHEMA public TO {}", world.connector)
    world.sql("GRANT CONNECT ON DATABASE {} TO {} WITH GRANT OPTION", world.database, world.connector)
    world.sql("GRANT SELECT ON orders TO {}", world.connector)
    grant = world.grant(world.unit(), world.table())
    report = world.apply(grant)
    assert outcomes(report, grant) == [UnitOutcome.HELD, UnitOutcome.FAILED]
    error = report.grants[0].units[1].error
    assert error is not None
    assert error.kind is ErrorKind.NOT_PERMITTED
    assert "No privileges were granted" in error.message


def test_a_schema_of_which_one_table_is_closed_is_refused_whole(open_world: World) -> None:
    world = open_world
    world.sql("CREATE TABLE closed AS SELECT 1")
    world.sql("REVOKE ALL ON closed FROM {}", world.connector)
    assert "1 of what is in it" in world.discover("schema")["schema", world.schema().resource].refusals["READ_ONLY"]
    grant = world.grant(world.schema())
    report = world.apply(grant)
    assert outcomes(report, grant) == [UnitOutcome.FAILED]
    assert not [line for line in world.snapshot() if grant.login in line and "'class'" in line]


def test_any_name_survives_the_whole_way(open_world: World) -> None:
    world = open_world
    for name in ODD:
        world.sql("CREATE SCHEMA {}", name)
        world.sql("CREATE TABLE {}.{} (id serial, n int)", name, name)
    world.server.prepare(world.database, optional=True)
    facts = world.discover("schema", "table")
    units = []
    for name in ODD:
        schema, table = world.schema(name, "READ_WRITE"), world.table(name, "READ_WRITE", schema=name)
        assert facts["schema", schema.resource].refusals == {}
        assert facts["table", table.resource].refusals == {}
        assert facts["table", table.resource].path == f"{world.database}/{name}/{name}"
        units += [schema if len(units) % 2 else table]
    grant = world.grant(*units)
    report = world.apply(grant)
    assert held(report, grant)
    with world.sign_in(grant, report) as connection:
        for name in ODD:
            insert = psycopg.sql.SQL("INSERT INTO {0}.{0} (n) VALUES (1)").format(psycopg.sql.Identifier(name))
            connection.execute(insert)
    assert proven_gone(world.end(grant), grant)
    assert proven_gone(world.clean_up(grant), grant)


def test_something_given_by_others_on_our_login_keeps_the_end_open_until_they_take_it(world: World) -> None:
    grant = world.grant()
    world.apply(grant)
    world.sql("CREATE TABLE theirs AS SELECT 1 AS a, 2 AS b")
    world.sql("GRANT SELECT ON theirs TO {}", grant.login)
    ended = world.end(grant)
    assert ended.read_back is not None
    assert [entry.unit for entry in ended.read_back.ours] == [world.table("theirs")]
    assert not world.may_log_in(grant.login)
    assert ended.grants[0].warnings
    world.sql("REVOKE SELECT ON theirs FROM {}", grant.login)
    assert proven_gone(world.end(grant), grant)


def test_what_is_no_table_is_seen_too(world: World) -> None:
    grant = world.grant()
    world.apply(grant)
    world.sql("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    world.sql("GRANT EXECUTE ON FUNCTION f() TO {}", grant.login)
    world.sql("GRANT SELECT (item) ON orders TO {}", grant.login)
    ended = world.end(grant)
    assert ended.read_back is not None
    left = {entry.unit.resource for entry in ended.read_back.ours}
    assert len(left) == 2
    assert any("function" in name for name in left)
    assert any("column item" in name for name in left)
