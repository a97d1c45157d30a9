"""What the benchmarks share: Django on a private database, a private PostgreSQL as target, workers as in script/up.

Importing this module prepares the environment (tests.environment) before any settings are read.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

os.environ.setdefault("LATCHKEY_TEST_DATABASE", "postgresql")

import django

import tests.environment  # noqa: F401  # sets the environment that the settings read

django.setup()

from config.celery import app  # noqa: E402
from config.embedded import WorkerThread  # noqa: E402
from tests import databases  # noqa: E402

STOP_SECONDS = 60


@contextmanager
def database() -> Iterator[None]:
    """A migrated database of the benchmark's own."""
    databases.ensure_template()
    with databases.clone():
        yield


@contextmanager
def workers() -> Iterator[None]:
    """The worker of script/up in a thread of this process: doorbells ring and are heard."""
    app.finalize()
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    worker = WorkerThread(app)
    worker.start()
    worker.ready.wait(STOP_SECONDS)
    try:
        yield
    finally:
        worker.drain(STOP_SECONDS)


def until(condition: Callable[[], bool], seconds: float, what: str, every: float = 0.005) -> None:
    """Wait for a condition, looking every so many seconds: looking costs what is measured some of its processor."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {seconds} s: {what}")
        time.sleep(every)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
