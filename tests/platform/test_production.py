"""Separate processes against a private PostgreSQL and a private Redis, as in production."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests import servers
from tests.platform.processes import ROOT, manage, probe
from tests.platform.test_settings import PRODUCTION

COMMANDS = {
    "web": ["-m", "uvicorn", "config.asgi:application", "--port"],
    "worker": ["-m", "celery", "-A", "config", "worker", "--loglevel", "WARNING"],
    "beat": ["-m", "celery", "-A", "config", "beat", "--pidfile=", "--loglevel", "INFO"],
}


@contextmanager
def processes(names: list[str], env: dict[str, str], folder: Path, port: int) -> Iterator[dict[str, Path]]:
    """Run some of the processes and yield their logs; each must end by itself when asked to."""
    running = {}
    logs = {name: folder / f"{name}.log" for name in names}
    for name, log in logs.items():
        command = [sys.executable, *COMMANDS[name], *([str(port)] if name == "web" else [])]
        with log.open("wb") as output:
            running[name] = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output)
    try:
        yield logs
    finally:
        for process in running.values():
            process.terminate()
        for name, process in running.items():
            try:
                process.wait(300)
            except subprocess.TimeoutExpired:
                process.kill()
                pytest.fail(f"{name} did not stop: {logs[name].read_text()}")


def wait_for(path: Path, logs: dict[str, Path], seconds: float = 600) -> str:
    """Wait until a task has written the file and return what it wrote."""
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, "\n".join(f"{name}: {log.read_text()}" for name, log in logs.items())
        time.sleep(0.05)
    return path.read_text()


def wait_until_it_says(text: str, log: Path, seconds: float = 600) -> None:
    """Wait until the log has the text."""
    deadline = time.monotonic() + seconds
    while text not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def page(port: int, path: str, logs: dict[str, Path], seconds: float = 600) -> tuple[int, str]:
    """Return status and body of a page, as a proxy that ends TLS would ask for it; wait for the server to be there."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Host": "latchkey.example.com", "X-Forwarded-Proto": "https"}
    )
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=300) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except urllib.error.URLError:
            assert time.monotonic() < deadline, logs["web"].read_text()
            time.sleep(0.1)


@pytest.fixture(scope="module")
def backing() -> Iterator[dict[str, str]]:
    """Return the environment of a production with a migrated database and a broker of its own."""
    # Not pytest's own folder: PostgreSQL runs as another user, who may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="backing-", dir=os.environ["LATCHKEY_TEST_RUN"]))
    folder.chmod(0o755)
    with ExitStack() as stack:
        try:
            database = stack.enter_context(servers.postgres(folder)).url("postgres")
            broker = stack.enter_context(servers.redis(folder))
        except servers.NoServer as missing:
            pytest.skip(str(missing))
        data = folder / "data"
        data.mkdir()
        env = probe(
            **PRODUCTION
            | {
                "LATCHKEY_DATABASE_URL": database,
                "LATCHKEY_REDIS_URL": broker,
                "LATCHKEY_BEHIND_PROXY": "true",
                "LATCHKEY_DATA": str(data),
            }
        )
        migrated = manage("migrate", "--verbosity", "0", env=env)
        assert migrated.returncode == 0, migrated.stderr
        yield env


def test_web_worker_and_beat_work_together(backing: dict[str, str], tmp_path: Path) -> None:
    port, files = servers.free_port(), Path(backing["LATCHKEY_DATA"]) / "probe"
    with processes(["web", "worker", "beat"], backing, tmp_path, port) as logs:
        assert page(port, "/healthz", logs)[0] == 200
        assert page(port, "/probe/ring/through-redis/0", logs)[0] == 200
        assert "ThreadPoolExecutor" in wait_for(files / "through-redis", logs)
        before = len(wait_for(files / "ticks", logs).splitlines())
        time.sleep(3)
        assert len((files / "ticks").read_text().splitlines()) > before
        assert page(port, "/readyz", logs) == (200, '{"ready": true, "reasons": []}')
        for log in logs.values():
            assert "Traceback" not in log.read_text()


def test_plain_http_is_sent_to_https_but_for_probes(backing: dict[str, str], tmp_path: Path) -> None:
    import http.client

    port = servers.free_port()
    with processes(["web"], backing, tmp_path, port) as logs:
        page(port, "/healthz", logs)
        statuses = {}
        for path in ("/healthz", "/account/login/"):
            client = http.client.HTTPConnection("127.0.0.1", port)
            client.request("GET", path, headers={"Host": "latchkey.example.com"})
            answer = client.getresponse()
            statuses[path] = (answer.status, answer.headers["Location"])
        assert statuses == {
            "/healthz": (200, None),
            "/account/login/": (301, "https://latchkey.example.com/account/login/"),
        }


SILENCE = """
import asyncio
from channels.layers import get_channel_layer

async def listen():
    layer = get_channel_layer()
    channel = await layer.new_channel()
    heard = asyncio.create_task(layer.receive(channel))
    await asyncio.sleep(layer.brpop_timeout + 1.5)
    await layer.send(channel, {"type": "ring"})
    print(await asyncio.wait_for(heard, 3))

asyncio.run(listen())
"""


def test_a_socket_still_hears_after_a_silence(backing: dict[str, str]) -> None:
    listened = manage("shell", "--no-imports", "-c", SILENCE, env=backing)
    assert listened.stdout.strip() == "{'type': 'ring'}", listened.stderr


@pytest.mark.full
def test_a_broker_that_is_away_fails_no_page(backing: dict[str, str], tmp_path: Path) -> None:
    port = servers.free_port()
    env = backing | {"LATCHKEY_REDIS_URL": f"redis://127.0.0.1:{servers.free_port()}/0"}
    with processes(["web"], env, tmp_path, port) as logs:
        page(port, "/healthz", logs)
        assert page(port, "/probe/ring/nobody-hears/0", logs)[0] == 200
        began = time.monotonic()
        assert page(port, "/probe/ring/nobody-hears/0", logs)[0] == 200
        assert time.monotonic() - began < 2
        assert "Could not ring for tests.platform.probe.tasks.mark" in logs["web"].read_text()


@pytest.mark.full
def test_two_beats_do_no_harm(backing: dict[str, str], tmp_path: Path) -> None:
    """Every job looks into the database for what is due, so being rung twice is only a little work."""
    (tmp_path / "second").mkdir()
    with (
        processes(["beat"], backing, tmp_path, 0) as first,
        processes(["beat"], backing, tmp_path / "second", 0) as second,
    ):
        for log in (first["beat"], second["beat"]):
            wait_until_it_says("Sending due task", log)
            assert "Traceback" not in log.read_text()
    with psycopg.connect(backing["LATCHKEY_DATABASE_URL"]) as database:
        rows = database.execute("SELECT count(*), count(DISTINCT name) FROM django_celery_beat_periodictask").fetchone()
    assert rows is not None
    assert rows[0] == rows[1]
