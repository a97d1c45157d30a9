"""The way in: one broker as an order sees it, and what it says."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.contract.errors import CredentialsRejected, Misconfigured, NotPermitted
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.providers.rabbitmq import programs
from connectors.providers.rabbitmq.names import COLUMNS, Permissions, parse_expression
from connectors.toolkit.http import Answer, Service
from connectors.toolkit.http_files import RequestFile

# The broker itself hands out no larger pages.
PAGE_MAX = 500
SALT_BYTES = 4
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
# What the broker says, with the same 401 as for a wrong password, to somebody whose tags are not enough.
NOT_ENOUGH = ("Not administrator user", "Not management user", "Not monitor user", "not_authorised")


@dataclass(frozen=True, slots=True)
class User:
    """A user of the broker."""

    name: str
    tags: tuple[str, ...]
    password_hash: Secret
    permissions: Permissions


class Broker:
    """One broker."""

    def __init__(self, service: Service) -> None:
        """Ask nothing yet."""
        self._service = service

    def read(self, file: RequestFile, /, *, accept: Collection[int] = (200,), **values: Any) -> Answer:
        """Send a request that only reads. Raises a TargetError."""
        with _tags_are_no_password():
            return self._service.read(file, accept=accept, **values)

    def change(
        self, file: RequestFile, /, *, accept: Collection[int] = (200, 201, 202, 204), **values: Any
    ) -> Answer | None:
        """Send a request that changes something, or write it down in a dry run. Raises a TargetError."""
        with _tags_are_no_password():
            return self._service.change(file, accept=accept, **values)

    def clock(self) -> float:
        """Return the broker's time, in seconds since the epoch: the date of its answer."""
        said = self.read(programs.WHOAMI).headers.get("Date", "")
        with suppress(ValueError):
            return datetime.strptime(said, HTTP_DATE).replace(tzinfo=UTC).timestamp()
        return time.time()  # something in between took the date away

    def pages(self, file: RequestFile, size: int) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, asked for page by page."""
        page, pages = 1, 1
        while page <= pages:
            found = self.read(file, page=page, size=min(size, PAGE_MAX)).data
            yield from found["items"]
            page, pages = page + 1, int(found["page_count"])

    def users(self) -> dict[str, tuple[str, ...]]:
        """Return the tags of every user."""
        return {row["name"]: _tags(row) for row in self.read(programs.USERS).data}

    def user(self, name: str) -> User | None:
        """Return one user, or None."""
        found = self.read(programs.LOGIN, accept=(200, 404), login=name)
        rows = self.read(programs.PERMISSIONS, accept=(200, 404), login=name)
        if found.status == 404 or rows.status == 404:
            return None
        permissions = {row["vhost"]: {column: parse_expression(row[column]) for column in COLUMNS} for row in rows.data}
        return User(name, _tags(found.data), Secret(found.data["password_hash"]), permissions)

    def connections(self, name: str) -> int:
        """Return how many connections a user has."""
        return len(self.read(programs.CONNECTIONS, login=name).data)


def _tags(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the tags of a user; up to 3.8 they come as one text."""
    tags = row["tags"]
    return tuple(filter(None, tags.split(","))) if isinstance(tags, str) else tuple(tags)


@contextmanager
def _tags_are_no_password() -> Iterator[None]:
    """Tell somebody who may not from somebody who is not: the broker answers 401 to both."""
    try:
        yield
    except CredentialsRejected as error:
        if any(words in error.message for words in NOT_ENOUGH):
            raise NotPermitted(error.message, fix="Give the connector's user the tag administrator.") from error
        raise


@contextmanager
def open_broker(order: Order, run: Run, *, user: str = "", password: Secret | None = None) -> Iterator[Broker]:
    """Yield the broker of an order; as somebody else where a user is given. Raises Misconfigured."""
    config = order.config
    missing = [name for name in ("url", "username") if not config.get(name)]
    if missing or "password" not in order.secrets:
        raise Misconfigured(f"The configuration lacks {', '.join(missing) or 'password'}.")
    ca_file = str(config.get("ca_file") or "")
    if ca_file and not Path(ca_file).is_file():
        raise Misconfigured(f"There is no CA file {ca_file} on the connector's machine.")
    secret = password if password is not None else order.secrets["password"]
    with Service(
        str(config["url"]),
        run,
        auth=(_utf8(user or str(config["username"])), _utf8(secret.reveal())),
        verify=ca_file or True,
        dry_run=order.dry_run,
    ) as service:
        yield Broker(service)


def _utf8(text: str) -> str:
    """Return a text that the HTTP library, which sends names and passwords as Latin-1, sends as UTF-8 (RFC 7617)."""
    return text.encode().decode("latin-1")


def amqp_address(order: Order) -> tuple[str, str]:
    """Return scheme and host:port of where people connect."""
    given = urlsplit(str(order.config.get("amqp_url") or ""))
    if given.hostname:
        return given.scheme, given.netloc.rpartition("@")[2]
    host = urlsplit(str(order.config["url"])).hostname or ""
    return "amqp", f"[{host}]:5672" if ":" in host else f"{host}:5672"


def hashed(password: str) -> Secret:
    """Return what the broker knows instead of a password: salt and SHA-256 of salt and password, base64."""
    salt = secrets.token_bytes(SALT_BYTES)
    return Secret(base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode())
