"""Serves the product from a thread of the test's process, on the test's database: pages, files and web sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.servers import free_port

PATIENCE = 30


@contextmanager
def serving() -> Iterator[str]:
    """Serve until the block is left; yields the address, without a slash at its end."""
    port = free_port()
    config = uvicorn.Config(
        "config.asgi:application", port=port, lifespan="off", log_config=None, access_log=False, ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    tick = threading.Event()
    for _ in range(PATIENCE * 20):
        if server.started:
            break
        tick.wait(0.05)
    assert server.started, f"not serving after {PATIENCE} s"
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
