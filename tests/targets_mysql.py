"""Real MariaDB and MySQL servers: private instances on free ports, never the machine's own.

MariaDB comes from the system's packages. MySQL is in none of them: `script/optional-servers mysql` fetches it.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from connectors.registry import PROVIDERS
from tests.targets import PLENTY, free_port

ROOT = Path(__file__).resolve().parents[1]
FETCHED = ROOT / "build" / "mysql"
CONNECTOR = "latchkey"
START_SECONDS = 600.0
# Data folders as the servers' own programs leave them, by kind; made once per process.
_MADE: dict[str, Path] = {}


def missing(kind: str) -> str:
    """Return why there can be no such server here, or an empty string."""
    if os.geteuid() == 0 and not _unprivileged():
        return "the server refuses to run as root, and there is no unprivileged user to run it"
    if kind == "mysql":
        return "" if FETCHED.is_dir() else "MySQL is not fetched: script/optional-servers mysql"
    programs = all(_program(name) for name in ("mariadbd", "mariadb-install-db", "mariadb"))
    return "" if programs else "MariaDB is not installed (Debian's package mariadb-server)"


def _program(name: str) -> str:
    """Return the path of a program of the system, or nothing."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") or ""


def _unprivileged() -> str:
    """Return the user who runs the server when we are root."""
    for name in ("mysql", "nobody"):
        with suppress(KeyError):
            pwd.getpwnam(name)
            return name
    return ""


def _new_folder() -> Path:
    """Return a new folder of the unprivileged user, in memory where there is plenty."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > PLENTY
    folder = Path(tempfile.mkdtemp(prefix="latchkey-my-", dir=memory if roomy else "/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, _unprivileged())
    return folder


def _fetched(program: str) -> list[str]:
    """Return the command of a fetched program, run through the loader of its own release."""
    loader = next(FETCHED.glob("usr/lib*/ld-linux-*.so.2"))
    libraries = next(FETCHED.glob("usr/lib/*-linux-gnu"))
    return [str(loader), "--library-path", str(libraries), str(FETCHED / "usr" / program)]


@dataclass
class MySQLServer:
    """A private server; `kind` is mariadb or mysql. root has no password and gets in by the socket only."""

    kind: str
    options: tuple[str, ...] = ()
    port: int = 0
    folder: Path = field(default_factory=_new_folder)
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """Return the address."""
        return "127.0.0.1"

    @property
    def socket(self) -> str:
        """Return the path of the socket."""
        return str(self.folder / "s.sock")

    def start(self) -> MySQLServer:
        """Start on a free port (the same one when it is started again)."""
        if not (self.folder / "data").exists():
            self._create()
        self.port = self.port or free_port()
        command = [
            *self._server(),
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}",
            f"--port={self.port}",
            f"--bind-address={self.host}",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=32M",
            "--event-scheduler=ON",
            *(["--mysqlx=OFF", "--skip-log-bin"] if self.kind == "mysql" else []),
            *self.options,
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True)
        atexit.register(self.stop)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect().close()
                return self
            except pymysql.Error:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"It does not start: {(self.folder / 'log').read_text()}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop, if it runs. The process may be one that changed the user: the server's own pid is in its file."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        atexit.unregister(self.stop)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, database: str | None = None, **options: Any) -> pymysql.Connection[DictCursor]:
        """Return a connection in autocommit: of root by the socket, or of `user` over the network."""
        way: dict[str, Any] = {"user": "root", "unix_socket": self.socket}
        if "user" in options:
            way = {"host": self.host, "port": self.port}
        return pymysql.connect(
            **{**way, "database": database, "autocommit": True, "charset": "utf8mb4", "connect_timeout": 10, **options},
            cursorclass=DictCursor,
        )

    def run_sql(self, *statements: str, database: str | None = None, **options: Any) -> list[dict[str, Any]]:
        """Run statements as root (or as `user`) and return the rows of the last."""
        with self.connect(database, **options) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def client(self, *arguments: str, user: str = "root", password: str = "", text: bytes = b"") -> str:
        """Run the server's own command-line client and return what it printed."""
        command = ["mariadb"] if self.kind == "mariadb" else _fetched("bin/mysql")
        way = [f"--socket={self.socket}"] if user == "root" else [f"--host={self.host}", f"--port={self.port}"]
        command += ["--no-defaults", f"--user={user}", *way, *([f"--password={password}"] if password else [])]
        done = subprocess.run([*command, *arguments], input=text, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        return done.stdout.decode()

    def run_file(self, path: Path, database: str = "", **variables: str) -> None:
        """Run a file as an admin would, after setting variables."""
        values = ", ".join(f"@{name} = '{value}'" for name, value in variables.items())
        options = [f"--init-command=SET {values}"] if variables else []
        self.client(*options, *([database] if database else []), text=path.read_bytes())

    def set_up(self, file: str, database: str = "", **variables: str) -> None:
        """Run one of the provider's set-up files."""
        self.run_file(PROVIDERS / self.kind / "setup" / file, database, **variables)

    def make_connector(self, password: str = "connector-secret") -> None:
        """Run the first set-up file and do what it says to do then."""
        self.set_up("1_connector.sql")
        self.run_sql(f"ALTER USER {CONNECTOR} IDENTIFIED BY '{password}' ACCOUNT UNLOCK")

    def _server(self) -> list[str]:
        """Return the beginning of the server's command."""
        if self.kind == "mariadb":
            command = [_program("mariadbd"), "--no-defaults"]
        else:
            share = FETCHED / "usr" / "share" / "mysql"
            command = [
                *_fetched("sbin/mysqld"),
                "--no-defaults",
                f"--basedir={FETCHED / 'usr'}",
                f"--lc-messages-dir={share}",
                f"--character-sets-dir={share / 'charsets'}",
                f"--plugin-dir={FETCHED / 'usr' / 'lib' / 'mysql' / 'plugin'}",
                "--secure-file-priv=NULL",
            ]
        return [*_as_unprivileged(), *command]

    def _create(self) -> None:
        """Make the data folder: a copy of one that was made before, because making one takes longer."""
        data = self.folder / "data"
        if self.kind not in _MADE:
            kept = _new_folder()
            atexit.register(shutil.rmtree, kept, ignore_errors=True)
            if self.kind == "mariadb":
                options = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
                command = [_program("mariadb-install-db"), "--no-defaults", *options]
                command = [*_as_unprivileged(), *command, f"--datadir={kept / 'data'}"]
            else:
                command = [*self._server(), f"--datadir={kept / 'data'}", "--initialize-insecure"]
            subprocess.run(command, check=True, capture_output=True, cwd="/")
            _MADE[self.kind] = kept / "data"
        subprocess.run(["cp", "-a", str(_MADE[self.kind]), str(data)], check=True)


def _as_unprivileged() -> list[str]:
    """Return what makes a command run as somebody who is not root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(_unprivileged())
    # Unlike runuser, it leaves no process of its own in between.
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@contextmanager
def running(kind: str, *options: str) -> Iterator[MySQLServer]:
    """Run a private server for the length of a block."""
    server = MySQLServer(kind, options)
    try:
        yield server.start()
    finally:
        server.remove()
