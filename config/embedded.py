"""Web server, Celery worker and beat in one process: what `script/up` runs.

The server has the main thread, worker and beat have one each, tasks have a pool of threads. No process is forked.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from celery import Celery
from celery.beat import EmbeddedService
from celery.worker import WorkController, state
from channels.layers import get_channel_layer
from django.conf import settings

from config import tasks
from config.celery import app
from config.doorbell import EmbeddedChannelLayer

log = logging.getLogger(__name__)
# More than the orders that may run at once (config/timetable.py), so that the sweeps always find a thread.
TASK_THREADS = 16
# How long requests and tasks that are under way may take to finish once the process was asked to stop.
GRACE_SECONDS = 30
# The longest message of all sockets, those of connectors with a page of an inventory (connectors.contract.wire).
SOCKET_MESSAGE_MAX = 8 * 2**20


class WorkerThread(threading.Thread):
    """A Celery worker in a thread of this process, with a pool of threads (forking a threaded process deadlocks)."""

    def __init__(self, app: Celery) -> None:
        """Prepare; `start` begins to take tasks."""
        super().__init__(name="celery-worker", daemon=True)
        self.app = app
        self.ready = threading.Event()

    def run(self) -> None:
        """Take tasks until drained."""
        self.app.set_current()
        worker = WorkController(
            app=self.app,
            hostname="embedded@localhost",
            pool_cls="threads",
            concurrency=TASK_THREADS,
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
            ready_callback=lambda consumer: self.ready.set(),
        )
        worker.start()

    def drain(self, seconds: float) -> bool:
        """Take no more tasks, let those under way finish; return whether they did in time."""
        # Celery's own way to ask for a warm shutdown; it belongs to the process, so it is reset for the next worker.
        # The consumer looks up every two seconds, or when a message comes, and once more before it goes: wake it twice.
        state.should_stop = 0  # type: ignore[assignment]  # an exit status; the stubs know only None
        for _ in range(2):
            tasks.wake.delay()
        self.join(seconds)
        state.should_stop = None
        return not self.is_alive()


def start_beat(app: Celery) -> Any:
    """Start the timetable in a thread; the result has `stop()` and `is_alive()`."""
    beat: Any = EmbeddedService(app, thread=True, scheduler_cls=settings.CELERY_BEAT_SCHEDULER)
    beat.start()
    return beat


class Server(uvicorn.Server):
    """uvicorn on our socket, which tells when it accepts, and ends when something it depends on has died."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], alive: Callable[[], bool]) -> None:
        """Take what to call once ready, and what to ask every second whether to go on."""
        super().__init__(config)
        self.on_ready, self.alive = on_ready, alive
        self.failed = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and let messages to web sockets come from other threads."""
        await super().startup(sockets)
        layer = get_channel_layer()
        if isinstance(layer, EmbeddedChannelLayer):
            layer.serve_on(asyncio.get_running_loop())
        self.on_ready()

    async def on_tick(self, counter: int) -> bool:
        """Stop when worker or timetable died: without them nothing would end in time, and nobody would see it."""
        if counter % 10 == 0 and not self.should_exit and not self.alive():
            self.failed = self.should_exit = True
        return await super().on_tick(counter)


class Stop:
    """Remembers that the process was asked to stop.

    uvicorn catches SIGTERM and SIGINT, drains, and then raises them again: with Python's own handlers in place the
    process would die there, before the worker has finished its tasks. These handlers only remember.
    """

    def __init__(self) -> None:
        """Take the signals over, for the life of the process."""
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def server_config() -> uvicorn.Config:
    """Return how uvicorn serves."""
    return uvicorn.Config(
        "config.asgi:application",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=settings.BEHIND_PROXY,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws="websockets-sansio",
        ws_max_size=SOCKET_MESSAGE_MAX,
    )


def run(listener: socket.socket, stop: Stop, on_ready: Callable[[], None]) -> bool:
    """Serve until asked to stop; return whether everything ended well."""
    # The worker would run all system checks again, which takes as long as all the rest of the start.
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    app.finalize()
    worker, beat = WorkerThread(app), start_beat(app)
    worker.start()
    worker.ready.wait(GRACE_SECONDS)
    server = Server(server_config(), on_ready, lambda: worker.is_alive() and beat.is_alive())
    try:
        if not stop.asked:
            server.run(sockets=[listener])
    finally:
        began = time.monotonic()
        beat.stop()
        drained = worker.drain(GRACE_SECONDS)
        log.info("Worker and timetable stopped in %.1f s.", time.monotonic() - began)
    if server.failed:
        log.error("The worker or the timetable died, so Latchkey stops: nothing would end in time. See the log above.")
    if not drained:
        log.error("Tasks under way did not finish within %s s; their leases expire and others do them.", GRACE_SECONDS)
    return drained and not server.failed
