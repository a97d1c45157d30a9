"""A tap on the broker, the database, the wire and the logs: no secret is to be seen in any of them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from redis import Redis

from audit.actor import system
from integrations import actions
from integrations.models import Order
from tests import databases, servers
from tests.journeys.stack import wait_for
from tests.remote.world import World

CANARY = "c4n4ry-of-the-connector"
TYPED = "c4n4ry-that-was-typed"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis, which the server uses as broker of tasks and rings."""
    try:
        with servers.redis(tmp_path_factory.mktemp("redis")) as url:
            yield url
    except servers.NoServer as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module")
def further_settings(broker: str) -> dict[str, str]:
    """Have the server use it."""
    return {"LATCHKEY_REDIS_URL": broker}


@pytest.fixture
def monitored(broker: str) -> Iterator[bytearray]:
    """Everything that is said to the broker."""
    parts, heard = urlsplit(broker), bytearray()
    tap = socket.create_connection((parts.hostname or "", parts.port or 0))
    tap.sendall(b"MONITOR\r\n")

    def listen() -> None:
        with suppress(OSError):
            while piece := tap.recv(65536):
                heard.extend(piece)

    threading.Thread(target=listen, daemon=True).start()
    yield heard
    tap.close()


def whole_database(folder: Path) -> bytes:
    """Return every row of every table, and SQLite's files as they lie on the disk."""
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += [repr([bytes(one) if isinstance(one, memoryview) else one for one in row]) for row in cursor]
    files = b"" if databases.is_postgresql() else b"".join(one.read_bytes() for one in folder.glob("latchkey.sqlite3*"))
    return "\n".join(rows).encode() + files


@pytest.mark.parametrize("polling", [False, True], ids=["socket", "polling"])
def test_no_secret_is_seen_anywhere(world: World, monitored: bytearray, polling: bool) -> None:
    connector, token = world.connector()
    line = world.line()
    line.no_sockets = 501 if polling else 0
    worker = world.worker(token, line.url)
    story = world.story(connector, password=CANARY).synced()
    request = story.until(story.give("orders"), "active")
    (made,) = story.ledger.passwords()
    config = {"path": str(story.ledger.path)}
    tried = actions.try_connection(
        "ledger", config, {"password": TYPED}, connector=connector, actor=story.by(world.cast.admin)
    )
    assert tried.error is not None
    logs = world.stack.said() + worker.said()
    taps = {
        "database": whole_database(world.folder),
        "broker": bytes(monitored),
        "wire": bytes(line.heard),
        "logs": logs.encode(),
    }
    # Each tap really hears.
    assert story.integration.name.encode() in taps["database"]
    assert b"PUBLISH" in taps["broker"].upper() or b"ZADD" in taps["broker"].upper() or b"LPUSH" in taps["broker"]
    assert (b"sealed" in taps["wire"]) is polling
    assert b"Linked with" in taps["logs"]
    for name, heard in taps.items():
        for secret in (CANARY, TYPED, made, token if name != "wire" else CANARY):
            assert secret.encode() not in heard, f"{secret[:4]}… in the {name}"
    story.hand_back(request)
    story.until(request, "revoked")


def test_with_the_broker_gone_the_link_stays_and_orders_are_still_found(world: World, broker: str) -> None:
    connector, token = world.connector()
    worker = world.worker(token)
    story = world.story(connector).synced()
    with Redis.from_url(broker) as client:
        client.shutdown(nosave=True)
    order = actions.sync(story.integration, actor=system())
    wait_for("the sync, found at a beat", lambda: Order.objects.get(pk=order.pk).state == "done", 30)
    assert worker.said().count("Linked with") == 1
