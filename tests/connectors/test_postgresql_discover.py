"""What there is to ask for, and why some of it cannot be had."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from connectors.contract.orders import Page, Verb
from connectors.runners.local import run
from tests.connectors.world import World


def test_a_prepared_database_offers_every_level(world: World) -> None:
    fact = world.discover()["database", world.unit().resource]
    assert (fact.name, fact.path, fact.refusals) == (world.database, world.database, {})
    assert fact.context["owner"] == "postgres"


def test_a_database_without_prepared_roles_is_shown_with_the_reason(world: World) -> None:
    fact = world.discover()["database", '["postgres"]']
    assert set(fact.refusals) == {"READ_ONLY", "READ_WRITE", "ADMIN"}
    assert "setup/2_database.sql" in fact.refusals["ADMIN"]


def test_schemas_and_tables_come_only_when_they_are_chosen(world: World) -> None:
    assert {kind for kind, _ in world.discover()} == {"database", "role"}
    assert {kind for kind, _ in world.discover("table")} == {"table"}


def test_without_the_optional_setup_schemas_and_tables_are_refused(world: World) -> None:
    facts = world.discover("schema", "table")
    for unit in (world.schema(), world.table()):
        refusals = facts[unit.resource_type, unit.resource].refusals
        assert set(refusals) == {"READ_ONLY", "READ_WRITE"}
        assert "3_optional" in refusals["READ_ONLY"]


def test_with_the_optional_setup_they_are_not(open_world: World) -> None:
    world = open_world
    world.sql("CREATE VIEW seen AS SELECT 1 AS n")
    world.sql("CREATE TABLE parted (n int) PARTITION BY LIST (n)")
    facts = world.discover("schema", "table")
    assert facts["schema", world.schema().resource].refusals == {}
    assert facts["table", world.table().resource].refusals == {}
    assert facts["table", world.table("parted").resource].context["kind"] == "partitioned table"
    assert facts["table", world.table("seen").resource].refusals == {"READ_WRITE": "It is a view."}
    assert not [key for key in facts if "pg_catalog" in key[1] or "information_schema" in key[1]]


def test_dangerous_roles_our_own_and_those_of_grants_are_not_offered(world: World) -> None:
    suffix = world.database
    made = [f"{name}_{suffix}" for name in ("free", "unheld", "leads", "leads_on", "maker")]
    for name in made:
        world.sql("CREATE ROLE {}", name)
    world.sql("ALTER ROLE {} CREATEROLE", f"maker_{suffix}")
    world.sql("GRANT pg_read_server_files TO {}", f"leads_{suffix}")
    world.sql("GRANT {} TO {}", f"leads_{suffix}", f"leads_on_{suffix}")
    for name in ("free", "leads", "leads_on", "maker"):
        world.sql("GRANT {} TO {} WITH ADMIN OPTION", f"{name}_{suffix}", world.connector)
    grant = world.grant()
    world.apply(grant)
    try:
        facts = {key[1][2:-2]: fact.refusals for key, fact in world.discover("role").items()}
        assert facts[f"free_{suffix}"] == {}
        assert "WITH ADMIN OPTION" in facts[f"unheld_{suffix}"]["MEMBER"]
        for name in ("leads", "leads_on"):
            assert "pg_read_server_files" in facts[f"{name}_{suffix}"]["MEMBER"]
        assert facts[f"maker_{suffix}"]["MEMBER"]
        assert facts["postgres"]["MEMBER"]
        assert not {world.connector, grant.login} & facts.keys()
        assert not [name for name in facts if name.startswith(("latchkey_", "pg_write", "pg_read_server", "pg_exec"))]
    finally:
        for name in made:
            world.sql("DROP ROLE {}", name)


def test_a_database_that_we_may_not_enter_says_so(one_world: World) -> None:
    world = one_world
    world.sql("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", world.database)
    world.server.prepare(world.database)
    world.sql("REVOKE CONNECT ON DATABASE {} FROM {}", world.database, world.connector)
    facts = world.discover("database", "table")
    assert "may not connect" in facts["database", world.unit().resource].context["note"]
    assert ("table", world.table().resource) not in facts


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pages_hold_no_more_than_asked(one_world: World, size: int) -> None:
    world = one_world
    pages: list[Page] = []
    report = run(
        world.order(Verb.DISCOVER, page_size=size, resource_types=("database", "schema", "table", "role")),
        on_page=pages.append,
    )
    assert report.error is None
    assert max(len(page.resources) for page in pages) <= size
    assert report.found == sum(len(page.resources) for page in pages) > 5
    assert {kind.resource_type for kind in report.resource_types} == {"database", "schema", "table", "role"}


def stream(world: World, tables: int, size: int) -> tuple[int, int]:
    """Discover that many tables; return how many came and the peak of memory in bytes."""
    world.sql("CREATE SCHEMA wide")
    for start in range(0, tables, 1000):
        world.sql("SELECT 1; " + "".join(f"CREATE TABLE wide.t{start + n} ();" for n in range(1000)))
    found = 0

    def count(page: Page) -> None:
        nonlocal found
        found += len(page.resources)

    tracemalloc.start()
    report = run(world.order(Verb.DISCOVER, resource_types=("table",), page_size=size), on_page=count)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.error is None, report.error
    return found, peak


def test_tables_stream_in_constant_memory(one_world: World) -> None:
    """Not even one copy of all names is held: 3,000 tables of some 500 bytes each would be 1.5 MB and more."""
    found, peak = stream(one_world, 3000, 100)
    assert found > 3000
    assert peak < 1_200_000


@pytest.mark.full
def test_a_hundred_thousand_tables_stream_in_constant_memory(one_world: World) -> None:
    found, peak = stream(one_world, 100_000, 5000)
    assert found > 100_000
    assert peak < 30_000_000


def test_the_lease_is_asked_between_pages(one_world: World, tmp_path: Path) -> None:
    world = one_world
    seconds = [0.0]

    def slow(page: Page) -> None:
        seconds[0] += 30

    order = world.order(Verb.DISCOVER, resource_types=("table", "role"), page_size=2)
    report = run(order, on_page=slow, monotonic=lambda: seconds[0])
    assert report.error is not None
    assert report.error.kind.value == "lease_lost"
    assert report.found <= 6
