"""What is MariaDB's own."""

from __future__ import annotations

import pymysql
import pytest

from tests.connectors.mysql_world import MySQLWorld
from tests.targets_mysql import MySQLServer


def test_with_create_user_root_could_be_taken_over_which_is_why_the_connector_has_it_not(
    mariadb_server: MySQLServer,
) -> None:
    mariadb_server.run_sql("CREATE USER careless IDENTIFIED BY 'x'", "GRANT CREATE USER ON *.* TO careless")
    with mariadb_server.connect(user="careless", password="x") as session, session.cursor() as cursor:
        cursor.execute("ALTER USER root@localhost IDENTIFIED BY 'mine'")
    with pytest.raises(pymysql.Error):
        mariadb_server.connect()
    with mariadb_server.connect(user="careless", password="x") as session, session.cursor() as cursor:
        cursor.execute("ALTER USER root@localhost IDENTIFIED BY ''")
    mariadb_server.run_sql("DROP USER careless")


def test_the_set_up_may_be_run_again_and_keeps_what_was_written_down(mariadb_server: MySQLServer) -> None:
    shop = MySQLWorld(mariadb_server, "kept")
    shop.create()
    grant = shop.grant()
    password = shop.password_of(shop.apply(grant), grant)
    before = shop.snapshot()
    mariadb_server.set_up("1_connector.sql")
    shop.prepare("ADMIN")
    assert shop.snapshot() == before
    assert shop.may(grant, password, "SELECT * FROM orders")
    shop.remove()
