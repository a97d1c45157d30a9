"""The way in: sessions from an order's configuration, and what the connector is at the server."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.providers.postgresql import programs
from connectors.toolkit.sql import Server, Session, Sessions

OLDEST = 13
# From 16 on a membership has options of its own, and administering a role is separate from having it.
MEMBERSHIP_OPTIONS = 160000


@dataclass(frozen=True, slots=True)
class Target:
    """A server as one order sees it."""

    sessions: Sessions
    database: str
    options_on_membership: bool
    is_superuser: bool
    may_make_roles: bool
    connector: str

    @property
    def home(self) -> Session:
        """Return the session on the database of the configuration."""
        return self.sessions.on(self.database)


def server(order: Order) -> Server:
    """Return the address and the connector's credentials. Raises Misconfigured for what is missing."""
    config = order.config
    missing = [name for name in ("hostname", "username") if not config.get(name)]
    if missing or "password" not in order.secrets:
        raise Misconfigured(f"The configuration lacks {', '.join(missing) or 'password'}.")
    try:
        port = int(config.get("port") or 5432)
    except ValueError as error:
        raise Misconfigured(f"{config['port']!r} is no port.") from error
    return Server(
        host=str(config["hostname"]),
        port=port,
        user=str(config["username"]),
        password=order.secrets["password"],
        sslmode=str(config.get("sslmode") or "prefer"),
    )


def open_sessions(order: Order, run: Run) -> Sessions:
    """Return the sessions of one order; nothing is connected yet."""
    return Sessions(server(order), run, dry_run=order.dry_run)


def target(order: Order, sessions: Sessions) -> Target:
    """Connect and look at what the connector is. Raises Misconfigured for a server that is too old."""
    database = str(order.config.get("dbname") or "postgres")
    session = sessions.on(database)
    if session.version < OLDEST * 10000:
        raise Misconfigured(
            f"The server is PostgreSQL {session.version // 10000}.",
            fix=f"Version {OLDEST} is the oldest that is supported.",
        )
    (connector,) = session.rows(programs.CONNECTOR)
    return Target(
        sessions=sessions,
        database=database,
        options_on_membership=session.version >= MEMBERSHIP_OPTIONS,
        is_superuser=connector["is_superuser"],
        may_make_roles=connector["may_make_roles"],
        connector=connector["name"],
    )
