"""What a person had before us, or has beside us, is recorded and never touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.contract.orders import Found, Person
from tests.connectors.world import World, held, proven_gone


@pytest.fixture
def standing(world: World) -> World:
    """A person with a login of her own, on each version."""
    return somebody(world)


@pytest.fixture
def one_standing(one_world: World) -> World:
    """A person with a login of her own, on one version."""
    return somebody(one_world)


def somebody(world: World) -> World:
    """Make a login of her own: a member of the same role that a grant gives, by somebody else's hand."""
    login = f"lovelace_{world.database}"
    world.sql("CREATE ROLE {} LOGIN PASSWORD 'her own'", login)
    (role,) = world.sql(
        "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = "
        f"'latchkey level=READ_ONLY database={world.database}'"
    )[0]
    world.sql("GRANT {} TO {}", role, login)
    world.sql("GRANT SELECT, INSERT ON orders TO {}", login)
    return replace(world, person=Person(f"p-{login}", "Ada Lovelace", aliases=(f"{login.upper()}@example.org",)))


def expected(world: World) -> set[Found]:
    """Return what is standing."""
    login = f"lovelace_{world.database}"
    return {
        Found(world.unit("READ_ONLY"), login),
        Found(world.table("orders", "READ_WRITE"), login),
    }


def test_standing_access_is_recorded_and_survives_grant_end_and_clean_up(standing: World) -> None:
    world = standing
    before = [line for line in world.snapshot() if "lovelace" in line]
    assert len(before) >= 3
    grant = world.grant(world.unit("READ_ONLY"))
    given = world.apply(grant)
    assert held(given, grant)
    ended = world.end(grant)
    assert proven_gone(ended, grant)
    cleaned = world.clean_up(grant)
    for report in (given, ended, cleaned, world.read_back()):
        assert report.read_back is not None
        assert set(report.read_back.standing) == expected(world)
    assert [line for line in world.snapshot() if "lovelace" in line] == before
    world.server.connect(world.database, user=f"lovelace_{world.database}", password="her own").close()


def test_a_session_of_her_own_login_is_not_cut(standing: World) -> None:
    world = standing
    grant = world.grant()
    report = world.apply(grant)
    with world.server.connect(world.database, user=f"lovelace_{world.database}", password="her own") as own:
        world.sign_in(grant, report).close()
        ended = world.end(grant)
        assert ended.read_back is not None
        assert ended.read_back.live_sessions == 0
        own.execute("SELECT * FROM orders")


@pytest.mark.parametrize("name", ["lovelace_{db}", "lovelace_{db}@example.org", "LOVELACE_{db}", "Lovelace_{db}@x.y"])
def test_the_persons_login_is_known_by_name_and_by_what_is_before_the_at(one_standing: World, name: str) -> None:
    world = replace(one_standing, person=Person("p-other", name.format(db=one_standing.database)))
    report = world.read_back()
    assert report.read_back is not None
    assert set(report.read_back.standing) == expected(world)


@pytest.mark.parametrize("name", ["lovelace", "love%", "", "lovelace_{db}2", "@lovelace_{db}"])
def test_other_names_are_other_people(one_standing: World, name: str) -> None:
    world = replace(one_standing, person=Person("p-other", name.format(db=one_standing.database)))
    report = world.read_back()
    assert report.read_back is not None
    assert report.read_back.standing == ()


def test_a_login_that_we_made_is_never_standing(world: World) -> None:
    grant = world.grant(login="mirror")
    named = replace(world, person=Person("p-mirror", "mirror"))
    report = named.apply(grant)
    assert held(report, grant)
    assert report.read_back is not None
    assert report.read_back.standing == ()
    named.clean_up(grant)


def test_many_standing_tables_are_reported_as_their_schema(world: World) -> None:
    login = f"wide_{world.database}"
    world.sql("CREATE ROLE {}", login)
    world.sql("CREATE SCHEMA wide")
    world.sql("SELECT 1; " + "".join(f"CREATE TABLE wide.t{n} ();" for n in range(101)))
    world.sql("GRANT SELECT ON ALL TABLES IN SCHEMA wide TO {}", login)
    report = replace(world, person=Person("p-wide", login)).read_back()
    assert report.read_back is not None
    assert report.read_back.standing == (Found(world.schema("wide"), login),)
