"""Calls that the server itself makes to other systems: one request, guarded, within a time, bounded, never redirected.

What a connector sends to its target goes through toolkit.http; this shares its errors, its answers and its bounds.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util import connection

from connectors.contract.errors import Misconfigured, Refused, Unreachable
from connectors.contract.secret import Secret
from connectors.toolkit.guard import Exceptions, checked_address
from connectors.toolkit.http import Answer, body_of, parsed, unreachable

USER_AGENT = "latchkey-server"
BODY_MAX = 256 * 2**10
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `json` is sent as a JSON body, `form` as a form, `query` behind the address."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = field(default=None, repr=False)
    query: Mapping[str, Any] | None = None
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner of the server allows: private addresses, plain HTTP; and whose certificates are believed."""

    excepted: Exceptions = field(default_factory=Exceptions)
    plain: bool = False
    ca_file: str = ""


def send(call: Call, rules: Rules) -> Answer:
    """Send one request and return whatever the system answered, of any status; a redirect is an answer like others.

    Raises Misconfigured, Refused or Unreachable, whose words name the host and hold no path, query or value.
    """
    parts = place_of(call.url, plain=rules.plain)
    host, port = parts.hostname or "", parts.port or {"https": 443, "http": 80}[parts.scheme]
    began = time.monotonic()
    address = checked_address(host, port, rules.excepted)
    left = call.timeout - (time.monotonic() - began)
    if left <= 0:
        raise Unreachable(f"{host} did not answer in time.", fix="It is tried again.")
    with _Wire(host, address, left) as wire, requests.Session() as session:
        session.trust_env = False  # no proxies, no .netrc, no bundle from the environment
        session.mount(f"{parts.scheme}://", wire)
        return _exchange(session, call, rules, wire)


def _exchange(session: requests.Session, call: Call, rules: Rules, wire: _Wire) -> Answer:
    # Packed answers are not asked for and not taken: a small one may unpack to more than there is memory.
    asked = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"}
    headers = {**asked, **call.headers}
    headers |= {name: secret.reveal() for name, secret in call.secrets.items()}
    try:
        with session.request(
            call.method,
            call.url,
            headers=headers,
            params=call.query,
            json=call.json,
            data=call.form,
            timeout=(min(CONNECT_SECONDS, wire.seconds), wire.seconds),
            allow_redirects=False,
            verify=rules.ca_file or True,
            stream=True,
        ) as response:
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
                raise Misconfigured(f"{wire.host} answered packed, though that was not asked for.")
            body = body_of(response, wire.alive, wire.host, BODY_MAX)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        wire.alive()
        raise _failure(wire.host, error) from None  # its own words may hold the address with its query
    wire.alive()
    text = body.decode("utf-8", errors="replace")
    return Answer(response.status_code, parsed(text), response.headers, text)


def _failure(host: str, error: Exception) -> Unreachable | Misconfigured:
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(
            f"{host} did not prove who it is.", fix="If its certificate is your own: LATCHKEY_CALL_CA_FILE."
        )
    if isinstance(error, requests.RequestException) and not isinstance(error, ValueError):
        return unreachable(host, error)
    if isinstance(error, ValueError):
        return Misconfigured(f"{host} cannot be called like this ({type(error).__name__}).")
    return Unreachable(f"{host} broke off ({type(error).__name__}).", fix="It is tried again.")


def place_of(url: str, *, plain: bool) -> SplitResult:
    """Return the parts of an address. Raises Misconfigured for what is none, Refused for plain HTTP."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise Misconfigured("This is no address: its host or port cannot be read.") from None
    if parts.scheme not in {"https", "http"} or not named or any(not "!" <= one <= "~" for one in url):
        raise Misconfigured("This is no address: it looks like https://example.com/path, without spaces.")
    if parts.username is not None or parts.password is not None:
        raise Misconfigured("A name or password in an address is readable: put it into a secret header.")
    if parts.scheme == "http" and not plain:
        raise Refused(
            "It must begin with https://.", fix="The operator can allow plain HTTP: LATCHKEY_CALL_PLAIN_HTTP."
        )
    return parts


class _Wire(HTTPAdapter):
    """Connects to one address, whatever the name resolves to by now, and cuts the line when the time is over.

    A time-out of a socket begins anew with every byte, so a system that answers one byte a second would hold us for
    hours; here the whole exchange has one end.
    """

    def __init__(self, host: str, address: str, seconds: float) -> None:
        """Connect to nothing yet."""
        self.host, self.address, self.seconds = host, address, seconds
        self._lines: list[socket.socket] = []
        self._over = threading.Event()
        self._clock = threading.Timer(seconds, self._cut)
        self._clock.daemon = True
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def __enter__(self) -> _Wire:
        """Start the clock."""
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the clock and let the line go."""
        self._clock.cancel()
        for line in self._lines:
            line.close()

    def get_connection_with_tls_context(self, *told: Any, **more: Any) -> Any:
        """Return a pool whose connections are ours."""
        pool: Any = super().get_connection_with_tls_context(*told, **more)
        wire, kind = self, _Secure if isinstance(pool, urllib3.HTTPSConnectionPool) else _Plain
        pool.ConnectionCls = type(kind.__name__, (kind,), {"wire": wire})
        return pool

    def dial(self, port: int, timeout: Any, options: Any) -> socket.socket:
        """Return a socket to the address that was checked."""
        line = connection.create_connection((self.address, port), timeout, socket_options=options)
        # A copy: TLS takes the socket over, and its end must be reachable also during the handshake.
        self._lines.append(line.dup())
        if self._over.is_set():
            self._cut()
        return line

    def alive(self) -> None:
        """Raise Unreachable once the time is over."""
        if self._over.is_set():
            raise Unreachable(f"{self.host} did not answer in time.", fix="It is tried again.")

    def _cut(self) -> None:
        self._over.set()
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class _Plain(HTTPConnection):
    """A connection of a wire."""

    wire: _Wire

    def _new_conn(self) -> socket.socket:
        with _as_urllib3(self):
            return self.wire.dial(self.port, self.timeout, self.socket_options)


class _Secure(HTTPSConnection):
    """The same with TLS: name indication and certificate are those of the name, not of the address."""

    wire: _Wire

    def _new_conn(self) -> socket.socket:
        with _as_urllib3(self):
            return self.wire.dial(self.port, self.timeout, self.socket_options)


@contextmanager
def _as_urllib3(of: HTTPConnection) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NewConnectionError(of, f"Failed to establish a connection: {error}") from error
