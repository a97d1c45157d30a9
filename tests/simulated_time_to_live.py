"""Links with a time to live, which Samba has not: a way in to a real Samba that knows them.

Everything goes through to the controller as it is, but for `<TTL=seconds,DN>` in what is written: the DN goes through,
and after so many seconds it is taken out again, as a forest with Privileged Access Management would do.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ldap3.protocol.rfc4511 import LDAPMessage
from pyasn1.codec.ber import decoder, encoder

from tests.targets_samba import BASE, Samba

FEATURE = (
    "CN=Privileged Access Management Feature,CN=Optional Features,CN=Directory Service,CN=Windows NT,CN=Services,"
    f"CN=Configuration,{BASE}"
)
# MS-ADTS, 3.1.1.9.2.
GUID = base64.b64encode(UUID("ec43e873-cce8-4640-b4ab-07ffe4ab5bcd").bytes_le).decode()
FACTS = f"msDS-OptionalFeatureGUID:: {GUID}\nmsDS-OptionalFeatureFlags: 1\nmsDS-RequiredForestBehaviorVersion: 7\n"
LINK = re.compile(rb"<TTL=(\d+),(.+)>", re.DOTALL)


def turn_on(server: Samba) -> None:
    """Let the directory say that the forest has the feature on."""
    server.relaxed("ldbadd", f"dn: {FEATURE}\nobjectClass: msDS-OptionalFeature\n" + FACTS)
    change = "changetype: modify\nadd: msDS-EnabledFeature\nmsDS-EnabledFeature: "
    server.relaxed("ldbmodify", f"dn: CN=Partitions,CN=Configuration,{BASE}\n{change}{FEATURE}\n-\n")


@dataclass
class TimeToLive:
    """A port that speaks plain LDAP. `written` are the links with a time to live that came through: seconds and DN."""

    server: Samba
    written: list[tuple[int, str]] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    _outside: socket.socket = field(default_factory=socket.socket)
    _timers: dict[tuple[str, str], threading.Timer] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Return where it listens."""
        return int(self._outside.getsockname()[1])

    def start(self) -> TimeToLive:
        """Listen."""
        self._outside.bind(("127.0.0.1", 0))
        self._outside.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening, and forget what would be taken later."""
        self._outside.close()
        for timer in self._timers.values():
            timer.cancel()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._outside.accept()
                threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        """Carry one connection, looking into what the caller says."""
        plain = socket.create_connection((self.server.host, self.server.ldaps_port))
        called = ssl.create_default_context(cadata=self.server.ca).wrap_socket(plain, server_hostname="127.0.0.1")
        threading.Thread(target=_carry, args=(called, caller), daemon=True).start()
        with suppress(OSError), caller.makefile("rb") as stream:
            while message := _message(stream):
                called.sendall(self._through(message))
        with suppress(OSError):
            called.close()

    def _through(self, message: bytes) -> bytes:
        """Return a message as it goes to the controller."""
        if b"<TTL=" not in message:
            return message
        parsed, _ = decoder.decode(message, asn1Spec=LDAPMessage())
        request = parsed["protocolOp"]["modifyRequest"]
        self.controls += [str(one["controlType"]) for one in parsed["controls"]]
        for change in request["changes"]:
            values = change["modification"]["vals"]
            for at, value in enumerate(values):
                if found := LINK.fullmatch(bytes(value)):
                    values[at] = found[2]
                    self._later(str(request["object"]), int(found[1]), found[2].decode())
        return bytes(encoder.encode(parsed))

    def _later(self, group: str, seconds: int, member: str) -> None:
        """Take a member out after some seconds, unless another end is written before."""
        self.written.append((seconds, member))
        if (group, member) in self._timers:
            self._timers[group, member].cancel()
        timer = threading.Timer(seconds, self.server.modify, (group, "delete", "member", member))
        timer.daemon = True
        self._timers[group, member] = timer
        timer.start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes until one side stops."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.close()


def _message(stream: Any) -> bytes:
    """Return the next message (X.690: a tag, a length in one or more bytes, the content), or nothing at the end."""
    head: bytes = stream.read(2)
    if len(head) < 2:
        return b""
    length = head[1]
    if length & 0x80:
        more = stream.read(length & 0x7F)
        head, length = head + more, int.from_bytes(more, "big")
    return head + bytes(stream.read(length))
