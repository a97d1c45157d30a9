"""Runs LDAP operations on one directory: under a lease, with typed errors, and never with values as text.

The only user of ldap3. Referrals are not followed: they would carry the password to a host that nobody chose. No
operation outlives the lease: its time-out is what is left, and when the lease is over the socket is shut.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import ldap3
from ldap3.core.exceptions import LDAPException

from connectors.contract.errors import CredentialsRejected, Misconfigured, TargetError, Unreachable
from connectors.contract.orders import Program
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.toolkit.ldap_errors import GARBLED, refusal, rejected, unreachable
from connectors.toolkit.ldap_files import Composed, LdapFile, Value

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
# Active Directory gives at most 1,000 entries at once.
PAGE_MAX = 500
PAGED = "1.2.840.113556.1.4.319"
SCOPES = {"base": ldap3.BASE, "one": ldap3.LEVEL, "subtree": ldap3.SUBTREE}
CHANGES = {"add": ldap3.MODIFY_ADD, "delete": ldap3.MODIFY_DELETE, "replace": ldap3.MODIFY_REPLACE}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a directory is and who the connector is there.

    `encryption` is ldaps, starttls or none. `ca` is the PEM text of the authorities to trust, empty for the system's;
    without `verify`, any certificate is taken.
    """

    host: str
    port: int
    encryption: str
    user: str
    password: Secret
    verify: bool = True
    ca: str = ""

    @property
    def address(self) -> str:
        """Return the directory's address as it is shown."""
        scheme = "ldaps" if self.encryption == "ldaps" else "ldap"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that a directory answered with; attributes by their names in lower case."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]

    def raw(self, name: str) -> bytes:
        """Return the first value of an attribute, empty where there is none."""
        return next(iter(self.attributes.get(name.lower(), ())), b"")

    def text(self, name: str) -> str:
        """Return the first value of an attribute as text, empty where there is none."""
        return self.raw(name).decode(errors="replace")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values of an attribute as texts."""
        return tuple(value.decode(errors="replace") for value in self.attributes.get(name.lower(), ()))


class Directory:
    """One directory, as one order sees it. Use it as a context: it is bound inside and closed at the end."""

    def __init__(self, server: Server, run: Run, *, dry_run: bool = False) -> None:
        """Connect to nothing yet."""
        self.server = server
        self.run = run
        self.dry_run = dry_run
        self._connection: ldap3.Connection | None = None
        self._guard = threading.Timer(max(0.0, run.remaining()), self._cut)
        self._guard.daemon = True

    def __enter__(self) -> Self:
        """Connect and sign in. Raises a TargetError."""
        self.run.alive()
        self._guard.start()
        try:
            self._connection = connection(self.server, self.run.remaining())
            sign_in(self._connection, self.server)
        except TargetError:
            self._hang_up()
            self.run.alive()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self._hang_up()

    def rows(self, file: LdapFile, /, *, missing_is_empty: bool = False, **values: Value) -> list[Entry]:
        """Return all entries that a search finds; with `missing_is_empty`, none where its base is not there."""
        absent = (32,) if missing_is_empty else ()
        return [entry for entries in self._pages(file, PAGE_MAX, values, absent) for entry in entries]

    def stream(self, file: LdapFile, size: int, /, **values: Value) -> Iterator[list[Entry]]:
        """Yield the entries that a search finds, at most `size` at a time, and no more than that in memory."""
        yield from self._pages(file, min(size, PAGE_MAX), values)

    def change(self, file: LdapFile, /, *, already: Collection[int] = (), **values: Value) -> None:
        """Change something; in a dry run write down what it would be. Codes in `already` say that it is so already."""
        if self.dry_run:
            admitted = self.run.admit(file)
            words = admitted.compose(values, hide_secrets=True).in_words()
            self.run.programs.append(Program(admitted.name, words))
            return
        admitted = self.run.note(file)
        operation = admitted.compose(values)
        result = self._send(operation)
        if result["result"] not in (0, *already):
            raise refusal(result, admitted)

    def _pages(
        self, file: LdapFile, size: int, values: Mapping[str, Value], absent: Collection[int] = ()
    ) -> Iterator[list[Entry]]:
        """Yield the pages of a search."""
        admitted = self.run.note(file)
        operation = admitted.compose(values)
        cookie: bytes | None = None
        while True:
            result = self._send(operation, size, cookie)
            if result["result"] in absent:
                return
            if result["result"] != 0:
                raise refusal(result, admitted)
            yield [_entry(one) for one in self._bound().response or () if one.get("type") == "searchResEntry"]
            cookie = result.get("controls", {}).get(PAGED, {}).get("value", {}).get("cookie")
            if not cookie:
                return

    def _send(self, operation: Composed, size: int = 0, cookie: bytes | None = None) -> dict[str, Any]:
        """Send one operation within what is left of the lease and return its result."""
        line = self._bound()
        self.run.alive()
        if line.socket is None:
            raise Unreachable(f"{self.server.address} went away.", fix="It is tried again.")
        line.socket.settimeout(min(ANSWER_SECONDS, self.run.remaining()))
        try:
            _send(line, operation, size, cookie)
        except (LDAPException, OSError, *GARBLED) as error:
            self.run.alive()
            raise unreachable(self.server.address, error) from error
        return dict(line.result)

    def _hang_up(self) -> None:
        """Close the connection, whatever state it is in."""
        self._guard.cancel()
        try:
            if self._connection is not None:
                self._connection.strategy.close()
        except (LDAPException, OSError):
            return  # it is gone already

    def _bound(self) -> ldap3.Connection:
        """Return the connection."""
        if self._connection is None:
            raise Misconfigured("The directory is used outside its context.")
        return self._connection

    def _cut(self) -> None:
        """Shut the socket: the lease is over, and nobody waits for an answer any more."""
        line = self._connection.socket if self._connection is not None else None
        if line is None:
            return
        try:
            with socket.socket(fileno=socket.dup(line.fileno())) as copy:
                copy.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already


def connection(server: Server, seconds: float) -> ldap3.Connection:
    """Return a connection that is not open yet, and waits `seconds` at most for a single answer. Raises Misconfigured.

    An empty password is refused: a bind with one succeeds as nobody (RFC 4513, 5.1.2) and looks like a working one.
    """
    if not server.user or not server.password.reveal():
        raise CredentialsRejected("A user name and a password are needed.", fix="Enter both.")
    try:
        target = ldap3.Server(
            server.host,
            port=server.port,
            use_ssl=server.encryption == "ldaps",
            tls=_Tls(server) if server.encryption != "none" else None,
            get_info=ldap3.NONE,
            connect_timeout=max(1.0, min(CONNECT_SECONDS, seconds)),
            allowed_referral_hosts=[],
        )
        return ldap3.Connection(
            target,
            user=server.user,
            password=server.password.reveal(),
            authentication=ldap3.SIMPLE,
            client_strategy=ldap3.SYNC,
            auto_bind=ldap3.AUTO_BIND_NONE,
            auto_referrals=False,
            auto_range=False,
            auto_escape=False,
            check_names=False,
            raise_exceptions=False,
            receive_timeout=max(1, int(min(ANSWER_SECONDS, seconds))),
        )
    except LDAPException as error:
        raise unreachable(server.address, error) from error


def sign_in(line: ldap3.Connection, server: Server) -> None:
    """Open a connection, encrypt it as was chosen, and bind. Raises a TargetError."""
    try:
        line.open(read_server_info=False)
        if server.encryption == "starttls":
            line.start_tls(read_server_info=False)
        line.bind(read_server_info=False)
    except (LDAPException, OSError, *GARBLED) as error:
        raise unreachable(server.address, error) from error
    if not line.bound:
        raise rejected(dict(line.result))


class _Tls(ldap3.Tls):
    """Python's own check of names and addresses in certificates, which the driver does by hand and in part only."""

    def __init__(self, server: Server) -> None:
        """Raises Misconfigured for a CA that is none."""
        super().__init__(validate=ssl.CERT_REQUIRED if server.verify else ssl.CERT_NONE)
        self._name = server.host
        try:
            self._context = ssl.create_default_context(cadata=server.ca or None)
        except (ssl.SSLError, ValueError) as error:
            raise Misconfigured("The CA is no PEM text with certificates.", fix="Paste the whole file.") from error
        if not server.verify:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Encrypt a connection; the handshake is done at once, within the time-out that its socket has."""
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=self._name)


def _send(line: Any, operation: Composed, size: int, cookie: bytes | None) -> None:
    """Hand one operation to the driver, whose methods are only partly typed."""
    controls = [(oid, True, None) for oid in operation.controls] or None
    if operation.operation == "search":
        line.search(
            operation.dn,
            operation.filter,
            SCOPES[operation.scope],
            dereference_aliases=ldap3.DEREF_NEVER,
            attributes=list(operation.attributes),
            paged_size=size if operation.scope != "base" else None,
            paged_cookie=cookie,
            controls=controls,
        )
    elif operation.operation == "modify":
        changes: dict[str, list[tuple[str, list[str]]]] = {}
        for one in operation.changes:
            changes.setdefault(one.attribute, []).append((CHANGES[one.change], list(one.values)))
        line.modify(operation.dn, changes, controls=controls)
    elif operation.operation == "add":
        entry = {name: list(values) for name, values in operation.entry.items()}
        classes = entry.pop("objectClass", [])
        line.add(operation.dn, classes, entry, controls=controls)
    else:
        line.delete(operation.dn, controls=controls)


def _entry(answer: dict[str, Any]) -> Entry:
    """Return one entry of an answer."""
    attributes = {name.lower(): tuple(values) for name, values in answer["raw_attributes"].items()}
    return Entry(answer["dn"], attributes)
