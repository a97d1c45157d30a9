"""Runs SQL programs on a MySQL or MariaDB server: under a lease, with typed errors, and never with values as text.

These servers commit after every statement that makes, changes or drops something: the statements of a file run in their
order, and a file whose second one fails has done its first. No statement outlives the lease: the server is told
time-outs that are never longer than what is left of it, and when it is over the socket is shut.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import quote

import pymysql
from pymysql.cursors import DictCursor, SSDictCursor

from connectors.contract.errors import Misconfigured, TargetError, Unreachable
from connectors.contract.orders import Program
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.toolkit.mysql_errors import at_the_door, at_work
from connectors.toolkit.sql_files import Plain, SqlFile, Value

PROGRAM_NAME = "latchkey"
CONNECT_SECONDS = 10
# The server may use at most this part of what is left of the lease for one statement. It is told a new time-out only
# when less than the last one is left.
SHARE = 0.5
LEAST_MILLISECONDS = 50
# Names of databases, tables, columns and accounts have at most so many characters; a pattern of one is longer.
NAME_MAX = 128
ENCRYPTIONS = ("disable", "prefer", "require", "verify-full")

Connection: TypeAlias = "pymysql.Connection[DictCursor]"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is and who the connector is there.

    `encryption` is one of ENCRYPTIONS; `authority` holds the certificates (PEM) that may vouch for the server with
    verify-full; empty: those that the connector's machine trusts.
    """

    host: str
    port: int
    user: str
    password: Secret
    encryption: str = "prefer"
    authority: str = ""


class MySQLQuoting:
    """Names in backticks, values as the driver escapes them for a connection."""

    def __init__(self, connection: Connection) -> None:
        """Write for `connection`."""
        self._connection = connection

    def identifier(self, name: str) -> str:
        """Return a name, quoted. Raises Misconfigured for one that is too long for any server."""
        if len(name) > NAME_MAX:
            raise Misconfigured(f"The name {name!r} is longer than {NAME_MAX} characters.")
        return "`" + name.replace("`", "``") + "`"

    def literal(self, value: Plain) -> str:
        """Return a value, quoted; a list as what IN takes."""
        if isinstance(value, list):
            return f"({', '.join(map(self._connection.escape, value)) or 'NULL'})"
        return self._connection.escape(value)


class Session:
    """The connection of one run, in autocommit. Use it as a context."""

    def __init__(self, server: Server, run: Run, *, dry_run: bool = False) -> None:
        """Connect to nothing yet."""
        self.server = server
        self.run = run
        self.dry_run = dry_run
        self._timeout = timeout_of(run)
        self._guard = threading.Timer(max(0.0, run.remaining()), self._cut)
        self._guard.daemon = True

    def __enter__(self) -> Self:
        """Connect under the lease and begin to watch it. Raises a TargetError."""
        self.run.alive()
        try:
            self._connection, self._line = connect(self.server, self.run.remaining())
        except TargetError:
            self.run.alive()
            raise
        self._quoting = MySQLQuoting(self._connection)
        self._guard.start()
        try:
            with self._typed(None), self._connection.cursor() as cursor:
                cursor.execute("SELECT VERSION() AS version")
                self._said = str((cursor.fetchone() or {})["version"])
            self._tell_timeout()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._guard.cancel()
        with suppress(pymysql.Error):
            self._connection.close()
        self._line.close()

    @property
    def version(self) -> tuple[int, ...]:
        """Return the server's version: (8, 4, 3)."""
        return tuple(int(part) for part in self._said.partition("-")[0].split(".") if part.isdigit())

    @property
    def is_mariadb(self) -> bool:
        """Say whether it is a MariaDB."""
        return "mariadb" in self._said.lower()

    def rows(self, file: SqlFile, /, **values: Value) -> list[dict[str, Any]]:
        """Run a program that only reads and return its rows."""
        file, (statement,) = self._prepare(file, values)
        with self._typed(file), self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def stream(self, file: SqlFile, size: int, /, **values: Value) -> Iterator[list[dict[str, Any]]]:
        """Run a program that only reads and yield its rows, `size` at a time, as the server sends them.

        Nothing else can be asked on this session before the last row was read.
        """
        file, (statement,) = self._prepare(file, values)
        with self._typed(file), self._connection.cursor(SSDictCursor) as cursor:
            cursor.execute(statement)
            while rows := list(cursor.fetchmany(size)):
                yield rows
                self.run.alive()

    def change(self, file: SqlFile, /, **values: Value) -> None:
        """Run a program that changes something; in a dry run write down what it would be."""
        if self.dry_run:
            file = self.run.admit(file)
            text = ";\n".join(file.compose(values, self._quoting, hide_secrets=True))
            self.run.programs.append(Program(file.name, f"{text};"))
            return
        file, statements = self._prepare(file, values)
        for statement in statements:
            self._ready()
            with self._typed(file), self._connection.cursor() as cursor:
                cursor.execute(statement)

    def _prepare(self, file: SqlFile, values: Mapping[str, Value]) -> tuple[SqlFile, list[str]]:
        """Return the program that may run and its statements, once the lease holds."""
        admitted = self.run.note(file)
        statements = admitted.compose(values, self._quoting)
        self._ready()
        return admitted, statements

    def _ready(self) -> None:
        """Raise LeaseLost when the lease is over; keep the server's time-outs inside it."""
        self.run.alive()
        if self.run.remaining() * 1000 < self._timeout:
            self._timeout = timeout_of(self.run)
            self._tell_timeout()

    def _tell_timeout(self) -> None:
        """Tell the server how long a statement may take, and how long it may wait for a lock."""
        seconds = self._timeout / 1000
        longest = f"max_statement_time = {seconds}" if self.is_mariadb else f"max_execution_time = {self._timeout}"
        with self._typed(None), self._connection.cursor() as cursor:
            cursor.execute(f"SET SESSION {longest}, lock_wait_timeout = {max(1, int(seconds))}")

    @contextmanager
    def _typed(self, file: SqlFile | None) -> Iterator[None]:
        """Turn the driver's errors into typed ones; a lease that ended meanwhile is the reason for all of them."""
        try:
            yield
        except (pymysql.Error, OSError) as error:
            self.run.alive()
            if isinstance(error, OSError):
                raise Unreachable("The connection was lost.", fix="It is tried again.") from error
            raise at_work(error, file, connected=self._connection.open) from error

    def _cut(self) -> None:
        """Shut the socket: the lease is over."""
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)


def connect(server: Server, seconds: float) -> tuple[Connection, socket.socket]:
    """Return a connection, made within about `seconds`, and a second handle of its socket. Raises a TargetError.

    The session's sql_mode is fixed, because it decides how a quoted value is read.
    """
    if "\0" in server.host + server.user:
        raise Misconfigured("Names of hosts and users contain no NUL character.")
    patience = max(1.0, min(CONNECT_SECONDS, seconds))
    try:
        line = socket.create_connection((server.host, server.port), timeout=patience)
    except (OSError, UnicodeError) as error:
        raise Unreachable(
            f"{server.host}:{server.port} cannot be reached: {error}.",
            fix="Check host name, port, network and the server.",
        ) from error
    handle = line.dup()
    try:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _greeted(server, line, patience, max(1.0, seconds)), handle
    except BaseException:
        handle.close()
        line.close()
        raise


def _greeted(server: Server, line: socket.socket, patience: float, seconds: float) -> Connection:
    """Sign in over an open socket."""
    context = _context(server)
    connection = pymysql.Connection(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password.reveal(),
        charset="utf8mb4",
        sql_mode="STRICT_ALL_TABLES",
        init_command="SET SESSION time_zone = '+00:00'",
        autocommit=True,
        cursorclass=DictCursor,
        connect_timeout=patience,
        read_timeout=seconds,
        write_timeout=seconds,
        ssl=context,
        ssl_disabled=server.encryption == "disable",
        program_name=PROGRAM_NAME,
        defer_connect=True,
    )
    try:
        connection.connect(line)
    except (pymysql.Error, OSError) as error:
        raise at_the_door(error) from error
    return connection


def _context(server: Server) -> ssl.SSLContext | None:
    """Return how the connection is encrypted; None leaves it to what the server offers. Raises Misconfigured."""
    if server.encryption not in ENCRYPTIONS:
        raise Misconfigured(f"The encryption {server.encryption!r} is none of {', '.join(ENCRYPTIONS)}.")
    if server.encryption in ("disable", "prefer"):
        return None
    if server.encryption == "verify-full":
        try:
            return ssl.create_default_context(cadata=server.authority or None)
        except (ssl.SSLError, ValueError) as error:
            raise Misconfigured(
                "The certificate authority cannot be read.", fix="Paste it in PEM format, from BEGIN to END."
            ) from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def uri(server: Server, database: str, user: str) -> str:
    """Return the address for somebody else, without a password."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"mysql://{quote(user, safe='')}@{host}:{server.port}/{quote(database, safe='')}"


def timeout_of(run: Run) -> int:
    """Return the time-out for the next statements, in milliseconds."""
    return max(LEAST_MILLISECONDS, int(run.remaining() * 1000 * SHARE))
