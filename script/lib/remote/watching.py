"""What a process takes: memory and processor time, read from outside while it works."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil

EVERY_SECONDS = 0.02


def memory(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def processor(pid: int) -> float:
    """Return the processor seconds that a process has taken so far, whatever else ran."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def share(pid: int, seconds: float) -> float:
    """Return how much of one processor a process takes, in percent, over so long a time."""
    before, began = processor(pid), time.monotonic()
    time.sleep(seconds)
    return (processor(pid) - before) / (time.monotonic() - began) * 100


@contextmanager
def peaks(pids: Mapping[str, int]) -> Iterator[dict[str, float]]:
    """Yield the highest memory of each process by name, in MB, which grows as long as the block runs."""
    highest, over = {name: memory(pid) for name, pid in pids.items()}, threading.Event()

    def look() -> None:
        while not over.wait(EVERY_SECONDS):
            for name, pid in pids.items():
                highest[name] = max(highest[name], memory(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield highest
    finally:
        over.set()
        thread.join()
