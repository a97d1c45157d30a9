"""A MariaDB server of its own for connectors.vet.live."""

from contextlib import AbstractContextManager

from tests import targets_mysql
from tests.connectors import mysql_live


def missing() -> str:
    """Return why there can be no server."""
    return targets_mysql.missing("mariadb")


def live() -> AbstractContextManager[mysql_live.MySQLLive]:
    """Start a server with what can be asked for."""
    return mysql_live.live("mariadb")
