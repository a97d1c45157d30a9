"""Interrupted at any statement, an order that is done again ends up where it would have been."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from connectors.contract.orders import Desired, Grant, Order, Verb
from tests.connectors.world import Interrupted, World, ending, held, interrupted, proven_gone

SAMPLE = 4


@dataclass
class Story:
    """A situation, made anew for every crash point, and the order that is interrupted in it."""

    world: World
    grant: Grant
    order: Order
    prove: Callable[[], bool]

    def after(self) -> list[str]:
        """Return the catalogs with this story's own names taken out; of a password only whether there is one."""
        lines = self.world.snapshot(rename={self.grant.login: "LOGIN", self.grant.grant_id: "GRANT"})
        salted = "SCRAM-SHA-256$"
        return [line if salted not in line else line[: line.index(salted)] + "…" for line in lines if "LOGIN" in line]


def giving(world: World) -> Story:
    """A grant of everything there is."""
    grant = Grant(*_parts(world), world.grant().ends_at // 1e6 * 1e6 + 2e6, True)
    order = world.order(Verb.APPLY, Desired(world.person, (grant,)))
    return Story(world, grant, order, lambda: held(world.apply(grant), grant))


def taking(world: World) -> Story:
    """The end of a grant whose holder is connected and has made something."""
    grant = _used(world)
    order = world.order(Verb.APPLY, Desired(world.person, (), (ending(grant),)))
    return Story(world, grant, order, lambda: proven_gone(world.end(grant), grant))


def cleaning(world: World) -> Story:
    """The clean-up after one."""
    grant = _used(world)
    order = world.order(Verb.CLEAN_UP, Desired(world.person, (), (ending(grant),)))
    return Story(world, grant, order, lambda: proven_gone(world.clean_up(grant), grant))


def _parts(world: World) -> tuple[str, str, tuple]:
    grant = world.grant(world.unit("ADMIN"), world.table("orders", "READ_WRITE"), world.schema())
    return grant.grant_id, grant.login, grant.units


def _used(world: World) -> Grant:
    grant = world.grant(world.unit("ADMIN"), world.table("orders", "READ_WRITE"), world.schema())
    report = world.apply(grant)
    connection = world.sign_in(grant, report)
    connection.execute(f"CREATE TABLE precious_{grant.grant_id.replace('-', '_')} AS SELECT 1")
    return grant


def points(story: Callable[[World], Story], world: World, full: bool) -> tuple[list[str], list[int]]:
    """Return the right final state, and the statements at which to interrupt."""
    told = story(world)
    counter = Interrupted(10**9)
    assert interrupted(told.order, counter) is not None
    assert told.prove()
    numbers = list(range(1, counter.asked + 1))
    seed = random.randrange(10**6)
    print(f"crash points: {counter.asked}, seed {seed}")
    return told.after(), numbers if full else sorted(random.Random(seed).sample(numbers, SAMPLE))


def walk(world: World, story: Callable[[World], Story], *, full: bool) -> None:
    """Interrupt at each point, do the order again, compare."""
    expected, numbers = points(story, world, full)
    for number in numbers:
        told = story(world)
        lease = Interrupted(number)
        assert interrupted(told.order, lease) is None, f"statement {number} was never reached"
        assert told.prove(), f"interrupted at statement {number}"
        assert told.after() == expected, f"interrupted at statement {number}"
        world.clean_up(told.grant)
        assert world.sql("SELECT count(*) FROM orders") == [(1,)]
        assert connector_memberships(world) == []


def connector_memberships(world: World) -> list[tuple]:
    """Return what the connector has made itself a member of."""
    return world.sql(
        "SELECT roleid::regrole::text FROM pg_auth_members"
        f" WHERE member = grantor AND member = '{world.connector}'::regrole"
    )


@pytest.mark.parametrize("story", [giving, taking, cleaning])
def test_any_statement_may_be_the_last_of_a_lease(open_world: World, story: Callable[[World], Story]) -> None:
    walk(open_world, story, full=False)


@pytest.mark.full
@pytest.mark.parametrize("story", [giving, taking, cleaning])
def test_every_statement_may_be_the_last_of_a_lease(open_world: World, story: Callable[[World], Story]) -> None:
    walk(open_world, story, full=True)


def test_nothing_is_sent_once_the_lease_is_lost(world: World) -> None:
    """The lease is asked before every statement; when it says no, the statement is not in the server's log."""
    counter = Interrupted(10**9)
    grant = world.grant()
    order = world.order(Verb.APPLY, Desired(world.person, (grant,)))
    assert interrupted(order, counter) is not None
    for number in range(1, counter.asked + 1, 3):
        grant = world.grant()
        order = world.order(Verb.APPLY, Desired(world.person, (grant,)))
        before = statements(world)
        lease = Interrupted(number)
        assert interrupted(order, lease) is None
        # One question comes before connecting; BEGIN, COMMIT and ROLLBACK are the driver's.
        assert statements(world) - before <= number - 1


def statements(world: World) -> int:
    """Return how many statements of the connector the server has logged."""
    text = world.server.log.read_text()
    lines = [line for line in text.splitlines() if "LOG:  statement: " in line]
    return len([line for line in lines if not line.endswith(("BEGIN", "COMMIT", "ROLLBACK"))])
