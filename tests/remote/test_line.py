"""What a line can do to a link: it breaks, falls silent, is slow, lets no web socket through."""

from __future__ import annotations

import signal

import pytest

from integrations.models import ConnectorInstance, Order
from tests.journeys.stack import wait_for
from tests.remote.world import World, alive, holds


def seen(connector, transport: str = "websocket") -> bool:
    """Whether an instance of the connector is alive over this transport."""
    return ConnectorInstance.objects.filter(connector=connector, transport=transport, stopped_at=None).exists()


def test_a_line_that_breaks_in_the_middle_of_an_order_costs_nothing(world: World) -> None:
    connector, token = world.connector()
    line = world.line()
    worker = world.worker(token, line.url)
    story = world.story(connector).synced()
    story.ledger.pace(0.3)
    request = story.give("orders")
    wait_for("the first statement", lambda: any(row[3] == "apply" for row in story.ledger.journal()))
    line.cut()
    story.until(request, "active")
    story.ledger.pace(0)
    # The order was done once: its report went over the next link, under the same lease.
    assert {row[2] for row in story.ledger.journal() if row[3] == "apply"} == {1}
    worker.wait_for("Linked with", times=2)


@pytest.mark.full
def test_a_line_that_is_cut_again_and_again_loses_and_doubles_nothing(world: World, rng) -> None:
    connector, token = world.connector()
    line = world.line()
    world.worker(token, line.url)
    story = world.story(connector).synced()
    requests = []
    for _ in range(4):
        requests.append(story.give(rng.choice(["orders", "stock"])))
        holds(lambda: True, rng.uniform(0.0, 0.8))
        line.cut()
    for request in requests:
        story.until(request, "active", 90)
    assert len(story.ledger.held()) == 4
    for request in requests:
        story.hand_back(request)
        line.cut()
    for request in requests:
        story.until(request, "revoked", 90)
    assert story.ledger.held() == []


def test_a_half_open_line_is_noticed_by_both_sides(world: World) -> None:
    connector, token = world.connector()
    line = world.line()
    worker = world.worker(token, line.url)
    story = world.story(connector).synced()
    line.swallow = True
    request = story.give("orders")
    worker.wait_for("nothing was heard for", 15)
    line.swallow = False
    story.until(request, "active")
    assert len(story.ledger.held()) == 1


@pytest.mark.full
def test_a_slow_line_works(world: World) -> None:
    connector, token = world.connector()
    line = world.line()
    line.delay = 0.3
    world.worker(token, line.url)
    story = world.story(connector).synced()
    story.until(story.give("orders"), "active")


def test_the_server_may_restart_in_the_middle_of_an_order(world: World) -> None:
    connector, token = world.connector()
    worker = world.worker(token)
    story = world.story(connector).synced()
    story.ledger.pace(0.2)
    request = story.give("orders")
    wait_for("the first statement", lambda: any(row[3] == "apply" for row in story.ledger.journal()))
    world.stack.kill()
    world.stack.start()
    world.stack.wait_until_ready()
    story.until(request, "active", 90)
    story.ledger.pace(0)
    worker.wait_for("Linked with", times=2)
    story.hand_back(request)
    story.until(request, "revoked")
    assert story.ledger.held() == []


@pytest.mark.parametrize("status", [403, pytest.param(501, marks=pytest.mark.full)])
def test_where_web_sockets_are_blocked_it_polls(world: World, status: int) -> None:
    connector, token = world.connector()
    line = world.line()
    line.no_sockets = status
    worker = world.worker(token, line.url, LATCHKEY_CONNECTOR_WEBSOCKET_SECONDS="4")
    story = world.story(connector).synced()
    assert seen(connector, "poll")
    request = story.until(story.give("orders"), "active")
    # Later they are let through, and it goes back to one.
    line.no_sockets = 0
    worker.wait_for("over a web socket", 30)
    story.hand_back(request)
    story.until(request, "revoked")
    assert seen(connector, "websocket")
    assert story.ledger.held() == []


@pytest.mark.full
def test_polling_survives_a_line_that_breaks(world: World) -> None:
    connector, token = world.connector()
    line = world.line()
    line.no_sockets = 501
    world.worker(token, line.url)
    story = world.story(connector).synced()
    requests = []
    for _ in range(3):
        requests.append(story.give("orders"))
        holds(lambda: True, 0.5)
        line.cut()
    for request in requests:
        story.until(request, "active", 90)
    assert len(story.ledger.held()) == 3


def test_an_order_that_is_not_wanted_any_more_stops_before_its_next_statement(world: World) -> None:
    connector, token = world.connector()
    world.worker(token)
    story = world.story(connector).synced()
    story.ledger.shut()
    request = story.give("orders")
    mine = Order.objects.filter(integration=story.integration, verb="apply")
    wait_for("the lease", lambda: mine.filter(state="leased").exists())
    other = story.give("stock")
    wait_for("the newer order", lambda: mine.filter(state="superseded").exists())
    # It is told at once or, by whoever cannot be rung, at the next beat.
    holds(lambda: True, 1.5)
    story.ledger.open()
    story.until(request, "active")
    story.until(other, "active")
    assert len({row[2:3] + row[1:2] for row in story.ledger.journal() if row[3] == "apply"}) == 1
    assert {name for _, name in story.ledger.held()} == {"orders", "stock"}


def test_a_worker_that_is_told_to_stop_reports_what_it_has_begun(world: World) -> None:
    connector, token = world.connector()
    worker = world.worker(token)
    story = world.story(connector).synced()
    story.ledger.pace(0.4)
    request = story.give("orders")
    wait_for("the first statement", lambda: any(row[3] == "apply" for row in story.ledger.journal()))
    worker.send(signal.SIGTERM)
    assert worker.process.wait(20) == 0
    story.ledger.pace(0)
    story.until(request, "active")
    assert {row[2] for row in story.ledger.journal() if row[3] == "apply"} == {1}
    assert alive(connector) == 0
