"""The way in: a session from an order's configuration, and what the provider knows of its kind of server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.contract.errors import Misconfigured, NotPermitted, TargetMissing
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.engines.mysql.programs import MySQLPrograms
from connectors.toolkit.mysql import Server, Session

SETUP = "Run setup/1_connector.sql as an admin of the server."
SETUP_VERSION = 1


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one kind of server has of its own.

    `verifier` makes of a password what the server may know instead. `client` is its command-line client, and
    `encryption` what that is told for each choice of encryption. `one_role`: a session has one active role at a time.
    """

    name: str
    is_mariadb: bool
    oldest: tuple[int, ...]
    programs: MySQLPrograms
    verifier: Callable[[str], str]
    client: str
    encryption: dict[str, str]
    one_role: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A server as one order sees it. `account` is the connector's own: user and host."""

    session: Session
    dialect: Dialect
    account: tuple[str, str]
    scheduler: str
    encrypted: bool

    @property
    def programs(self) -> MySQLPrograms:
        """Return the programs for this kind of server."""
        return self.dialect.programs


def server(order: Order) -> Server:
    """Return the address and the connector's credentials. Raises Misconfigured for what is missing."""
    config = order.config
    missing = [name for name in ("hostname", "username") if not config.get(name)]
    if missing or "password" not in order.secrets:
        raise Misconfigured(f"The configuration lacks {', '.join(missing) or 'password'}.")
    try:
        port = int(config.get("port") or 3306)
    except ValueError as error:
        raise Misconfigured(f"{config['port']!r} is no port.") from error
    return Server(
        host=str(config["hostname"]),
        port=port,
        user=str(config["username"]),
        password=order.secrets["password"],
        encryption=str(config.get("encryption") or "prefer"),
        authority=str(config.get("authority") or ""),
    )


def open_session(order: Order, run: Run) -> Session:
    """Return the session of one order; nothing is connected yet."""
    return Session(server(order), run, dry_run=order.dry_run)


def target(session: Session, dialect: Dialect) -> Target:
    """Look at what answered. Raises Misconfigured for a server that this provider is not for."""
    version = ".".join(map(str, session.version))
    if session.is_mariadb != dialect.is_mariadb:
        other = "MariaDB" if session.is_mariadb else "MySQL"
        raise Misconfigured(f"The server is a {other}, not a {dialect.name}.", fix=f"Choose {other} in the catalogue.")
    if session.version < dialect.oldest:
        raise Misconfigured(
            f"The server is {dialect.name} {version}.",
            fix=f"Version {'.'.join(map(str, dialect.oldest))} is the oldest that is supported.",
        )
    (row,) = session.rows(dialect.programs.server)
    user, _, host = str(row["account"]).rpartition("@")
    return Target(session, dialect, (user, host), str(row["scheduler"]), row["encrypted"] == "yes")


def installed(at: Target) -> dict[str, Any]:
    """Return what the set-up says of itself. Raises Misconfigured when it is not there, or another version."""
    try:
        rows = at.session.rows(at.programs.setup)
    except (NotPermitted, TargetMissing) as error:
        raise Misconfigured("The database latchkey is not there, or may not be used.", fix=SETUP) from error
    if not rows or rows[0]["version"] != SETUP_VERSION:
        raise Misconfigured("The database latchkey is of another version than this connector.", fix=SETUP)
    return rows[0]
