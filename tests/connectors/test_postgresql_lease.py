"""A connector that stops between its last look at the lease and its statement: the server has ended its session."""

from __future__ import annotations

import time

import psycopg
import pytest

from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.toolkit.sql import Server, Sessions
from tests.targets import CONNECTOR, PostgresServer


def sessions(server: PostgresServer, left: list[float]) -> Sessions:
    """Return sessions under a lease of which so much is left as the test says, and which nobody watches."""
    run = Run(alive=lambda: None, seal=lambda details, grant_id="": "", remaining=lambda: left[0])
    made = Sessions(Server(server.host, server.port, CONNECTOR, Secret("connector-secret"), "disable"), run)
    made._guard.start = lambda: None  # type: ignore[method-assign]  # a stopped process cuts no line either
    return made


@pytest.mark.target
def test_a_session_that_falls_silent_ends_within_the_lease(server: PostgresServer) -> None:
    with sessions(server, [2.0]) as opened:
        session = opened.on("postgres")
        time.sleep(2.0)
        with pytest.raises(psycopg.Error):
            session._connection.execute("SELECT 1")


@pytest.mark.target
def test_so_does_one_in_a_transaction(server: PostgresServer) -> None:
    with sessions(server, [2.0]) as opened:
        session = opened.on("postgres")
        with pytest.raises(psycopg.Error), session._connection.transaction():
            session._connection.execute("CREATE TEMPORARY TABLE t ()")
            time.sleep(2.0)
            session._connection.execute("SELECT 1")


@pytest.mark.target
def test_with_less_left_there_is_less_time_to_be_silent(server: PostgresServer) -> None:
    left = [60.0]
    with sessions(server, left) as opened:
        session = opened.on("postgres")
        left[0] = 2.0
        session._ready()
        time.sleep(2.0)
        with pytest.raises(psycopg.Error):
            session._connection.execute("SELECT 1")
