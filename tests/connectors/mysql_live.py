"""The live target of `tests/live/mariadb.py` and `tests/live/mysql.py`: two databases and a role on one server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql

from connectors.contract.orders import Person, Unit
from tests.connectors.mysql_world import MySQLWorld, pattern
from tests.targets_mysql import running

STANDING = "'ada.live'@'%'"


class OpenSession:
    """A connection of the grantee."""

    def __init__(self, connection: pymysql.Connection[Any]) -> None:
        self._connection = connection

    def alive(self) -> bool:
        """Ask for one row."""
        try:
            self._connection.ping(reconnect=False)
        except pymysql.Error:
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        if self._connection.open:
            self._connection.close()


class MySQLLive:
    """Two prepared databases, a table in a third, and a role."""

    def __init__(self, worlds: tuple[MySQLWorld, ...]) -> None:
        first, second, third = worlds
        self._world = first
        self._worlds = worlds
        self.config = first.config
        self.secrets = {"password": first.password}
        self.person = Person("person-live", "Ada Live", ("ada.live@example.com",))
        self.role = Unit("role", '["auditors"]', "MEMBER")
        self.units = (first.unit("READ_ONLY"), second.unit("READ_WRITE"), third.unit("ADMIN", "orders"), self.role)
        # The one thing that only this unit permits.
        self._uses = {
            self.units[0]: (first, "SELECT item FROM orders"),
            self.units[1]: (second, "INSERT INTO orders VALUES ()"),
            self.units[2]: (third, "ALTER TABLE orders COMMENT = 'seen'"),
            self.units[3]: (first, "SELECT item FROM audits.books"),
        }

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Do it."""
        try:
            with self._connect(unit, details, credentials) as connection, connection.cursor() as cursor:
                cursor.execute(self._uses[unit][1])
        except pymysql.Error:
            return False
        return True

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> OpenSession:
        """Connect and stay."""
        return OpenSession(self._connect(unit, details, credentials))

    def snapshot(self) -> object:
        """Return what the server's own tables say."""
        return self._world.snapshot()

    def give_standing(self, unit: Unit) -> bool:
        """Make an account of the person's own name that may read."""
        here = pattern(self._world.database)
        self._world.sql(f"CREATE USER {STANDING}", f"GRANT SELECT ON {here}.* TO {STANDING}")
        return True

    def take_standing(self, unit: Unit) -> None:
        """Drop it."""
        self._world.sql(f"DROP USER {STANDING}")

    def _connect(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> pymysql.Connection[Any]:
        database = None if unit == self.role else self._uses[unit][0].database
        return pymysql.connect(
            host=details["host"],
            port=details["port"],
            user=details["username"],
            password=credentials["password"],
            database=database,
            connect_timeout=5,
            autocommit=True,
        )


@contextmanager
def live(kind: str) -> Iterator[MySQLLive]:
    """Start a server with what can be asked for."""
    with running(kind) as server:
        server.make_connector()
        worlds = tuple(MySQLWorld(server, name) for name in ("shop_1", "stock", "re`pairs %"))
        for world in worlds:
            world.create()
        server.run_sql(
            "CREATE DATABASE audits",
            "CREATE TABLE audits.books (item INT)",
            "CREATE ROLE auditors",
            "GRANT SELECT ON audits.* TO auditors",
        )
        server.set_up("3_role.sql", role="auditors")
        yield MySQLLive(worlds)
