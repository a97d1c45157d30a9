"""`up`: everything in one process. One test per trap that was met on the way."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import stat
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.platform.processes import ROOT, Up, manage, probe, up
from tests.servers import free_port

# An idle stop, of the time of a start; without being woken it takes longer than that.
A_STOP = 0.6


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Return one running Latchkey for the tests that only look at it."""
    with up(tmp_path_factory.mktemp("up") / "data") as one:
        one.wait_until_ready()
        yield one


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which Latchkey has run before, to be copied: migrating takes most of a first start."""
    folder = tmp_path_factory.mktemp("migrated") / "data"
    with up(folder) as one:
        one.stop()
    return folder


@pytest.fixture
def data(migrated: Path, tmp_path: Path) -> Path:
    """Return a folder of the test's own in which Latchkey has run before."""
    return Path(shutil.copytree(migrated, tmp_path / "data"))


def socket_to(running: Up, path: str, origin: str = "") -> ClientConnection:
    """Open a web socket, as a page of ours or of `origin` would."""
    here = f"127.0.0.1:{running.port}"
    return connect(f"ws://{here}{path}", origin=Origin(origin or f"http://{here}"), proxy=None)


def wait_for_file(path: Path, seconds: float = 20) -> str:
    """Return what a task wrote, once it has."""
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path.name} was not written"
        time.sleep(0.01)
    return path.read_text()


def test_a_first_start_makes_keys_for_the_owner_alone(running: Up) -> None:
    keys = running.data / "keys.env"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert stat.S_IMODE(running.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((running.data / "latchkey.sqlite3").stat().st_mode) == 0o600
    assert set(re.findall(r"^LATCHKEY_\w+", keys.read_text(), re.M)) == {
        "LATCHKEY_SECRET_KEY", "LATCHKEY_STORE_KEYS", "LATCHKEY_SEALING_KEYS", "LATCHKEY_SIGNING_KEYS",
    }  # fmt: skip
    assert not list(running.data.glob(".keys*"))


def test_a_first_start_prints_address_and_sign_in_link(running: Up) -> None:
    assert f"Latchkey is ready at http://127.0.0.1:{running.port}\n" in running.said()
    assert re.search(rf"http://127\.0\.0\.1:{running.port}/sign-in/[\w-]{{20,}}/", running.said())


def test_it_answers_probes(running: Up) -> None:
    assert running.get("/healthz") == (200, "ok\n")
    assert json.loads(running.get("/readyz")[1]) == {"ready": True, "reasons": []}


def test_static_files_need_no_collecting(running: Up) -> None:
    status, body = running.get("/static/admin/css/base.css")
    assert status == 200
    assert "--primary" in body
    assert "Warning" not in running.said()


def test_both_names_of_this_machine_are_allowed(running: Up) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(b"GET /account/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_another_host_name_is_refused(running: Up) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(b"GET /account/login/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_a_task_begins_within_moments_of_its_ring(running: Up) -> None:
    """kombu's in-memory transport sleeps a second between looks by default: the median would be over half a second."""
    waits = []
    for number in range(15):
        rung = float(running.get(f"/probe/ring/quick{number}/0")[1])
        waits.append(float(wait_for_file(running.data / "probe" / f"quick{number}").split()[0]) - rung)
    assert statistics.median(waits) < 0.2


def test_tasks_run_in_threads_of_the_one_process(running: Up) -> None:
    """A forked pool in a process with threads deadlocks."""
    running.get("/probe/ring/where/0")
    assert "ThreadPoolExecutor" in wait_for_file(running.data / "probe" / "where")
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text()
    assert children == ""


def test_beat_rings_every_second(running: Up) -> None:
    ticks = running.data / "probe" / "ticks"
    wait_for_file(ticks)
    before = len(ticks.read_text().splitlines())
    time.sleep(3.5)
    assert 2 <= len(ticks.read_text().splitlines()) - before <= 5


def test_a_message_from_a_task_reaches_a_web_socket_at_once(running: Up) -> None:
    """Sent from a worker's thread as it is, a message lies until the server's loop wakes by itself, every 100 ms."""
    with socket_to(running, "/probe") as listener:
        running.get("/probe/shout/15")
        seconds = [json.loads(listener.recv(timeout=10))["seconds"] for _ in range(15)]
    assert statistics.median(seconds) < 0.03


def test_a_web_socket_of_another_site_is_refused(running: Up) -> None:
    with pytest.raises(InvalidStatus):
        socket_to(running, "/probe", "http://evil.example")


def test_an_unknown_web_socket_is_refused_quietly(running: Up) -> None:
    with pytest.raises(InvalidStatus):
        socket_to(running, "/nothing")
    assert "Traceback" not in running.said()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_stops_cleanly_and_finishes_what_is_under_way(data: Path, how: signal.Signals) -> None:
    """uvicorn raises the signal again after its own drain, which would kill the process before the task ends."""
    pages: list[tuple[int, str]] = []
    with up(data) as one:
        one.get("/probe/ring/begun/3000")
        page = threading.Thread(target=lambda: pages.append(one.get("/probe/slow/2000")))
        page.start()
        time.sleep(0.5)
        assert one.stop(how) == 0
        page.join()
        assert pages == [(200, "done")]
        assert (one.data / "probe" / "begun").exists()
        assert "Traceback" not in one.said()
        assert one.said().endswith("Stopped.\n")


def test_an_idle_stop_takes_moments(data: Path) -> None:
    """The consumer looks up every two seconds; it is woken. Told against a start, for machines are busy."""
    taken: list[float] = []
    while len(taken) < 3 and min(taken, default=1.0) >= A_STOP:
        began = time.monotonic()
        with up(data) as one:
            one.wait_until_ready()
            started = time.monotonic()
            assert one.stop() == 0
            taken.append((time.monotonic() - started) / (started - began))
    assert min(taken) < A_STOP


def test_data_and_keys_survive_a_restart_and_no_second_link_is_made(data: Path) -> None:
    keys = (data / "keys.env").read_text()
    with up(data) as one:
        assert "/sign-in/" not in one.said()
        one.stop()
    with up(data, "--link") as one:
        assert "/sign-in/" in one.said()
        one.stop()
    assert (data / "keys.env").read_text() == keys


def test_it_starts_again_after_being_killed(data: Path) -> None:
    with up(data) as one:
        one.stop(signal.SIGKILL)
    with up(data) as one:
        one.wait_until_ready()
        assert one.stop() == 0


DEAD_WORKER = """
import sys
from config import start
start.prepare(sys.argv[2:])
import django
django.setup()
from config import embedded
embedded.WorkerThread.run = lambda self: self.ready.set()
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


def test_it_stops_when_the_worker_dies(data: Path) -> None:
    """Nothing would end in time any more, and nobody would see it: a supervisor has to start it again."""
    ended = subprocess.run(
        [sys.executable, "-c", DEAD_WORKER, "up", "--port", str(free_port()), "--data", str(data)],
        cwd=ROOT,
        env=probe(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 1
    assert "The worker or the timetable died" in ended.stderr


def one_sentence(ended: subprocess.CompletedProcess[str]) -> str:
    """Check that a start was refused with one line on stderr and no traceback, and return the line."""
    assert ended.returncode != 0
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0]


def test_two_starts_on_one_folder(running: Up) -> None:
    second = manage("up", "--data", str(running.data), "--port", str(free_port()), env=probe())
    assert "already runs on" in one_sentence(second)


def test_a_port_that_is_taken(running: Up, tmp_path: Path) -> None:
    second = manage("up", "--data", str(tmp_path / "other"), "--port", str(running.port), env=probe())
    assert f"Port {running.port} on 127.0.0.1 is taken." in one_sentence(second)


def test_a_port_that_is_none(tmp_path: Path) -> None:
    assert "from 0 to 65535" in one_sentence(manage("up", "--data", str(tmp_path), "--port", "70000", env=probe()))


@pytest.mark.parametrize("folder", ["/dev/null/latchkey", "/proc/latchkey"])
def test_a_folder_that_cannot_be_written(folder: str) -> None:
    assert f"The data folder {folder} cannot be written" in one_sentence(manage("up", "--data", folder, env=probe()))


def test_a_database_whose_keys_are_gone(tmp_path: Path) -> None:
    (tmp_path / "latchkey.sqlite3").touch()
    ended = manage("up", "--data", str(tmp_path), "--port", str(free_port()), env=probe())
    assert "keys.env is gone" in one_sentence(ended)
    assert not (tmp_path / "keys.env").exists()


def test_keys_that_are_damaged(tmp_path: Path) -> None:
    (tmp_path / "keys.env").write_text("LATCHKEY_SECRET_KEY=abc\n")
    ended = manage("up", "--data", str(tmp_path), "--port", str(free_port()), env=probe())
    assert "keys.env is damaged" in one_sentence(ended)


def test_a_folder_in_use_by_others_keeps_its_rights(tmp_path: Path) -> None:
    from config import start

    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "something").touch()
    folder.chmod(0o755)
    start._make(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_relative_folder_is_where_the_command_was_typed(running: Up, tmp_path: Path) -> None:
    manage("up", "--data", "here", "--port", str(running.port), env=probe(LATCHKEY_HERE=str(tmp_path)))
    assert (tmp_path / "here").is_dir()
