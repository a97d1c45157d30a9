"""Draining at a real server: shut for everybody new, left alone for who is in, whatever interrupts it."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import psycopg
import pytest

from connectors.contract.orders import Desired, Grant, Order, Verb
from tests.connectors.world import Interrupted, World, ending, interrupted, proven_gone

SAMPLE = 4


def drain(world: World, grant: Grant, *holds: Grant) -> Order:
    """Return the order that drains a grant."""
    gone = replace(ending(grant), drain_until=time.time() + 600)
    return world.order(Verb.APPLY, Desired(world.person, holds, (gone,)))


def test_any_statement_of_a_drain_may_be_the_last_of_a_lease(
    open_world: World, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    world = open_world
    grant = world.grant(world.unit("ADMIN"), world.table("orders", "READ_WRITE"))
    report = world.apply(grant)
    counter = Interrupted(10**9)
    with world.sign_in(grant, report) as at_work:
        at_work.autocommit = True
        outcome = interrupted(drain(world, grant), counter)
        assert outcome is not None
        assert outcome.grants[0].sessions_left == 1
        numbers = range(1, counter.asked + 1)
        for number in numbers if request.config.getoption("--full") else sorted(rng.sample(numbers, SAMPLE)):
            again = world.apply(replace(grant, wants_credentials=True))
            assert interrupted(drain(world, grant), Interrupted(number)) is None
            told = interrupted(drain(world, grant), Interrupted(10**9))
            assert told is not None
            assert told.grants[0].sessions_left == 1, f"interrupted at {number}"
            assert at_work.execute("SELECT count(*) FROM orders").fetchone() == (1,)
            with pytest.raises(psycopg.OperationalError):
                world.sign_in(grant, again)
        assert proven_gone(world.end(grant), grant)
        with pytest.raises(psycopg.OperationalError):
            at_work.execute("SELECT 1")
    world.clean_up(grant)


def test_a_login_that_cannot_be_shut_does_not_drain(open_world: World) -> None:
    """Somebody else's login is not ours to shut; what the report says is read from the target."""
    world = open_world
    grant = world.grant()
    report = world.apply(grant)
    world.sql(f"COMMENT ON ROLE \"{grant.login}\" IS 'somebody else'", on="postgres")
    with world.sign_in(grant, report):
        told = interrupted(drain(world, grant), Interrupted(10**9))
        assert told is not None
        assert told.grants[0].sessions_left == 0
        assert "left alone" in told.grants[0].warnings[0]
    world.sql(f'DROP OWNED BY "{grant.login}"')
    world.sql(f'DROP ROLE "{grant.login}"', on="postgres")
