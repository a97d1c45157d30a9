"""The nodes of an order: servers that each have users of their own, with one connector user on all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.providers.redis import programs, rules
from connectors.toolkit.redis_commands import Link, Server

PORT = 6379


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of an integration."""

    servers: tuple[Server, ...]
    persistence: str
    key_patterns: tuple[str, ...]
    channel_patterns: tuple[str, ...]

    @property
    def main(self) -> Server:
        """Return the server that people are told to connect to."""
        return self.servers[0]

    def offers(self, resource_type: str, pattern: str) -> bool:
        """Say whether a pattern can be asked for."""
        if resource_type == rules.SERVER:
            return True
        return pattern in (self.key_patterns if resource_type == rules.KEYS else self.channel_patterns)


def settings(order: Order) -> Settings:
    """Return the configuration of an order. Raises Misconfigured for what is missing or makes no sense."""
    config = order.config
    missing = [name for name in ("hostname", "username") if not config.get(name)]
    if missing or "password" not in order.secrets:
        raise Misconfigured(f"The configuration lacks {', '.join(missing) or 'password'}.")
    main = f"{config['hostname']}", _port(config.get("port") or PORT)
    others = [_address(line.strip()) for line in str(config.get("other_nodes") or "").splitlines() if line.strip()]
    tls = str(config.get("tls", "true")).lower() != "false"
    addresses = dict.fromkeys([main, *others])
    return Settings(
        servers=tuple(
            Server(host, port, str(config["username"]), order.secrets["password"], tls, str(config.get("ca") or ""))
            for host, port in addresses
        ),
        persistence=str(config.get("persistence") or "acl_file"),
        key_patterns=rules.patterns(str(config.get("key_patterns") or ""), "Key patterns"),
        channel_patterns=rules.patterns(str(config.get("channel_patterns") or ""), "Channel patterns"),
    )


def _address(line: str) -> tuple[str, int]:
    """Return host and port of one line; an IPv6 address stands in brackets."""
    host, colon, port = line.rpartition(":")
    if not colon or line.endswith("]"):
        host, port = line, str(PORT)
    return host.strip("[]"), _port(port)


def _port(value: Any) -> int:
    """Return a port. Raises Misconfigured for what is none."""
    try:
        port = int(value)
    except ValueError as error:
        raise Misconfigured(f"{value!r} is no port.") from error
    if not 0 < port < 2**16:
        raise Misconfigured(f"{port} is no port.")
    return port


@contextmanager
def open_links(order: Order, run: Run) -> Iterator[tuple[Settings, list[Link]]]:
    """Yield the configuration and a link to every node, the main one first; nothing is connected yet."""
    found = settings(order)
    with ExitStack() as stack:
        links = [stack.enter_context(Link(server, run, dry_run=order.dry_run)) for server in found.servers]
        yield found, links


def users(link: Link) -> dict[str, str]:
    """Return every user of a node with its rules as one line."""
    lines = [str(line) for line in link.ask(programs.LOGINS)]
    return {line.split(" ", 2)[1]: line for line in lines}


def user(link: Link, name: str) -> rules.User | None:
    """Return one user of a node, or None."""
    answer = link.ask(programs.LOGIN, login=name)
    return rules.parse_user(name, answer) if answer else None


def sessions(link: Link) -> Counter[str]:
    """Return how many connections each user has on a node."""
    found: Counter[str] = Counter()
    for line in str(link.ask(programs.SESSIONS)).splitlines():
        names = [part.removeprefix("user=") for part in line.split(" ") if part.startswith("user=")]
        found.update(names[:1])
    return found


def info(link: Link) -> dict[str, str]:
    """Return what a node says of itself."""
    lines = str(link.ask(programs.SERVER_INFO)).splitlines()
    return {name: value for name, colon, value in (line.partition(":") for line in lines) if colon}


def clock(link: Link) -> float:
    """Return a node's time, in seconds since the epoch."""
    seconds, microseconds = link.ask(programs.CLOCK)
    return int(seconds) + int(microseconds) / 1e6
