"""A database on a real MySQL or MariaDB, the person who asks for it, and what the tests look at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pymysql

from connectors.contract.orders import Desired, Ending, Grant, GrantReport, Order, Page, Person, Report, Unit, Verb
from connectors.contract.provider import remember
from connectors.contract.secret import Secret
from connectors.runners import local
from connectors.toolkit.sealing import new_private_key, open_sealed, public_key
from tests.targets_mysql import CONNECTOR, MySQLServer

# What a grant could touch at a server, in its own tables.
SNAPSHOT = {
    "mariadb": (
        "SELECT User, Host, JSON_REMOVE(Priv, '$.password_last_changed') AS Priv FROM mysql.global_priv",
        "SELECT * FROM mysql.roles_mapping",
    ),
    "mysql": (
        "SELECT User, Host, account_locked, User_attributes FROM mysql.user",
        "SELECT * FROM mysql.role_edges",
        "SELECT * FROM mysql.default_roles",
        "SELECT GRANTEE, PRIVILEGE_TYPE, IS_GRANTABLE FROM information_schema.USER_PRIVILEGES",
    ),
}
PRIVILEGES = (
    "SELECT * FROM mysql.db",
    "SELECT Host, Db, User, Table_name, Table_priv, Column_priv FROM mysql.tables_priv",
    "SELECT Host, Db, User, Table_name, Column_name, Column_priv FROM mysql.columns_priv",
    "SELECT Host, Db, User, Routine_name, Proc_priv FROM mysql.procs_priv",
    "SELECT * FROM latchkey.logins",
)


def name(text: str) -> str:
    """Return a name in backticks."""
    return "`" + text.replace("`", "``") + "`"


def pattern(text: str) -> str:
    """Return a database as a grant names it."""
    for wild in ("\\", "_", "%"):
        text = text.replace(wild, f"\\{wild}")
    return name(text)


@dataclass
class MySQLWorld:
    """A database `name_` with two tables, prepared for people to ask for."""

    server: MySQLServer
    database: str
    level: str = "ADMIN"
    password: str = "connector-secret"
    integration: str = "integration-1"
    person: Person = field(default_factory=lambda: Person("person-1", "Ada Shop", ("ada.shop@example.com",)))
    key: str = field(default_factory=new_private_key)
    number: int = 0

    def create(self) -> None:
        """Make the database and prepare it."""
        here = name(self.database)
        self.sql(
            f"CREATE DATABASE {here}",
            f"CREATE TABLE {here}.orders (id INT AUTO_INCREMENT PRIMARY KEY, item VARCHAR(20))",
            f"CREATE TABLE {here}.secrets (id INT AUTO_INCREMENT PRIMARY KEY, item VARCHAR(20))",
        )
        self.prepare(self.level)

    def prepare(self, level: str) -> None:
        """Run the set-up file of a database, with the most that people may ask for."""
        self.server.set_up("2_database.sql", self.database, level=level)

    def remove(self) -> None:
        """Drop the database, and every login that is left."""
        for row in self.sql("SELECT login FROM latchkey.logins"):
            self.sql(f"DROP USER IF EXISTS {name(row['login'])}@'%'")
        self.sql("DELETE FROM latchkey.logins", f"DROP DATABASE IF EXISTS {name(self.database)}")
        with suppress(pymysql.Error):
            self.sql(f"REVOKE ALL PRIVILEGES, GRANT OPTION ON {pattern(self.database)}.* FROM {CONNECTOR}@'%'")

    def sql(self, *statements: str, **options: Any) -> list[dict[str, Any]]:
        """Run statements as root and return the rows of the last."""
        return self.server.run_sql(*statements, **options)

    @property
    def config(self) -> dict[str, Any]:
        """Return the integration's configuration."""
        return {
            "hostname": self.server.host,
            "port": self.server.port,
            "encryption": "prefer",
            "username": CONNECTOR,
        }

    def unit(self, permission: str = "READ_ONLY", table: str = "") -> Unit:
        """Return a level of the database, or of a table in it."""
        names = [self.database, table] if table else [self.database]
        source = json.dumps(names, ensure_ascii=False, separators=(",", ":"))
        return Unit("table" if table else "database", source, permission)

    def grant(self, *units: Unit, seconds: float = 3600.0, **change: Any) -> Grant:
        """Return a grant of these units with a login of its own."""
        self.number += 1
        grant = Grant(
            f"grant-{self.number}", f"lk_ada_{self.number}", units or (self.unit(),), time.time() + seconds, True
        )
        return replace(grant, **change)

    def order(self, verb: Verb, *holds: Grant, gone: tuple[Grant, ...] = (), **change: Any) -> Order:
        """Return an order."""
        endings = tuple(Ending(one.grant_id, one.login, one.units) for one in gone)
        order = Order(
            order_id="order-1",
            epoch=1,
            verb=verb,
            provider=self.server.kind,
            integration_id=self.integration,
            config=self.config,
            secrets={"password": Secret(self.password)},
            desired=Desired(self.person, holds, endings),
            seal_to=public_key(self.key),
        )
        return replace(order, **change)

    def run(self, order: Order, on_page: Callable[[Page], None] = lambda page: None, **options: Any) -> Report:
        """Run an order, whatever becomes of it."""
        return local.run(order, on_page=on_page, baseline=remember({}), **options)

    def apply(self, *holds: Grant, gone: tuple[Grant, ...] = (), **change: Any) -> Report:
        """Make the person hold these grants and prove the end of `gone`; there must be no error."""
        report = self.run(self.order(Verb.APPLY, *holds, gone=gone, **change))
        assert report.error is None, report.error
        return report

    def clean_up(self, *gone: Grant) -> Report:
        """Drop the logins of ended grants."""
        report = self.run(self.order(Verb.CLEAN_UP, gone=gone))
        assert report.error is None, report.error
        return report

    def password_of(self, report: Report, grant: Grant) -> str:
        """Return the password in a report."""
        told = of(report, grant)
        return str(json.loads(open_sealed(self.key, told.sealed_credentials, grant.grant_id.encode()))["password"])

    def enter(self, grant: Grant, password: str, **options: Any) -> pymysql.Connection[Any]:
        """Sign in as the grantee."""
        return self.server.connect(options.pop("database", self.database), user=grant.login, password=password)

    def may(self, grant: Grant, password: str, statement: str, **options: Any) -> bool:
        """Say whether the grantee can run a statement."""
        try:
            with self.enter(grant, password, **options) as connection, connection.cursor() as cursor:
                cursor.execute(statement)
        except pymysql.Error:
            return False
        return True

    def snapshot(self) -> list[list[dict[str, Any]]]:
        """Return everything at the server that a grant could touch."""
        tables = []
        with self.server.connect() as connection, connection.cursor() as cursor:
            for statement in (*SNAPSHOT[self.server.kind], *PRIVILEGES):
                cursor.execute(statement)
                rows = [{key: str(value) for key, value in row.items()} for row in cursor.fetchall()]
                tables.append(sorted(rows, key=str))
        return tables


def of(report: Report, grant: Grant) -> GrantReport:
    """Return what a report says of a grant."""
    (found,) = [one for one in report.grants if one.grant_id == grant.grant_id]
    return found
