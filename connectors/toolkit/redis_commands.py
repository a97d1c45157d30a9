"""Sends commands to one Redis or Valkey server: under a lease, with typed errors, and never again by itself.

Nothing outlives the lease: when it is over the socket is shut, so that nobody waits for a server that does not answer.
"""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, cast

from redis import exceptions
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection
from redis.retry import Retry

from connectors.contract.errors import CredentialsRejected, Misconfigured, NotPermitted, TargetError, Unreachable
from connectors.contract.orders import Program
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.toolkit.redis_files import CommandFile, Value, in_words

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0

# What a server says when it cannot answer now, by the first word of its answer.
NOT_NOW = ("LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "MISCONF")
NO_SUCH = ("unknown command", "unknown subcommand", "Unknown subcommand")
PROTECTED = "DENIED"
FULL = "max number of clients reached"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is and who the connector is there. `ca` is PEM text; empty: the system's authorities."""

    host: str
    port: int
    user: str
    password: Secret
    tls: bool = False
    ca: str = ""

    @property
    def address(self) -> str:
        """Return host and port as people write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Line(Protocol):
    """What we use of redis-py's connection, which itself declares no types."""

    def connect(self) -> None:
        """Connect and sign in."""

    def disconnect(self) -> None:
        """Close."""

    def send_command(self, *arguments: str) -> None:
        """Send one command."""

    def read_response(self) -> Any:
        """Return its answer."""


class Link:
    """One connection to one server, made on first use. Use it as a context: it is closed at the end."""

    def __init__(self, server: Server, run: Run, *, dry_run: bool = False) -> None:
        """Connect to nothing yet."""
        self.server = server
        self.run = run
        self.dry_run = dry_run
        self._connection: Line | None = None
        self._lost: TargetError | None = None
        self._guard = threading.Timer(max(0.0, run.remaining()), self._cut)
        self._guard.daemon = True

    def __enter__(self) -> Self:
        """Begin to watch the lease."""
        self._guard.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._guard.cancel()
        if self._connection is not None:
            self._connection.disconnect()

    def sign_in(self) -> None:
        """Connect and sign in, and send nothing else. Raises a TargetError."""
        self._open()

    def ask(self, file: CommandFile, /, **values: Value) -> Any:
        """Send a command that only reads and return the answer, its strings as text. Raises a TargetError."""
        admitted = self.run.note(file)
        return self._send(admitted, admitted.compose(values))

    def change(self, file: CommandFile, /, **values: Value) -> Any:
        """Send a command that changes something; in a dry run write down what it would be, and return None."""
        if self.dry_run:
            admitted = self.run.admit(file)
            words = in_words(admitted.compose(values, hide_secrets=True))
            self.run.programs.append(Program(admitted.name, words))
            return None
        return self.ask(file, **values)

    def _send(self, file: CommandFile, arguments: list[str]) -> Any:
        """Send one command and read its answer."""
        connection = self._open()
        self.run.alive()
        try:
            connection.send_command(*arguments)
            return connection.read_response()
        except exceptions.ResponseError as error:
            raise refusal(self.server, file, error) from error
        except (exceptions.RedisError, OSError, ValueError) as error:
            # ValueError: the guard closed the socket while it was being read.
            self.run.alive()
            self._lost = Unreachable(f"{self.server.address} went away or did not answer.", fix="It is tried again.")
            raise self._lost from error

    def _open(self) -> Line:
        """Return the connection, made now if there is none yet. What was lost stays lost: nothing is tried again."""
        if self._lost is not None:
            raise self._lost
        if self._connection is None:
            self.run.alive()
            self._connection = _connection(self.server, self.run.remaining())
            try:
                self._connection.connect()
            except (exceptions.RedisError, OSError, ValueError) as error:
                self.run.alive()
                self._lost = at_the_door(self.server, error)
                raise self._lost from error
        return self._connection

    def _cut(self) -> None:
        """Shut the socket from another thread: the lease is over."""
        connection = self._connection
        line = getattr(connection, "_sock", None)
        if isinstance(line, socket.socket):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already


def _connection(server: Server, seconds: float) -> Line:
    """Return a connection that is not connected yet, and will not try anything twice."""
    kind: type[Connection] = Connection
    options: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "username": server.user,
        "password": server.password.reveal(),
        "protocol": 2,
        "decode_responses": True,
        # Names that others chose may be of any bytes; ours are not.
        "encoding_errors": "replace",
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,
        "socket_connect_timeout": max(0.1, min(CONNECT_SECONDS, seconds)),
        "socket_timeout": max(0.1, min(READ_SECONDS, seconds)),
    }
    if server.tls:
        kind = SSLConnection
        options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_data": server.ca or None}
    return cast(Line, kind(**options))


def at_the_door(server: Server, error: Exception) -> TargetError:
    """Return the typed error for a connection that was not made."""
    causes = (error, error.__cause__, error.__context__)
    words = str(error)
    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthenticationWrongNumberOfArgsError):
        return CredentialsRejected(
            f"{server.address} refused the connector's user name or password.",
            fix="Check them, and that the server's ACL still has this user.",
        )
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes):
        return Unreachable(
            f"{server.address} did not prove who it is.", fix="Give the connector the CA that signed it."
        )
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return Misconfigured(
            f"TLS with {server.address} came to nothing.",
            fix="Check the encryption setting, port and CA.",
        )
    if words.startswith(PROTECTED):
        return Misconfigured(
            f"{server.address} is in protected mode.", fix="Give its users passwords and bind it to an address."
        )
    if FULL in words or words.startswith(NOT_NOW):
        return Unreachable(f"{server.address} takes no connections now.", fix="It is tried again.")
    hint = "Check host name, port, network and the server."
    hint += " With TLS chosen" if server.tls else " Without TLS"
    hint += f", a server that {'does not speak' if server.tls else 'insists on'} it gives no better answer."
    return Unreachable(f"{server.address} cannot be reached.", fix=hint)


def refusal(server: Server, file: CommandFile, error: exceptions.ResponseError) -> TargetError:
    """Return the typed error for a command that was refused. The server's words never hold what we sent as a secret:
    a rule that it quotes is one of ours, whose secrets are hashes."""
    words = f"{server.address} refused {file.name}: {error}"
    if isinstance(error, exceptions.NoPermissionError) or str(error).startswith("NOPERM"):
        return NotPermitted(words, fix=f"Give the connector's user {file.needs}." if file.needs else "")
    if isinstance(error, exceptions.AuthenticationError) or str(error).startswith(("NOAUTH", "WRONGPASS")):
        return CredentialsRejected(words, fix="Ask the owner of the integration for new credentials.")
    if isinstance(error, exceptions.BusyLoadingError | exceptions.MasterDownError | exceptions.ClusterDownError):
        return Unreachable(words, fix="It is tried again.")
    if str(error).startswith(NOT_NOW):
        return Unreachable(words, fix="It is tried again.")
    if any(said in str(error) for said in NO_SUCH):
        return Misconfigured(
            words, fix="Redis 7 or Valkey is needed, and its ACL and CLIENT commands under their names."
        )
    return Misconfigured(words)
