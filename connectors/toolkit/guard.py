"""Which addresses the server itself may call: public ones, and those that its owner named. Never a cloud's metadata.

A name is resolved once, here, and whoever calls connects to the very address that was looked at: a name that answers
otherwise a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.contract.errors import Misconfigured, Refused, Unreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
# Where clouds tell a machine its own credentials. No setting opens these.
_METADATA: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.169.254/32",  # AWS, Google, Azure, OpenStack, DigitalOcean, Oracle
        "169.254.170.0/24",  # AWS containers: 169.254.170.2 and .23
        "168.63.129.16/32",  # Azure, and it is a public address
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google
    )
)
# IPv6 in which an IPv4 address is hidden, and what Python does not call private. No setting opens the hidden ones: an
# exception is written as the IPv4 network that it is.
_HIDDEN: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
    )
)
_SPECIAL: tuple[Network, ...] = tuple(ipaddress.ip_network(text) for text in ("192.88.99.0/24", "fec0::/10"))
_LOOPBACK6 = ipaddress.ip_address("::1")


@dataclass(frozen=True, slots=True)
class Exceptions:
    """What may be called though it is private: networks, and names whose owner is trusted to resolve them."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()


def exceptions(words: Iterable[str]) -> Exceptions:
    """Return the exceptions that a setting names. Raises ValueError for a word that is neither network nor name."""
    networks, hosts = [], set()
    for word in words:
        text = word.strip().lower().rstrip(".")
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError:
            if not _HOST.fullmatch(text) or re.fullmatch(r"[0-9.]+", text):
                raise ValueError(f"{word!r} is no network (10.1.0.0/16), no address and no name of a host.") from None
            hosts.add(text)
    return Exceptions(tuple(networks), frozenset(hosts))


def why_not(host: str, address: Address, excepted: Exceptions) -> str:
    """Return why `address`, which `host` resolved to, must not be called; nothing when it may be."""
    if _in(address, _METADATA):
        return "is where a cloud keeps the credentials of its machines"
    if address != _LOOPBACK6 and _in(address, _HIDDEN):
        return "is not a plain address: it hides another one"
    if address.is_multicast or address.is_unspecified or int(address) == 0xFFFFFFFF:
        return "is no address of one machine"
    if address.is_global and not _in(address, _SPECIAL):
        return ""
    if _in(address, excepted.networks) or host in excepted.hosts:
        return ""
    return "is private"


def _in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def checked_address(host: str, port: int, excepted: Exceptions) -> str:
    """Resolve a name, once, and return an address that may be called.

    Raises Unreachable when the name is unknown, Misconfigured when it cannot be one, Refused when it leads only to
    addresses that must not be called.
    """
    name = host.lower().rstrip(".")
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise Misconfigured(f"{host!r} is no name of a host.") from None
    except OSError:
        raise Unreachable(f"The name {host} is unknown.", fix="Is it spelled right?") from None
    whys = []
    for *_, place in found:
        text = str(place[0])
        # With a zone ("fe80::1%eth0") it is link-local: without it, it is refused as such.
        why = why_not(name, ipaddress.ip_address(text.partition("%")[0]), excepted)
        if not why:
            return text
        whys.append(f"{text} {why}")
    raise Refused(
        f"{host} must not be called: {'; '.join(dict.fromkeys(whys))}.",
        fix="The operator can allow private ones: LATCHKEY_CALL_PRIVATE_ADDRESSES.",
    )
