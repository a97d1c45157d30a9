"""The servers of an integration: what its configuration says, and the connections of one order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from connectors.contract.errors import LeaseLost, Misconfigured, TargetError, TargetMissing
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.providers.ssh.names import GROUP
from connectors.toolkit.ssh import CONNECT_SECONDS, Address, Host, KnownHosts
from connectors.toolkit.ssh_keys import PrivateKey, private_key

KEYS = {"name", "host", "user", "port", "tags"}
HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
USER = re.compile(r"[a-z_][a-z0-9_-]*")
SHELL = re.compile(r"/[A-Za-z0-9/._+-]+")
KEY_FILE = re.compile(r"~?[A-Za-z0-9._/-]+")


@dataclass(frozen=True, slots=True)
class Server:
    """One server of the list."""

    name: str
    address: Address
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration, read and checked."""

    servers: dict[str, Server]
    known_hosts: KnownHosts
    key: PrivateKey
    ca: PrivateKey
    groups: tuple[str, ...]
    login_shell: str
    key_file: str
    account_attribute: str
    port_forwarding: bool

    def offers(self, group: str) -> bool:
        """Say whether a group may be asked for here at all."""
        return not self.groups or group in self.groups


def settings(order: Order) -> Settings:
    """Return the configuration. Raises Misconfigured for what cannot be meant."""
    config = order.config
    missing = [name for name in ("base64_private_key", "ca_private_key") if name not in order.secrets]
    if missing:
        raise Misconfigured(f"The configuration lacks {', '.join(missing)}.")
    groups = [name.strip() for name in str(config.get("user_groups") or "").split(",") if name.strip()]
    for name in groups:
        _must(GROUP, name, "a name of a group")
    return Settings(
        servers=servers(config.get("servers"), _must(USER, str(config.get("user") or "latchkey"), "a user name")),
        known_hosts=KnownHosts(str(config.get("known_hosts") or "")),
        key=private_key(order.secrets["base64_private_key"], "The connector's private key"),
        ca=private_key(order.secrets["ca_private_key"], "The private key of the CA"),
        groups=tuple(groups),
        login_shell=_must(SHELL, str(config.get("login_shell") or "/bin/bash"), "a path of a shell"),
        key_file=_must(KEY_FILE, str(config.get("key_file_name") or "~/.ssh/latchkey"), "a plain path of a key file"),
        account_attribute=str(config.get("account_attribute") or ""),
        port_forwarding=str(config.get("port_forwarding") or "false").lower() == "true",
    )


def servers(given: Any, user: str) -> dict[str, Server]:
    """Return the servers of the list by name. Raises Misconfigured saying which entry is wrong and why."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise Misconfigured(f"The list of servers is no JSON: {error}") from error
    if not isinstance(given, list) or not given:
        raise Misconfigured("The list of servers is a JSON list with at least one server.")
    found: dict[str, Server] = {}
    places: dict[Address, str] = {}
    for number, entry in enumerate(given, 1):
        try:
            server = _server(entry, user)
        except Misconfigured as error:
            raise Misconfigured(f"Server {number} of the list: {error.message}") from error
        if server.name in found or server.address in places:
            raise Misconfigured(f"Server {number} of the list: {server.name!r} or its address comes twice.")
        found[server.name], places[server.address] = server, server.name
    return found


def _server(entry: Any, user: str) -> Server:
    """Return one entry of the list."""
    if not isinstance(entry, dict) or not KEYS.issuperset(entry):
        raise Misconfigured("it has name and host, and may have user, port, tags; nothing else.")
    name, port, tags = entry.get("name"), entry.get("port", 22), entry.get("tags", {})
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise Misconfigured("it has no name.")
    if isinstance(port, str) and port.isdigit():
        port = int(port)
    if type(port) is not int or not 0 < port < 65536:
        raise Misconfigured(f"{port!r} is no port.")
    if not isinstance(tags, dict) or not all(isinstance(value, str | int | bool) for value in tags.values()):
        raise Misconfigured("tags are an object of names and texts.")
    address = Address(
        _must(HOST, entry.get("host"), "a host name or address"),
        port,
        _must(USER, entry.get("user", user), "a user name"),
    )
    return Server(name, address, {key: str(value) for key, value in tags.items()})


def _must(pattern: re.Pattern[str], text: Any, what: str) -> str:
    """Return a text that has the form it must have. Raises Misconfigured."""
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise Misconfigured(f"{text!r} is not {what}.")
    return text


class Fleet:
    """The servers as one order sees them. A server that could not be reached is not tried again in the same order."""

    def __init__(self, order: Order, run: Run) -> None:
        """Connect to nothing yet. Raises Misconfigured."""
        self.settings = settings(order)
        self.run = run
        self.dry_run = order.dry_run
        self.errors: dict[str, TargetError] = {}
        self._hosts: dict[str, Host] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        for host in self._hosts.values():
            host.close()

    def close(self, name: str) -> None:
        """Hang up on a server."""
        host = self._hosts.pop(name, None)
        if host is not None:
            host.close()

    def reach(self, names: Iterable[str]) -> list[str]:
        """Connect to these servers, each within its share of the lease; return those that answered."""
        wanted = sorted(set(names))
        for left, name in zip(range(len(wanted), 0, -1), wanted, strict=True):
            seconds = min(CONNECT_SECONDS, self.run.remaining() / (left + 1))
            try:
                self.host(name).connect(seconds)
            except LeaseLost:
                raise
            except TargetError as error:
                self.errors[name] = error
        return [name for name in wanted if name not in self.errors]

    def host(self, name: str) -> Host:
        """Return the connection to a server. Raises the error that it failed with before."""
        if name in self.errors:
            raise self.errors[name]
        if name not in self._hosts:
            server = self.settings.servers.get(name)
            if server is None:
                raise TargetMissing(
                    f"There is no server {name!r} in the list any more.",
                    fix="Leave a server in the list until the grants on it are over; put it back, or look by hand.",
                )
            known, key = self.settings.known_hosts, self.settings.key
            self._hosts[name] = Host(server.address, key, known, self.run, dry_run=self.dry_run)
        return self._hosts[name]
