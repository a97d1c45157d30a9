"""Bells between threads and processes."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from celery import shared_task
from kombu.exceptions import OperationalError

from config import doorbell, tasks, timetable
from config.doorbell import DoorbellTask, EmbeddedChannelLayer


@pytest.mark.parametrize("option", [{"countdown": 5}, {"eta": datetime(2030, 1, 1, tzinfo=UTC)}])
def test_a_later_time_is_refused(option: dict[str, Any]) -> None:
    """With the in-memory broker it would be lost with the process, and nobody would end the access."""
    with pytest.raises(ValueError, match="a row that a sweep finds"):
        tasks.wake.apply_async(**option)


def test_a_broker_that_is_away_does_not_fail_the_caller(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    def away(*args: Any, **options: Any) -> None:
        tries.append(args)
        raise OperationalError("Connection refused")

    monkeypatch.setattr("celery.app.task.Task.apply_async", away)
    monkeypatch.setattr(doorbell._Quiet, "until", float("-inf"))
    with caplog.at_level(logging.WARNING):
        assert tasks.wake.delay() is None
    assert "Could not ring for config.tasks.wake" in caplog.text
    assert tasks.wake.delay() is None
    assert len(tries) == 1, "while it is away, nobody tries again for a while"
    monkeypatch.setattr(doorbell._Quiet, "until", time.monotonic() - 1)
    assert tasks.wake.delay() is None
    assert len(tries) == 2


def test_every_task_is_a_doorbell() -> None:
    assert isinstance(tasks.wake, DoorbellTask)


def in_a_worker(task: Any) -> Any:
    """Run a task as a worker does, without a broker; its result, or what it raised."""
    return task.apply().get()


def test_jobs_of_the_timetable_take_turns_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, runs = threading.Semaphore(0), [0, 0], []
    go_on, lock = threading.Event(), threading.Lock()

    @shared_task(name="tests.job")
    def job() -> None:
        with lock:
            most[0] += 1
            most[1] = max(most)
            runs.append(threading.current_thread().name)
        inside.release()
        go_on.wait(10)
        with lock:
            most[0] -= 1

    monkeypatch.setattr(timetable, "TIMETABLE", (timetable.Line("tests.job", 2, "For this test.", at_once=2),))
    monkeypatch.setattr(doorbell, "_turns", {})
    threads = [threading.Thread(target=in_a_worker, args=(job,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=10)
    assert inside.acquire(timeout=10)
    for thread in threads:
        thread.join(0.2)
    assert sum(thread.is_alive() for thread in threads) == 2, "the other four did not wait for a turn"
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert most == [0, 2]
    assert len(runs) == 3, "two, and once more for those who rang meanwhile"


def test_a_job_that_fails_gives_its_turn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter([True, False, False])

    @shared_task(name="tests.failing")
    def failing() -> str:
        if next(outcomes):
            raise ValueError("not now")
        return "done"

    monkeypatch.setattr(timetable, "TIMETABLE", (timetable.Line("tests.failing", 2, "For this test."),))
    monkeypatch.setattr(doorbell, "_turns", {})
    with pytest.raises(ValueError, match="not now"):
        in_a_worker(failing)
    assert in_a_worker(failing) == "done"
    assert in_a_worker(failing) == "done"


def test_called_as_a_function_a_task_is_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    @shared_task(name="tests.counting")
    def counting() -> str:
        return "ran"

    monkeypatch.setattr(timetable, "TIMETABLE", (timetable.Line("tests.counting", 2, "For this test.", at_once=0),))
    monkeypatch.setattr(doorbell, "_turns", {})
    assert in_a_worker(counting) is None, "nobody may run it in a worker"
    assert counting() == "ran"


class ServerLoop:
    """An event loop in a thread, as the server has."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(5)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def test_a_message_from_another_thread_is_put_on_the_servers_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, loops = EmbeddedChannelLayer(), list[Any]()
    server = ServerLoop()
    monkeypatch.setattr("channels.layers.InMemoryChannelLayer.send", _recording(loops))
    try:
        server.run(layer.group_add("g", "one"))
        layer.serve_on(server.loop)
        async_to_sync(layer.group_send)("g", {"type": "moved"})
        async_to_sync(layer.send)("one", {"type": "moved"})
        server.run(layer.group_send("g", {"type": "moved"}))
    finally:
        server.close()
    assert loops == [server.loop] * 3


def _recording(loops: list[Any]) -> Any:
    """Return a replacement for `send` that notes on which loop it runs."""

    async def send(self: Any, channel: str, message: Any) -> None:
        loops.append(asyncio.get_running_loop())

    return send


def test_without_a_server_a_message_stays_in_the_callers_loop() -> None:
    async def both() -> Any:
        layer = EmbeddedChannelLayer()
        await layer.group_add("g", "one")
        await layer.group_send("g", {"type": "moved"})
        return await layer.receive("one")

    assert asyncio.run(both()) == {"type": "moved"}


def test_a_server_that_has_ended_is_no_trap() -> None:
    layer = EmbeddedChannelLayer()
    server = ServerLoop()
    layer.serve_on(server.loop)
    server.close()
    async_to_sync(layer.send)("one", {"type": "moved"})
