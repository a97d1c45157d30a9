"""Runs PowerShell programs on one Windows host through WinRM: under a lease, with typed errors, values as parameters.

The only user of pypsrp. Nothing is retried, and no request waits longer than the lease: each is told what is left.
"""

from __future__ import annotations

import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import WinRMError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from requests.adapters import HTTPAdapter

from connectors.contract.errors import Misconfigured, Refused, TargetError
from connectors.contract.orders import Program
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.toolkit.powershell_errors import failure, unreachable
from connectors.toolkit.powershell_files import PowerShellFile, Value

CONNECT_SECONDS = 10
ANSWER_SECONDS = 30
# How long the host may hold back an answer before it says that there is none yet.
POLL_SECONDS = 10
# When the host closes a session that nobody closed, because we died or lost our lease.
IDLE_SECONDS = 120
SUPPORTED = ("negotiate", "kerberos", "ntlm", "basic")


@dataclass(frozen=True, slots=True)
class Server:
    """Where WinRM listens and who the connector is there.

    `authentication` is one of SUPPORTED. `ca` is the PEM text of the authorities to trust, empty for the system's;
    without `verify`, any certificate is taken. `configuration` is the name of the session configuration.
    """

    host: str
    port: int
    ssl: bool
    user: str
    password: Secret
    authentication: str = "negotiate"
    verify: bool = True
    ca: str = ""
    configuration: str = "Microsoft.PowerShell"

    @property
    def address(self) -> str:
        """Return the host's address as it is shown."""
        return f"{'https' if self.ssl else 'http'}://{self.host}:{self.port}/wsman"


class Watch(HTTPAdapter):
    """Knows the connections of a session, so that another thread can shut them when the lease is over."""

    def __init__(self) -> None:
        """Know none yet."""
        self.open: list[Any] = []
        super().__init__()

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """Return a pool whose connections are known."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        kind, known = type(pool).ConnectionCls, self.open

        class Known(kind):  # type: ignore[misc, valid-type] # plain or TLS, as the pool is
            def connect(self) -> None:
                known.append(self)
                super().connect()

        pool.ConnectionCls = Known
        return pool

    def cut(self) -> None:
        """Shut every connection, so that whoever waits for the host stops waiting."""
        for line in self.open:
            if getattr(line, "sock", None) is not None:
                with suppress(OSError), socket.socket(fileno=socket.dup(line.sock.fileno())) as copy:
                    copy.shutdown(socket.SHUT_RDWR)


class Line(WSMan):
    """A line to WinRM on which every request is preceded by a look at the lease, and none is sent twice."""

    run: Run
    watch: Watch

    def invoke(self, *arguments: Any, retries_on_read_timeout: int = 0, **options: Any) -> Any:
        """Send one request within what is left of the lease. The driver would repeat what was not answered in time."""
        self.run.alive()
        if self.transport.session is None:
            # Made here and not by the driver on its first request, so that its connections can be watched.
            self.transport.session = self.transport._build_session()
            for scheme in ("https://", "http://"):
                self.transport.session.mount(scheme, self.watch)
        left = max(1, int(self.run.remaining()))
        self.transport.connection_timeout = min(CONNECT_SECONDS, left)
        self.transport.read_timeout = min(ANSWER_SECONDS, left)
        if options.get("timeout"):
            options["timeout"] = min(int(options["timeout"]), left)
        return super().invoke(*arguments, retries_on_read_timeout=0, **options)


class Host:
    """One Windows host, as one order sees it. Use it as a context: its session is open inside and closed at the end."""

    def __init__(self, server: Server, run: Run, *, dry_run: bool = False) -> None:
        """Connect to nothing yet."""
        self.server = server
        self.run = run
        self.dry_run = dry_run
        self._pool: Any = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Sign in and open a session. Raises a TargetError."""
        server = self.server
        if server.authentication == "basic" and not server.ssl:
            raise Refused("Basic sends the password as it is.", fix="Use SSL, or another authentication.")
        self.run.alive()
        try:
            line = Line(
                server.host,
                port=server.port,
                username=server.user,
                password=server.password.reveal(),
                ssl=server.ssl,
                auth=server.authentication,
                cert_validation=self._authorities(),
                operation_timeout=POLL_SECONDS,
                no_proxy=True,
            )
            line.run, line.watch = self.run, Watch()
            guard = threading.Timer(self.run.remaining(), line.watch.cut)
            guard.daemon = True
            guard.start()
            self._stack.callback(guard.cancel)
            self._stack.callback(line.close)
            self._pool = RunspacePool(line, configuration_name=server.configuration, idle_timeout=IDLE_SECONDS)
            self._pool.open()
        except (WinRMError, requests.RequestException, ValueError, OSError) as error:
            self._stack.close()
            self.run.alive()
            raise unreachable(server.address, error) from error
        except TargetError:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session; one that cannot be closed is closed by its host before long."""
        with self._stack, suppress(WinRMError, requests.RequestException, TargetError):
            self._pool.close()

    def rows(self, file: PowerShellFile, /, **values: Value) -> list[dict[str, Any]]:
        """Return all objects that a program answers with."""
        return [row for rows in self.stream(file, 1000, **values) for row in rows]

    def stream(self, file: PowerShellFile, size: int, /, **values: Value) -> Iterator[list[dict[str, Any]]]:
        """Yield the objects that a program answers with, at most `size` at a time, as they come."""
        admitted = self.run.note(file)
        yield from self._invoke(admitted, values, size)

    def change(self, file: PowerShellFile, /, *, already: Collection[int] = (), **values: Value) -> None:
        """Change something; in a dry run write down what it would be. Codes in `already` say that it is so already."""
        if self.dry_run:
            admitted = self.run.admit(file)
            self.run.programs.append(Program(admitted.name, admitted.in_words(values)))
            return
        for _ in self._invoke(self.run.note(file), values, 1, already):
            continue

    def _invoke(
        self, file: PowerShellFile, values: Mapping[str, Value], size: int, already: Collection[int] = ()
    ) -> Iterator[list[dict[str, Any]]]:
        """Run a program and yield what it says while it runs."""
        self.run.alive()
        shell = PowerShell(self._pool)
        shell.add_script(file.text)
        for name, value in file.compose(values).items():
            shell.add_parameter(name, value)
        try:
            shell.begin_invoke()
            while shell.state == PSInvocationState.RUNNING:
                shell.poll_invoke(timeout=POLL_SECONDS)
                while len(shell.output) >= size:
                    yield [_parsed(text, file) for text in shell.output[:size]]
                    del shell.output[:size]
        except (WinRMError, requests.RequestException, OSError) as error:
            self.run.alive()
            raise unreachable(self.server.address, error) from error
        if shell.output:
            yield [_parsed(text, file) for text in shell.output]
        if shell.had_errors or shell.streams.error:
            told = failure(shell.streams.error, file, already)
            if told is not None:
                raise told

    def _authorities(self) -> Any:
        """Return the file with the authorities to trust, True for the system's, False for none.

        Raises Misconfigured for a CA that is none. The driver's type knows of no file, its documentation does.
        """
        if not self.server.ca or not self.server.verify:
            return self.server.verify
        try:
            ssl.create_default_context(cadata=self.server.ca)
        except (ssl.SSLError, ValueError) as error:
            raise Misconfigured("The CA is no PEM text with certificates.", fix="Paste the whole file.") from error
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="latchkey-ca-")))
        (folder / "ca.pem").write_text(self.server.ca)
        return str(folder / "ca.pem")


def _parsed(text: Any, file: PowerShellFile) -> dict[str, Any]:
    """Return one object of an answer. Raises Misconfigured for what is none: the file is not the one that was meant."""
    try:
        found = json.loads(str(text))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Misconfigured(f"{file.name} answered with something that is no JSON object.")
    return found
