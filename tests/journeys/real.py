"""A real PostgreSQL server as target, connected as an admin would, in the words of tests.story."""

from __future__ import annotations

from typing import Any

import psycopg
from django.utils import timezone

from audit.actor import system
from integrations import actions
from tests.cast import Cast
from tests.simulated import Target
from tests.story import Story, flow, put_into
from tests.targets import CONNECTOR, PostgresServer

CONNECTOR_PASSWORD = "connector-secret"


def config_of(server: PostgresServer) -> dict[str, Any]:
    """Return the integration's plain fields for a server."""
    return {"hostname": server.host, "port": server.port, "sslmode": "disable", "username": CONNECTOR}


def furnish(server: PostgresServer, *databases: str) -> None:
    """Make databases with a table `orders` that holds 7, prepared by the shipped set-up files."""
    server.make_connector(password=CONNECTOR_PASSWORD)
    for name in databases:
        server.run_sql(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        server.run_sql("CREATE TABLE orders (number int)", name)
        server.run_sql("INSERT INTO orders VALUES (7)", name)
        server.prepare(name)


def connect(cast: Cast, server: PostgresServer, *databases: str) -> Story:
    """Furnish a server, connect it, and define a flow over its databases that asks the approvers."""
    furnish(server, *databases)
    put_into("engineers", cast.requester)
    put_into("approvers", cast.approver)
    integration = actions.connect(
        f"Shop {server.version}",
        "postgresql",
        config=config_of(server),
        secrets={"password": CONNECTOR_PASSWORD},
        actor=system(),
    )
    story = Story(cast, integration, Target(), timezone.now())
    flow(integration, targets=[target(integration)])
    return story


def target(integration: Any, *permissions: str) -> dict[str, Any]:
    """Return a flow's target: databases of the integration."""
    return {
        "integration": str(integration.pk),
        "resource_type": "database",
        "permissions": list(permissions) or ["READ_ONLY", "READ_WRITE"],
        "selectors": [],
    }


def logins(server: PostgresServer) -> dict[str, bool]:
    """Return the logins that were made for grants, and whether each may sign in."""
    rows = server.run_sql(r"SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'lk\_%'")
    return {str(name): bool(may) for name, may in rows}


def memberships(server: PostgresServer) -> set[tuple[str, str]]:
    """Return the memberships that logins made for grants have."""
    rows = server.run_sql(
        r"SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members m"
        r" JOIN pg_roles r ON r.oid = m.member WHERE r.rolname LIKE 'lk\_%'"
    )
    return {(str(member), str(role)) for member, role in rows}
