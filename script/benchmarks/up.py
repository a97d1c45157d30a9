"""Time to ready, time to stop and memory of script/up, installed already, on its own data."""

from __future__ import annotations

import os
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks import Measure
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
STARTS = 5
IDLE_SECONDS = 5


class Round(NamedTuple):
    """One start: seconds to answer, processor seconds until then, seconds to ready and to stop, memory in MB."""

    answers: float
    processor: float
    ready: float
    stop: float
    memory: float


def _wait_for(port: int, path: str, process: subprocess.Popen[bytes]) -> float:
    """Wait until a page answers 200 and return when it did."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60):
                return time.monotonic()
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    raise SystemExit("script/up ended before it was ready.")


def _age(data: Path) -> None:
    """Make it as after an hour's pause, so that the next start earns its readiness: every job has to run."""
    with closing(sqlite3.connect(data / "latchkey.sqlite3")) as database:
        for table, column in (("config_heartbeat", "at"), ("django_celery_beat_periodictask", "last_run_at")):
            database.execute(f"UPDATE {table} SET {column} = datetime({column}, '-1 hour')")
        database.commit()


def _memory(process: psutil.Process) -> float:
    """Return the proportional memory of the process and its children, in MB."""
    family = [process, *process.children(recursive=True)]
    return sum(float(each.memory_full_info().pss) for each in family) / 1e6


def _start(data: Path, port: int) -> Round:
    """Start, measure and stop."""
    # As on any machine: nothing of Latchkey set, and Python keeps its bytecode.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LATCHKEY_", "PYTHONDONT"))}
    began = time.monotonic()
    command = [ROOT / "script" / "up", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(command, env=kept, stdout=subprocess.DEVNULL)
    try:
        answers = _wait_for(port, "/healthz", process) - began
        running = psutil.Process(process.pid)
        processor = sum(running.cpu_times()[:4])
        ready = _wait_for(port, "/readyz", process) - began
        time.sleep(IDLE_SECONDS)
        memory = _memory(running)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        return Round(answers, processor, ready, time.monotonic() - asked, memory)
    finally:
        process.kill()
        process.wait()


def run() -> Iterator[Measure]:
    """Start once to make the data, then several times to measure."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        first = _start(data, free_port())
        rounds = []
        for _ in range(STARTS):
            _age(data)
            rounds.append(_start(data, free_port()))
    median = Round(*(statistics.median(values) for values in zip(*rounds, strict=True)))
    yield Measure("first start, with migrations", first.answers, "s")
    yield Measure(f"start to first answer, median of {STARTS}", median.answers, "s", most=5)
    yield Measure("of that, processor time (whatever else runs)", median.processor, "s", most=4)
    yield Measure("start to ready (every job has run), median", median.ready, "s")
    yield Measure("stop when idle, median", median.stop, "s", most=3)
    yield Measure("memory when idle (PSS), most", max(each.memory for each in rounds), "MB", most=200)
