"""A PostgreSQL server of its own for connectors.vet.live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from connectors.contract.orders import Person, Unit
from tests import targets
from tests.connectors.world import World

VERSION = 18


class OpenSession:
    """A connection of the grantee."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def alive(self) -> bool:
        """Ask for one row."""
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class PostgreSQLLive:
    """Two prepared databases on one server."""

    def __init__(self, world: World, other: World) -> None:
        self._world = world
        self._worlds = {one.unit().resource: one for one in (world, other)}
        self.config = {
            "hostname": world.server.host,
            "port": world.server.port,
            "dbname": "postgres",
            "sslmode": "prefer",
            "username": world.connector,
        }
        self.secrets = {"password": world.password}
        self.person = Person("person-live", "Ada Live", ("ada.live@example.com",))
        self.units = (world.unit("READ_ONLY"), other.unit("READ_WRITE"))

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Read a row, or write one where writing was asked for."""
        statement = (
            "SELECT item FROM orders" if unit.permission == "READ_ONLY" else "INSERT INTO orders VALUES (DEFAULT)"
        )
        try:
            with self._connect(unit, details, credentials) as connection:
                connection.execute(statement)
                connection.rollback()
        except psycopg.Error:
            return False
        return True

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> OpenSession:
        """Connect and stay."""
        return OpenSession(self._connect(unit, details, credentials))

    def snapshot(self) -> object:
        """Return what the catalogs say."""
        return [world.snapshot() for world in self._worlds.values()]

    def give_standing(self, unit: Unit) -> bool:
        """Make a role of the person's own name that may read."""
        self._world.sql('CREATE ROLE "ada.live" LOGIN IN ROLE {}', self._reader(), on="postgres")
        return True

    def take_standing(self, unit: Unit) -> None:
        """Drop it."""
        self._world.sql('DROP ROLE "ada.live"', on="postgres")

    def _reader(self) -> str:
        """Return the role prepared for reading the first database."""
        marker = f"latchkey level=READ_ONLY database={self._world.database}"
        statement = "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = '" + marker + "'"
        return str(self._world.sql(statement, on="postgres")[0][0])

    def _connect(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> psycopg.Connection[Any]:
        world = self._worlds[unit.resource]
        return psycopg.connect(
            host=details["host"],
            port=details["port"],
            dbname=world.database,
            user=details["username"],
            password=credentials["password"],
            connect_timeout=5,
        )


def missing() -> str:
    """Return why there can be no server."""
    return targets.missing(VERSION)


@contextmanager
def live() -> Iterator[PostgreSQLLive]:
    """Start a server with two prepared databases."""
    with targets.running(VERSION) as server:
        server.make_connector()
        worlds = World(server, "shop"), World(server, "stock")
        for world in worlds:
            world.create()
        yield PostgreSQLLive(*worlds)
