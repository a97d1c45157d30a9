"""Runs shell programs on servers over SSH: under a lease, with pinned host keys, and never with values as text.

One fixed command is run, `sudo -n /usr/local/sbin/latchkey-run`, which the set-up put there. It reads a program and its
values from its standard input (`ShellFile.parcel`), and runs only programs whose digest is on the server's own list. So
what the connector's key opens is that list and nothing else, whoever holds it.

No program outlives the lease: latchkey-run is told how many seconds are left, and when the lease is over the connection
is shut, so that nobody waits for a server that no longer answers.
"""

from __future__ import annotations

import io
import logging
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    Refused,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.contract.orders import Program
from connectors.contract.provider import Run
from connectors.toolkit.shell_files import ShellFile, Value
from connectors.toolkit.ssh_keys import PrivateKey, openssh

COMMAND = "sudo -n /usr/local/sbin/latchkey-run"
CONNECT_SECONDS = 10.0
# How much sooner than the lease a program must be over.
MARGIN_SECONDS = 1.0
# What the library calls a failed authentication although nobody was asked, or nobody answered.
CUT_SHORT = re.compile(r"timeout|transport shut down|EOF", re.IGNORECASE)
OUTPUT_MAX = 8 * 2**20
SAID_MAX = 400
# What the programs say by their exit status, in the words of sysexits.h.
STATUSES: dict[int, Callable[[str], TargetError]] = {
    64: Misconfigured,  # EX_USAGE
    67: TargetMissing,  # EX_NOUSER
    75: lambda said: Unreachable(said, fix="It is tried again."),  # EX_TEMPFAIL
    76: Refused,  # EX_PROTOCOL: the server's own list, or an account that is not ours
    77: NotPermitted,  # EX_NOPERM
    78: Misconfigured,  # EX_CONFIG
}

# The library reports every broken connection there itself, with its traceback; the typed errors say it once.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and who the connector is there."""

    host: str
    port: int
    user: str

    @property
    def known_as(self) -> str:
        """Return the server's name as it stands in known_hosts."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"


class KnownHosts:
    """The pinned host keys: the text of a known_hosts file, with exact or hashed names."""

    def __init__(self, text: str) -> None:
        """Read it. Raises Misconfigured naming the line that is not understood: none may be passed over."""
        self._keys = paramiko.HostKeys()
        for number, line in enumerate(text.splitlines(), 1):
            words = line.strip()
            if not words or words.startswith("#"):
                continue
            entry = _entry(words, number)
            for name in entry.hostnames or ():
                self._keys.add(name, entry.key.get_name(), entry.key)

    def of(self, address: Address) -> dict[str, paramiko.PKey]:
        """Return the keys of one server, by kind. Raises Misconfigured when there is none: nobody is trusted unseen."""
        found = self._keys.lookup(address.known_as)
        if not found:
            raise Misconfigured(
                f"No host key of {address.known_as} is known.",
                fix=f"Compare what ssh-keyscan -p {address.port} {address.host} says with the server's own"
                " /etc/ssh/ssh_host_*_key.pub, and put it into the known hosts.",
            )
        return dict(found)

    def lines(self, address: Address) -> list[str]:
        """Return the lines of one server, its name in the clear."""
        return [f"{address.known_as} {key.get_name()} {key.get_base64()}" for key in self.of(address).values()]


class Host:
    """One server, as one order sees it. Connects on first use; `close` must be called."""

    def __init__(self, address: Address, key: PrivateKey, known: KnownHosts, run: Run, *, dry_run: bool) -> None:
        """Connect to nothing yet."""
        self.address = address
        self._key, self._known, self._run, self._dry_run = key, known, run, dry_run
        self._client: paramiko.SSHClient | None = None
        self._guard: threading.Timer | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._guard is not None:
            self._guard.cancel()
        if self._client is not None:
            self._client.close()

    def connect(self, seconds: float = CONNECT_SECONDS) -> None:
        """Connect within `seconds`, unless that was done. Raises a TargetError."""
        if self._client is not None:
            return
        self._run.alive()
        client = self._connected(min(seconds, self._run.remaining()))
        self._client = client
        self._guard = threading.Timer(self._run.remaining(), client.close)
        self._guard.daemon = True
        self._guard.start()

    def read(self, file: ShellFile, /, **values: Value) -> str:
        """Run a program that only reads and return what it wrote."""
        return self._send(self._run.note(file), values)

    def change(self, file: ShellFile, /, **values: Value) -> str:
        """Run a program that changes something; in a dry run write down what it would be, and return nothing."""
        if self._dry_run:
            admitted = self._run.admit(file)
            self._run.programs.append(Program(admitted.name, admitted.in_words(values)))
            return ""
        return self._send(self._run.note(file), values)

    def _connected(self, seconds: float) -> paramiko.SSHClient:
        """Return a connection to the server that has one of the pinned keys."""
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        for kind, key in self._known.of(self.address).items():
            client.get_host_keys().add(self.address.known_as, kind, key)
        try:
            client.connect(
                self.address.host,
                self.address.port,
                username=self.address.user,
                pkey=_pkey(self._key),
                timeout=seconds,
                banner_timeout=seconds,
                auth_timeout=seconds,
                channel_timeout=seconds,
                allow_agent=False,
                look_for_keys=False,
            )
        except (paramiko.SSHException, OSError, EOFError, ValueError) as error:
            client.close()
            self._run.alive()
            raise at_the_door(error, self.address) from error
        return client

    def _send(self, file: ShellFile, values: dict[str, Value]) -> str:
        """Run a program within what is left of the lease and judge how it ended."""
        self.connect()
        self._run.alive()
        left = self._run.remaining()
        parcel = file.parcel(values, left - MARGIN_SECONDS)
        try:
            status, output, said = self._exchange(parcel, left)
        except (paramiko.SSHException, OSError, EOFError) as error:
            self._run.alive()
            raise Unreachable(
                f"The connection to {self.address.known_as} was lost ({type(error).__name__}).",
                fix="It is tried again.",
            ) from error
        if status:
            self._run.alive()
            raise at_work(status, said, file, self.address)
        return output

    def _exchange(self, parcel: bytes, left: float) -> tuple[int, str, str]:
        """Send a parcel; return the exit status, the output and the errors."""
        transport = self._client.get_transport() if self._client is not None else None
        if transport is None:
            raise EOFError
        with transport.open_session(timeout=left) as channel:
            channel.settimeout(left)
            channel.exec_command(COMMAND)
            try:
                channel.sendall(parcel)
                channel.shutdown_write()
            except OSError:
                pass  # it ended before it had read everything; its words and its status say why
            output = channel.makefile("rb").read(OUTPUT_MAX + 1)
            said = channel.makefile_stderr("rb").read(OUTPUT_MAX)
            if len(output) > OUTPUT_MAX:
                raise Misconfigured(f"{self.address.known_as} answered with more than {OUTPUT_MAX // 2**20} MB.")
            channel.status_event.wait(left)
            status = channel.recv_exit_status() if channel.exit_status_ready() else -1
        return status, output.decode(errors="replace"), said.decode(errors="replace")


def at_the_door(error: Exception, address: Address) -> TargetError:
    """Return the typed error for a connection that did not come about."""
    where = address.known_as
    if isinstance(error, paramiko.BadHostKeyException):
        return Misconfigured(
            f"{where} shows another host key than the one that is known.",
            fix="If the server was set up anew, put its new key into the known hosts. If not, somebody is in between.",
        )
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return Misconfigured(f"{where} and the connector have no algorithm in common.", fix="Upgrade its OpenSSH.")
    if isinstance(error, paramiko.AuthenticationException) and not CUT_SHORT.search(str(error)):
        return CredentialsRejected(
            f"{where} does not take the connector's key for {address.user}.",
            fix="Run setup/2_server.sh there with the public half of the connector's key.",
        )
    if isinstance(error, socket.gaierror):
        return Unreachable(f"The name {address.host} is not known.", fix="It is tried again; look at the server list.")
    return Unreachable(f"{where} did not answer ({type(error).__name__}).", fix="It is tried again.")


def at_work(status: int, said: str, file: ShellFile, address: Address) -> TargetError:
    """Return the typed error for a program that ended with a status of its own."""
    printable = "".join(character if character.isprintable() else "\n" for character in said)
    lines = [line.strip() for line in printable.splitlines() if line.strip()]
    words = f"{address.known_as}: {lines[-1][:SAID_MAX] if lines else f'{file.name} ended with {status}.'}"
    if any(line.startswith("sudo:") for line in lines) or status in (126, 127):
        return NotPermitted(words, fix="Run setup/2_server.sh there: it lets the connector run latchkey-run.")
    if status in (-1, 124, 137, 143):
        return Unreachable(f"{address.known_as}: {file.name} did not come to its end.", fix="It is tried again.")
    made = STATUSES.get(status)
    return made(words) if made is not None else Misconfigured(f"{words} ({file.name} ended with {status})")


def _entry(line: str, number: int) -> HostKeyEntry:
    """Return one line of known_hosts."""
    try:
        entry = None if line.startswith("@") else HostKeyEntry.from_line(line, number)
        # The library looks at some keys only when it compares them.
        load_ssh_public_key(" ".join(line.split()[1:3]).encode())
    except (InvalidHostKey, paramiko.SSHException, ValueError, UnsupportedAlgorithm):
        entry = None
    if entry is None or entry.key is None:
        raise Misconfigured(
            f"Line {number} of the known hosts is not understood.",
            fix="A line has a name, the kind of key and the key, as ssh-keyscan prints them; no @markers.",
        )
    return entry


def _pkey(key: PrivateKey) -> paramiko.PKey:
    """Return a key as the library wants it."""
    text = io.StringIO(openssh(key))
    if isinstance(key, Ed25519PrivateKey):
        return paramiko.Ed25519Key.from_private_key(text)
    if isinstance(key, RSAPrivateKey):
        return paramiko.RSAKey.from_private_key(text)
    return paramiko.ECDSAKey.from_private_key(text)
