"""What a worker is told by its environment: `NAME`, or `NAME_FILE` with the path of a file that holds it."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from connectors.contract.secret import Secret

SLOTS, SLOTS_MAX = 8, 256
DRAIN_SECONDS, WEBSOCKET_AGAIN_SECONDS = 25, 300


class BadSettings(ValueError):
    """The environment is not right; the message says which variable and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a worker runs. `url` is the server's address without a slash at its end, `proxy` the one to go through."""

    url: str
    token: Secret
    ca_file: str = ""
    proxy: str = ""
    slots: int = SLOTS
    providers: tuple[Path, ...] = ()
    health: tuple[str, int] | None = None
    drain_seconds: float = DRAIN_SECONDS
    websocket_again_seconds: float = WEBSOCKET_AGAIN_SECONDS
    token_file: str = ""

    def current(self) -> Settings:
        """Return the settings with the token that its file holds now: it may be replaced without a restart."""
        if not self.token_file:
            return self
        try:
            return replace(self, token=Secret(Path(self.token_file).read_text(encoding="utf-8").strip()))
        except (OSError, UnicodeDecodeError):
            # The file is being replaced: the token that we know, until it is there again.
            return self

    def tls(self) -> ssl.SSLContext:
        """Return what verifies the server: the system's authorities, or only those of `ca_file`."""
        context = ssl.create_default_context(cafile=self.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings. Raises BadSettings."""
    url = _url(environment)
    token = _text(environment, "LATCHKEY_CONNECTOR_TOKEN")
    if not token.startswith("lkc_"):
        raise BadSettings("LATCHKEY_CONNECTOR_TOKEN is not set, or is no token: make one on the connector's page.")
    return Settings(
        url=url,
        token=Secret(token),
        ca_file=_ca_file(environment),
        proxy=proxy_for(url, environment),
        slots=_number(environment, "LATCHKEY_CONNECTOR_SLOTS", SLOTS, SLOTS_MAX),
        providers=folders(environment),
        health=_address(environment),
        drain_seconds=_number(environment, "LATCHKEY_CONNECTOR_DRAIN_SECONDS", DRAIN_SECONDS, 3600),
        token_file=environment.get("LATCHKEY_CONNECTOR_TOKEN_FILE", ""),
        websocket_again_seconds=_number(
            environment, "LATCHKEY_CONNECTOR_WEBSOCKET_SECONDS", WEBSOCKET_AGAIN_SECONDS, 86400
        ),
    )


def _text(environment: Mapping[str, str], name: str) -> str:
    """Return a setting, from the variable or from the file that `NAME_FILE` names."""
    path = environment.get(f"{name}_FILE", "")
    if not path:
        return environment.get(name, "").strip()
    if environment.get(name):
        raise BadSettings(f"Set {name} or {name}_FILE, not both.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{name}_FILE names {path}, which cannot be read: {error}.") from error


def _url(environment: Mapping[str, str]) -> str:
    """Return the server's address: https, or plain http on this machine or where it is allowed by name."""
    url = _text(environment, "LATCHKEY_URL").rstrip("/")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query or parts.fragment:
        raise BadSettings("LATCHKEY_URL is no address: set it like https://latchkey.example.com.")
    if parts.scheme == "http" and not _is_here(host) and environment.get("LATCHKEY_ALLOW_HTTP") != "yes":
        raise BadSettings(
            "LATCHKEY_URL is not encrypted, and the token would be read on its way: use https, or set "
            "LATCHKEY_ALLOW_HTTP=yes inside a network that you trust."
        )
    return url


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ca_file(environment: Mapping[str, str]) -> str:
    path = environment.get("LATCHKEY_CA_FILE", "")
    if path:
        try:
            ssl.create_default_context(cafile=path)
        except (OSError, ssl.SSLError) as error:
            raise BadSettings(f"LATCHKEY_CA_FILE names {path}, which holds no certificates: {error}.") from error
    return path


def proxy_for(url: str, environment: Mapping[str, str]) -> str:
    """Return the proxy that the environment names for this address, or nothing (NO_PROXY, or none set)."""
    lower = {name.lower(): value for name, value in environment.items() if name.lower().endswith("_proxy") and value}
    # Spelled in small letters it wins, as everywhere.
    lower.update({name: value for name, value in environment.items() if name.endswith("_proxy") and value})
    parts = urlsplit(url)
    proxy = lower.get(f"{parts.scheme}_proxy") or lower.get("all_proxy") or ""
    if not proxy or any(_covers(one.strip(), parts.netloc) for one in lower.get("no_proxy", "").split(",")):
        return ""
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if urlsplit(proxy).scheme not in {"http", "https"}:
        raise BadSettings("The proxy speaks SOCKS, which connectors do not: set HTTPS_PROXY to an HTTP proxy.")
    return proxy


def _covers(pattern: str, address: str) -> bool:
    """Whether a word of NO_PROXY means an address: everything, a name with what is below it, or a network."""
    name, _, port = pattern.lower().partition(":") if pattern.count(":") == 1 else (pattern.lower(), "", "")
    parts = urlsplit(f"//{address}")
    host = (parts.hostname or "").lower()
    if pattern == "*":
        return True
    if not name or (port and port != str(parts.port)):
        return False
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name.strip("[]"), strict=False)
    except ValueError:
        name = name.removeprefix("*").lstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))


def _number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environment.get(name, "").strip() or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise BadSettings(f"{name} is a whole number from 1 to {most}.")
    return int(text)


def folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders in which further providers are. Raises BadSettings."""
    found = tuple(Path(one) for one in environment.get("LATCHKEY_PROVIDERS", "").split(os.pathsep) if one)
    for folder in found:
        if not folder.is_dir():
            raise BadSettings(f"LATCHKEY_PROVIDERS names {folder}, which is no folder.")
    return found


def _address(environment: Mapping[str, str]) -> tuple[str, int] | None:
    text = environment.get("LATCHKEY_HEALTH_ADDRESS", "").strip()
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise BadSettings("LATCHKEY_HEALTH_ADDRESS is an address and a port, like 127.0.0.1:8080.")
    return (host.strip("[]") or "127.0.0.1", int(port))
