"""What a grantee needs to connect."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Grant
from connectors.providers.postgresql.names import parse_unit
from connectors.providers.postgresql.server import Target
from connectors.toolkit.sql import conninfo, uri


def details(at: Target, grant: Grant) -> dict[str, Any]:
    """Return what is needed to connect, but for the password."""
    server, databases = at.sessions.server, _databases(grant)
    database = databases[0] if databases else at.database
    return {
        "host": server.host,
        "port": server.port,
        "database": database,
        "databases": databases or [database],
        "username": grant.login,
        "sslmode": server.sslmode,
        "command": f"psql {shlex.quote(conninfo(server, database, grant.login))}",
        "uri": uri(server, database, grant.login),
    }


def _databases(grant: Grant) -> list[str]:
    """Return the databases that the units of a grant lie in, in their order."""
    names: dict[str, None] = {}
    for unit in grant.units:
        with suppress(Misconfigured):  # one unit that makes no sense is reported as failed, and no more
            if unit.resource_type != "role":
                names[parse_unit(unit)[0]] = None
    return list(names)
