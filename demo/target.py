"""The demo's real target: a private PostgreSQL server, a child of this process, reachable from this machine only."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from connectors.registry import PROVIDERS
from demo import certificate, programs
from demo.programs import Account, NoTarget, Programs

HOST, SUPERUSER, CONNECTOR = "127.0.0.1", "postgres", "latchkey"
# Where the connector signs in. The database `postgres` is dropped: nobody is to ask for it.
HOME = "orders"
DATABASES = {"orders": "orders.sql", "ledger": "ledger.sql", "ledger_archive": "ledger.sql"}
SETUP = PROVIDERS / "postgresql" / "setup"
CONTENT = Path(__file__).resolve().parent / "databases"
# Where it lives when we are root and the account it runs as cannot get into the demo's folder.
ELSEWHERE = Path("/var/lib")
START_SECONDS, STOP_SECONDS = 60.0, 20.0
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "40",
    "shared_buffers": "24MB",
    "synchronous_commit": "off",
    "log_min_messages": "warning",
}


@dataclass
class Target:
    """One server in its home: data, log, and copies of programs where those are needed."""

    home: Path
    programs: Programs
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        """Return the server's data folder."""
        return self.home / "data"

    @property
    def psql(self) -> str:
        """Return the psql that people can use: that of the path, if there is one."""
        return shutil.which("psql") or str(self.programs.folder / "psql")

    @property
    def made(self) -> bool:
        """Whether its databases are complete."""
        return (self.home / "made").exists()

    def start(self) -> None:
        """Start, on the port it had if that is free. Raises NoTarget, with the end of its log, when it does not."""
        _end_forerunner(self)
        if not can_have(self.port):
            self.port = free_port()
        options = {**SETTINGS, **certificate.settings(self.programs, self.data), "port": str(self.port)}
        command = [str(self.programs.folder / "postgres"), "-D", str(self.data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self._log() as log:
            self.process = subprocess.Popen(  # noqa: S603  # a program of PostgreSQL's, with arguments of ours
                command,
                cwd=self.home,
                env=programs.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for us: the server has to be there until the last revoke is read back.
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # one system call; no thread has been started yet
                **self.programs.identity(),
            )
        self._wait()

    def _log(self) -> IO[bytes]:
        return (self.home / "log").open("ab")

    def _wait(self) -> None:
        """Wait until it takes connections."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process is not None and self.process.poll() is None:
            if _status(self.data) == "ready":
                return
            time.sleep(0.05)
        self.stop()
        words = (self.home / "log").read_text(errors="replace").strip().splitlines()[-3:]
        raise NoTarget(f"The demo's PostgreSQL server did not start: {' '.join(words) or 'it said nothing'}")

    def stop(self) -> None:
        """Stop, ending every session; insist after a while."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()

    def make(self) -> str:
        """Make the server anew, with its databases, and leave it running; return the connector's password.

        The superuser's password is known to nobody afterwards.
        """
        _end_forerunner(self)
        _empty(self.home, self.programs.account)
        superuser, connector = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._initdb(superuser)
        certificate.make(self.data, self.programs.account)
        self.start()
        said = {"PGPASSWORD": superuser, "CONNECTOR_PASSWORD": connector}
        self._psql("postgres", SETUP / "1_connector.sql", **said)
        for name, content in DATABASES.items():
            self._psql("postgres", None, "-c", f'CREATE DATABASE "{name}"', **said)
            self._psql(name, CONTENT / content, **said)
            self._psql(name, SETUP / "2_database.sql", **said)
            self._psql(name, CONTENT / "guard.sql", **said)
        self._psql(HOME, CONTENT / "connector.sql", **said)
        (self.home / "made").touch()
        return connector

    def _initdb(self, password: str) -> None:
        """Make an empty cluster."""
        file = self.home / "superuser"
        file.write_text(password + "\n")
        _give(file, self.programs.account)
        access = ["-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={file}"]
        done = self.programs.run(
            "initdb", "-D", str(self.data), *access, "-E", "UTF8", "--locale=C", "--no-sync", cwd=self.home
        )
        file.unlink()
        if done.returncode:
            raise NoTarget(f"The demo's PostgreSQL server could not be made: {done.stderr.strip()[-400:]}")

    def _psql(self, database: str, file: Path | None, *more: str, **environment: str) -> None:
        """Run psql as the superuser."""
        address = ["-X", "-q", "-h", HOST, "-p", str(self.port), "-U", SUPERUSER, "-d", database]
        words = ["-v", f"connector={CONNECTOR}", "-v", "ask_password=off", *(["-f", str(file)] if file else []), *more]
        done = self.programs.run("psql", *address, *words, cwd=Path("/"), **environment)
        if done.returncode:
            raise NoTarget(f"The demo's databases could not be made: {done.stderr.strip()[-400:]}")


def settle(folder: Path, port: int, home: str) -> Target:
    """Return the target of a demo's folder, not started: in the home it had, or one that fits. Raises NoTarget."""
    place = Path(home) if home else _home(folder, programs.unprivileged())
    # Ours, and not the account's: nobody else may lay a link where we write. It only passes through to the data.
    place.mkdir(mode=0o711, parents=True, exist_ok=True)
    place.chmod(0o711)
    return Target(place, programs.find(place), port or free_port())


def _home(folder: Path, account: Account | None) -> Path:
    """Return where the server lives: in the demo's folder, unless its account cannot get there."""
    if account is None:
        return folder / "target"
    # To pass through, not to look: what lies in it stays closed to others.
    folder.chmod(0o711)
    if programs.can_enter(folder, account):
        return folder / "target"
    return ELSEWHERE / f"latchkey-demo-{hashlib.sha256(str(folder).encode()).hexdigest()[:10]}"


def _empty(home: Path, account: Account | None) -> None:
    """Remove everything but copied programs."""
    for path in home.iterdir():
        if path.name == "programs":
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (home / "data").mkdir(mode=0o700)
    _give(home / "data", account)


def _give(path: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _end_with_parent() -> None:
    """Ask Linux to shut the server down when we die, however we die."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


def _status(data: Path) -> str:
    """Return what the server says of itself in its pid file: starting, ready, stopping."""
    lines = _pid_file(data)
    return lines[7].strip() if len(lines) > 7 else ""


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _end_forerunner(target: Target) -> None:
    """Stop a server that outlived a crash of ours, or remove the pid file it left behind."""
    lines = _pid_file(target.data)
    if not lines:
        return
    pid = int(lines[0]) if lines[0].strip().isdigit() else 0
    if pid and _serves(pid, target.data):
        seconds = str(int(STOP_SECONDS))
        target.programs.run("pg_ctl", "-D", str(target.data), "-m", "fast", "-t", seconds, "stop", cwd=target.home)
    with contextlib.suppress(FileNotFoundError):
        (target.data / "postmaster.pid").unlink()


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is a server on this folder: a number may have been given to somebody else since."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == data.resolve()
    except OSError:
        # No such process; or no Linux, and then PostgreSQL's own look at the number has to do.
        return sys.platform != "linux"


def can_have(port: int) -> bool:
    """Whether nobody listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
