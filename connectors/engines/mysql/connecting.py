"""What a grantee needs to connect."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Grant
from connectors.engines.mysql.levels import parse_unit
from connectors.engines.mysql.server import Target
from connectors.toolkit.mysql import uri


def details(at: Target, grant: Grant) -> dict[str, Any]:
    """Return the details to connect, but for the password; `command` asks for it."""
    server = at.session.server
    databases, roles = _asked(grant)
    database = databases[0] if databases else ""
    words = [at.dialect.client, f"--host={server.host}", f"--port={server.port}", f"--user={grant.login}"]
    words += at.dialect.encryption.get(server.encryption, "").split()
    if len(roles) > 1 and at.dialect.one_role:
        words.append(f"--init-command=SET ROLE {_quoted(roles[0])}")
    words.append("--password")
    found: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "username": grant.login,
        "encryption": server.encryption,
        "command": shlex.join([*words, *([database] if database else [])]),
        "uri": uri(server, database, grant.login),
    }
    if databases:
        found |= {"database": database, "databases": databases}
    return found | ({"roles": roles} if roles else {})


def default_role(grant: Grant, one_role: bool) -> str | None:
    """Return the role that is active after signing in: none of several where only one can be."""
    _, roles = _asked(grant)
    return roles[0] if len(roles) == 1 or (roles and not one_role) else None


def _asked(grant: Grant) -> tuple[list[str], list[str]]:
    """Return the databases and the roles that the units of a grant are about, in their order."""
    databases: dict[str, None] = {}
    roles: dict[str, None] = {}
    for unit in grant.units:
        with suppress(Misconfigured):  # one unit that makes no sense is reported as failed, and no more
            (roles if unit.resource_type == "role" else databases)[parse_unit(unit)[0]] = None
    return list(databases), list(roles)


def _quoted(name: str) -> str:
    """Return a name in backticks."""
    return "`" + name.replace("`", "``") + "`"
