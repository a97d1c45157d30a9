"""Directories and hosts that do not answer, or answer without end: nobody waits longer than the lease."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Order, Verb
from connectors.contract.secret import Secret
from connectors.runners.local import run

LEASE = 3.0
PLAIN = {"encryption": "none", "username": "latchkey@example.com"}
# An answer to a bind (RFC 4511, 4.2.2): message 1, success.
BOUND = bytes.fromhex("300c02010161070a010004000400")


def silence(line: socket.socket) -> None:
    """Say nothing, and keep listening."""
    while line.recv(4096):
        continue


def dripping(line: socket.socket) -> None:
    """Begin an answer of a megabyte, and say a byte of it now and then."""
    line.recv(4096)
    line.sendall(bytes.fromhex("3083100000"))
    while True:
        line.sendall(b"\0")
        time.sleep(0.2)


def silence_after_the_bind(line: socket.socket) -> None:
    """Let the caller in, and then say nothing. Messages are numbered across connections, so the number is theirs."""
    request = line.recv(4096)
    at = request.index(b"\x02") + 2
    length = request[at - 1]
    number = request[at : at + length]
    body = b"\x02" + bytes([length]) + number + BOUND[5:]
    line.sendall(b"\x30" + bytes([len(body)]) + body)
    silence(line)


def dripping_http(line: socket.socket) -> None:
    """Begin an answer over HTTP, and say a byte of its body now and then."""
    line.recv(4096)
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 100000\r\n\r\n")
    while True:
        line.sendall(b" ")
        time.sleep(0.2)


@contextmanager
def listening(behaviour: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen on a free port and behave so to each caller."""

    def serve(line: socket.socket) -> None:
        with suppress(OSError, ValueError, IndexError), line:
            behaviour(line)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(outside.accept()[0],), daemon=True).start()

    with socket.socket() as outside:
        outside.bind(("127.0.0.1", 0))
        outside.listen()
        threading.Thread(target=accept, daemon=True).start()
        yield outside.getsockname()[1]
        outside.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("behaviour", [silence, dripping, dripping_http, silence_after_the_bind])
@pytest.mark.parametrize(
    ("provider", "config"),
    [
        ("active-directory", PLAIN),
        ("active-directory", {**PLAIN, "encryption": "ldaps"}),
        ("active-directory", {**PLAIN, "encryption": "starttls"}),
        ("windows-domain-controller", {"username": "latchkey@example.com", "authentication": "basic"}),
        ("windows-domain-controller", {"username": "latchkey@example.com", "ssl": False}),
    ],
)
def test_nobody_waits_longer_than_the_lease(
    provider: str, config: dict[str, Any], behaviour: Callable[[socket.socket], None]
) -> None:
    with listening(behaviour) as port:
        order = Order(
            order_id="order-1",
            epoch=1,
            verb=Verb.CHECK,
            provider=provider,
            integration_id="integration-1",
            config={"hostname": "127.0.0.1", "port": port, **config},
            secrets={"password": Secret("hush-hush")},
            lease_seconds=LEASE,
        )
        begun = time.monotonic()
        report = run(order, on_page=lambda page: None)
    assert time.monotonic() - begun < LEASE + 2
    assert report.error is not None
    assert report.error.kind in {ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST}
    assert "hush" not in str(report)
