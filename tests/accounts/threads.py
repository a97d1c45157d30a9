"""Runs several things at the same time, each with its own connection; needs `fresh_database`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def together(*work: Callable[[], Any]) -> list[Any]:
    """Begin all of `work` at once; return for each what it returned or the exception that it raised."""
    barrier, results = threading.Barrier(len(work)), [None] * len(work)

    def run(place: int) -> None:
        try:
            barrier.wait(10)
            results[place] = work[place]()
        except Exception as error:  # noqa: BLE001  # judged by the test
            results[place] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
