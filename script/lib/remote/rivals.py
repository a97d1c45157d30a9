"""What cannot be done without, measured by itself in the same run: claiming rows, and a message there and back."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from websockets.asyncio.server import ServerConnection, serve
from websockets.sync.client import connect

from tests import databases

TABLE = """
CREATE TABLE raw_orders (id uuid PRIMARY KEY, state text NOT NULL, due timestamptz NOT NULL, desired jsonb NOT NULL);
CREATE INDEX ON raw_orders (due) WHERE state = 'queued';
"""
CLAIM = """
UPDATE raw_orders SET state = 'leased' WHERE id = (
    SELECT id FROM raw_orders WHERE state = 'queued' AND due <= now() ORDER BY due FOR UPDATE SKIP LOCKED LIMIT 1
) RETURNING id
"""


def claims(rows: int) -> float:
    """Return how many rows a second one connection claims and settles, each in a transaction of its own."""
    with psycopg.connect(databases.current_url(), autocommit=True) as database:
        database.execute("DROP TABLE IF EXISTS raw_orders")
        database.execute(TABLE)
        with database.cursor() as cursor:
            made = [(uuid.uuid4(), '{"holds": []}') for _ in range(rows)]
            cursor.executemany("INSERT INTO raw_orders VALUES (%s, 'queued', now(), %s)", made)
        began = time.perf_counter()
        while row := database.execute(CLAIM).fetchone():
            database.execute("UPDATE raw_orders SET state = 'done' WHERE id = %s", row)
        taken = time.perf_counter() - began
        database.execute("DROP TABLE raw_orders")
    return rows / taken


def round_trip(text: str, rounds: int) -> float:
    """Return the seconds, in the median, that a text takes to a web socket that says it back."""
    taken = []
    with _echoing() as port, connect(f"ws://127.0.0.1:{port}", proxy=None) as socket:
        for _ in range(rounds):
            began = time.perf_counter()
            socket.send(text)
            socket.recv()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


@contextmanager
def _echoing() -> Iterator[int]:
    """Run a server that says back what it hears, on a loop in a thread of its own, and yield its port."""
    loop, ports, over = asyncio.new_event_loop(), list[int](), asyncio.Event()
    ready = threading.Event()

    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    async def stay() -> None:
        async with serve(echo, "127.0.0.1", 0) as server:
            ports.append(next(iter(server.sockets)).getsockname()[1])
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(stay(),))
    thread.start()
    ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
