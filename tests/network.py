"""Keeps tests off the network: sockets connect to this machine only."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any


class NetworkBlocked(Exception):
    """A test tried to leave the machine."""


def _is_local(family: int, address: Any) -> bool:
    """Whether the address is a Unix socket or on the loopback interface."""
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return True
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a connecting method of socket.socket."""

    def guarded(self: socket.socket, address: Any) -> Any:
        if not _is_local(self.family, address):
            raise NetworkBlocked(f"Tests may only connect to this machine, not to {address!r}.")
        return connect(self, address)

    return guarded


def _offline(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap socket.getaddrinfo: names of other machines are unknown at once, as on a machine without a network."""

    def offline(host: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name in {None, "", "localhost"} or _is_address(name):
            return resolve(host, *rest, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    return offline


def _is_address(name: str) -> bool:
    """Whether the name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def block() -> None:
    """Guard every socket that Python opens in this process from now on; for its whole life.

    Drivers that connect in C (libpq) are not reached by this; they get their addresses from the tests.
    """
    socket.getaddrinfo = _offline(socket.getaddrinfo)
    socket.socket.connect = _guarded(socket.socket.connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = _guarded(socket.socket.connect_ex)  # type: ignore[method-assign]
