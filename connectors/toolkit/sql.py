"""Runs SQL programs on a PostgreSQL server: under a lease, with typed errors, and never with values as text.

No statement outlives the lease: the server is told a time-out that is never longer than what is left of it, and when
the lease is over the sockets are shut, so that nobody waits for a server that no longer answers.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from connectors.contract.errors import Misconfigured, TargetError
from connectors.contract.orders import Program
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.toolkit.sql_errors import NOTHING_GRANTED, at_the_door, at_work, not_permitted
from connectors.toolkit.sql_files import Plain, SqlFile, Value

APPLICATION_NAME = "latchkey"
CONNECT_SECONDS = 10
# The server may use at most this part of what is left of the lease for one statement. It is told a new time-out only
# when less than the last one is left, which costs a round trip a few times in a lease and never in a short order.
SHARE = 0.5
# What the server gives a statement, and a session between two: in a transaction, and outside of one (since 14).
TIMEOUTS = ("statement_timeout", "idle_in_transaction_session_timeout")
IDLE_TIMEOUT, KNOWS_IDLE_TIMEOUT = "idle_session_timeout", 140000
LEAST_MILLISECONDS = 50
# PostgreSQL cuts longer names silently (NAMEDATALEN - 1), and then means another object.
NAME_BYTES = 63

Connection = psycopg.Connection[DictRow]


@dataclass(frozen=True, slots=True)
class Server:
    """Where a PostgreSQL server is and who the connector is there."""

    host: str
    port: int
    user: str
    password: Secret
    sslmode: str


class PostgreSQLQuoting:
    """Names and values as psycopg writes them for a connection; without one, for any server in UTF-8."""

    def __init__(self, connection: Connection | None = None) -> None:
        """Write for `connection`."""
        self._connection = connection

    def identifier(self, name: str) -> str:
        """Return a name, quoted. Raises Misconfigured for one that PostgreSQL would cut."""
        if len(name.encode()) > NAME_BYTES:
            raise Misconfigured(f"The name {name!r} is longer than {NAME_BYTES} bytes.")
        return sql.Identifier(name).as_string(self._connection)

    def literal(self, value: Plain) -> str:
        """Return a value, quoted; a list as an array."""
        return sql.Literal(value).as_string(self._connection)


class Session:
    """One connection to one database, in autocommit."""

    def __init__(self, sessions: Sessions, connection: Connection, timeout: int) -> None:
        """Use a connection whose statement_timeout is `timeout` milliseconds."""
        self._sessions = sessions
        self._connection = connection
        self._quoting = PostgreSQLQuoting(connection)
        self._timeout = timeout
        self._nothing_granted: list[str] = []
        connection.add_notice_handler(self._hear)

    @property
    def version(self) -> int:
        """Return the server's version as PostgreSQL counts it: 150018 is 15.18."""
        return self._connection.info.server_version

    @property
    def encrypted(self) -> bool:
        """Say whether the connection is encrypted."""
        return self._connection.pgconn.ssl_in_use

    def rows(self, file: SqlFile, /, **values: Value) -> list[dict[str, Any]]:
        """Run a program that only reads and return its rows."""
        file, (statement,) = self._prepare(file, values)
        with self._typed(file):
            return self._connection.execute(statement.encode()).fetchall()

    def stream(self, file: SqlFile, size: int, /, **values: Value) -> Iterator[list[dict[str, Any]]]:
        """Run a program that only reads and yield its rows, `size` at a time, through a cursor on the server."""
        file, (statement,) = self._prepare(file, values)
        with self._typed(file), self._connection.transaction(), self._connection.cursor(name="pages") as cursor:
            cursor.execute(statement.encode())
            while True:
                self._ready()
                rows = cursor.fetchmany(size)
                if not rows:
                    return
                yield rows

    def change(self, file: SqlFile, /, **values: Value) -> None:
        """Run a program that changes something, all or nothing; in a dry run write down what it would be.

        Raises NotPermitted also when the server only warns that nothing was granted.
        """
        if self._sessions.dry_run:
            file = self._sessions.run.admit(file)
            text = ";\n".join(file.compose(values, self._quoting, hide_secrets=True))
            self._sessions.run.programs.append(Program(file.name, f"{text};"))
            return
        file, statements = self._prepare(file, values)
        with self._typed(file):
            if len(statements) == 1:
                self._change(file, statements[0])
                return
            with self._connection.transaction():
                for statement in statements:
                    self._change(file, statement)
                # The commit is a statement too.
                self._ready()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def cut(self) -> None:
        """Shut the socket from another thread, so that whoever waits for the server stops waiting."""
        try:
            with socket.socket(fileno=socket.dup(self._connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
        except (OSError, psycopg.Error):
            return  # it is closed already

    def _prepare(self, file: SqlFile, values: Mapping[str, Value]) -> tuple[SqlFile, list[str]]:
        """Return the program that may run and its statements, once the lease holds."""
        admitted = self._sessions.run.note(file)
        statements = admitted.compose(values, self._quoting)
        self._ready()
        return admitted, statements

    def _change(self, file: SqlFile, statement: str) -> None:
        """Run one statement and look at the server's warnings."""
        self._ready()
        self._nothing_granted.clear()
        self._connection.execute(statement.encode())
        if self._nothing_granted:
            raise not_permitted(self._nothing_granted[0], file)

    def _hear(self, notice: psycopg.errors.Diagnostic) -> None:
        """Keep what a warning says; the driver frees the notice itself when this returns."""
        if notice.sqlstate in NOTHING_GRANTED:
            self._nothing_granted.append(notice.message_primary or "Nothing was granted")

    def _ready(self) -> None:
        """Raise LeaseLost when the lease is over; keep the server's time-outs inside it.

        The idle ones end a session whose owner stopped after this look at the lease: its statement, sent when it wakes,
        finds nobody. Without them it would be run, whatever was proven meanwhile.
        """
        run = self._sessions.run
        run.alive()
        if run.remaining() * 1000 < self._timeout:
            self._timeout = _timeout(run)
            self.limit(*TIMEOUTS)

    def limit(self, *names: str) -> None:
        """Give these settings the session's time-out, and that of idle sessions where the server has it."""
        known = self._connection.info.server_version >= KNOWS_IDLE_TIMEOUT
        chosen, timeout = [*names, IDLE_TIMEOUT] if known else list(names), str(self._timeout)
        if chosen:
            calls = sql.SQL(", ").join(sql.SQL("set_config({}, {}, false)").format(one, timeout) for one in chosen)
            with self._typed(None):
                self._connection.execute(sql.SQL("SELECT {}").format(calls))

    @contextmanager
    def _typed(self, file: SqlFile | None) -> Iterator[None]:
        """Turn the driver's errors into typed ones; a lease that ended meanwhile is the reason for all of them."""
        try:
            yield
        except psycopg.Error as error:
            self._sessions.run.alive()
            raise at_work(error, file, connected=not self._connection.broken) from error
        except UnicodeDecodeError as error:
            raise Misconfigured(f"The server has a name that is not in its own encoding: {error.reason}.") from error


class Sessions:
    """The connections of one run, one per database, closed together."""

    def __init__(self, server: Server, run: Run, *, dry_run: bool = False) -> None:
        """Connect to nothing yet."""
        self.server = server
        self.run = run
        self.dry_run = dry_run
        self._open: dict[str, Session] = {}
        self._guard = threading.Timer(max(0.0, run.remaining()), self._cut)
        self._guard.daemon = True

    def __enter__(self) -> Self:
        """Begin to watch the lease."""
        self._guard.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        self._guard.cancel()
        for database in list(self._open):
            self.close(database)

    def on(self, database: str) -> Session:
        """Return the session on a database, connecting on first use. Raises a TargetError."""
        if database not in self._open:
            self._open[database] = self._connect(database)
        return self._open[database]

    def close(self, database: str) -> None:
        """Close the session on a database, if there is one."""
        session = self._open.pop(database, None)
        if session is not None:
            session.close()

    def _connect(self, database: str) -> Session:
        """Connect under the lease."""
        self.run.alive()
        timeout = _timeout(self.run)
        try:
            connection = connect(
                self.server, database, self.run.remaining(), " ".join(f"-c {name}={timeout}" for name in TIMEOUTS)
            )
            session = Session(self, connection, timeout)
            # Kept before anything is asked of it: only what is kept is cut when the lease ends, and a server may stop
            # answering between two statements. What ended before it was kept is seen here.
            self._open[database] = session
            self.run.alive()
            session.limit()
        except TargetError:
            self.close(database)
            self.run.alive()
            raise
        return session

    def _cut(self) -> None:
        """Shut every socket: the lease is over."""
        for session in list(self._open.values()):
            session.cut()


def connect(server: Server, database: str, seconds: float, options: str = "") -> Connection:
    """Return a connection, made within about `seconds`. Raises a TargetError.

    search_path holds nothing but pg_catalog: what people make in other schemas must not be mistaken for a built-in.
    """
    if "\0" in database + server.host + server.user:
        raise Misconfigured("Names of hosts, users and databases contain no NUL character.")
    try:
        return psycopg.connect(
            host=server.host,
            port=server.port,
            dbname=database,
            user=server.user,
            password=server.password.reveal(),
            sslmode=server.sslmode,
            connect_timeout=max(2, min(CONNECT_SECONDS, int(seconds))),
            tcp_user_timeout=max(1000, int(seconds * 1000)),
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            application_name=APPLICATION_NAME,
            client_encoding="utf8",
            options=f"-c search_path=pg_catalog {options}".strip(),
            autocommit=True,
            prepare_threshold=None,
            row_factory=dict_row,
        )
    except psycopg.Error as error:
        raise at_the_door(error) from error


def conninfo(server: Server, database: str, user: str) -> str:
    """Return the connection string of somebody else for this server, without a password."""
    return make_conninfo(host=server.host, port=server.port, dbname=database, user=user, sslmode=server.sslmode)


def uri(server: Server, database: str, user: str) -> str:
    """Return the same as an URI."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    query = urlencode({"sslmode": server.sslmode})
    return f"postgresql://{quote(user, safe='')}@{host}:{server.port}/{quote(database, safe='')}?{query}"


def _timeout(run: Run) -> int:
    """Return the time-out for the next statements, in milliseconds."""
    return max(LEAST_MILLISECONDS, int(run.remaining() * 1000 * SHARE))
