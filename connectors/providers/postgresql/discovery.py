"""What there is to ask for. Everything is shown; what cannot be granted is refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.contract.orders import Order, Page, ResourceFact
from connectors.contract.provider import Run
from connectors.engines.names import path, source_id
from connectors.providers.postgresql import programs
from connectors.providers.postgresql.names import LEVELS, Prepared, prepared
from connectors.providers.postgresql.server import Target, open_sessions, target
from connectors.toolkit.inventory import pages

DEFAULT_TYPES = ("database", "role")
KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "f": "foreign table"}
UNWRITABLE = ("v", "m")
PREPARE = "run setup/2_database.sql in it"
GIVE = "run setup/3_optional_schemas_and_tables.sql in its database"


def discover(order: Order, run: Run) -> Iterator[Page]:
    """Yield the inventory, a page at a time; no more than a page is ever held."""
    types = order.resource_types or DEFAULT_TYPES
    with open_sessions(order, run) as sessions:
        yield from pages(_resources(target(order, sessions), types, order.page_size), order.page_size)


def prepared_roles(at: Target) -> dict[Prepared, dict[str, Any]]:
    """Return the prepared roles by database and level; of two, one that the connector may give away."""
    found: dict[Prepared, dict[str, Any]] = {}
    for row in at.home.rows(programs.PREPARED_ROLES):
        key = prepared(row["marker"])
        if key is not None and (key not in found or row["may_give"]):
            found[key] = row
    return found


def refusal(role: dict[str, Any]) -> str:
    """Return why membership in a role cannot be given, or an empty string."""
    if role["leads_to"] == role["name"]:
        return "It may do more than a grant should give: it can make itself superuser or stand above the rules."
    if role["leads_to"]:
        return f"It leads to {role['leads_to']}, which may do more than a grant should give."
    if not role["may_give"]:
        return "The connector does not hold it WITH ADMIN OPTION."
    return ""


def _resources(at: Target, types: tuple[str, ...], size: int) -> Iterator[ResourceFact]:
    """Yield the resources of these types."""
    databases = at.home.rows(programs.DATABASES)
    if "database" in types:
        roles = prepared_roles(at)
        yield from (_database(row, roles) for row in databases)
    if "role" in types:
        yield from (_role(row) for row in at.home.rows(programs.ROLES, names=None))
    if "schema" not in types and "table" not in types:
        return
    for row in databases:
        # What cannot be entered cannot be listed; the database itself says so.
        if row["may_connect"]:
            yield from _inside(at, row, types, size)


def _database(row: dict[str, Any], roles: dict[Prepared, dict[str, Any]]) -> ResourceFact:
    """Return a database with the levels for which no role is ready."""
    name = row["name"]
    refusals = {}
    for level in LEVELS["database"]:
        role = roles.get(Prepared(name, level))
        if role is None:
            refusals[level] = f"No role is prepared for this level: {PREPARE}."
        elif not role["may_give"]:
            refusals[level] = f"The connector does not hold {role['role']} WITH ADMIN OPTION: {PREPARE} again."
    context = {"owner": row["owner"], "encoding": row["encoding"]}
    if not row["may_connect"]:
        context["note"] = "The connector may not connect, so schemas and tables are not listed."
    return ResourceFact("database", source_id(name), name, path(name), context=context, refusals=refusals)


def _role(row: dict[str, Any]) -> ResourceFact:
    """Return a role."""
    name, reason = row["name"], refusal(row)
    context = {"comment": row["comment"]} if row["comment"] else {}
    context["login"] = "yes" if row["can_login"] else "no"
    refusals = {"MEMBER": reason} if reason else {}
    return ResourceFact("role", source_id(name), name, path(name), context=context, refusals=refusals)


def _inside(at: Target, database: dict[str, Any], types: tuple[str, ...], size: int) -> Iterator[ResourceFact]:
    """Yield the schemas and tables of one database; its connection is closed before the next is opened."""
    name = database["name"]
    session = at.sessions.on(name)
    closed = "" if database["may_give_connect"] else f"The connector may not pass on CONNECT: {GIVE}."
    if "schema" in types:
        yield from (_schema(name, row, closed) for row in session.rows(programs.SCHEMAS))
    if "table" in types:
        for rows in session.stream(programs.TABLES, size):
            yield from (_table(name, row, closed) for row in rows)
    if name != at.database:
        at.sessions.close(name)


def _schema(database: str, row: dict[str, Any], closed: str) -> ResourceFact:
    """Return a schema."""
    name = row["name"]
    refusals = {}
    for level, gaps in (("READ_ONLY", row["not_readable"]), ("READ_WRITE", row["not_writable"])):
        if closed or not row["may_give_usage"]:
            refusals[level] = closed or f"The connector may not pass on USAGE on this schema: {GIVE}."
        elif gaps:
            refusals[level] = f"The connector may not pass on privileges on {gaps} of what is in it: {GIVE} again."
    return ResourceFact(
        "schema",
        source_id(database, name),
        name,
        path(database, name),
        context={"owner": row["owner"]},
        refusals=refusals,
    )


def _table(database: str, row: dict[str, Any], closed: str) -> ResourceFact:
    """Return a table or what can be read like one."""
    names = (database, row["schema"], row["name"])
    usage = "" if row["may_give_usage"] else f"The connector may not pass on USAGE on its schema: {GIVE}."
    refusals = {}
    for level, privilege, may_give in (
        ("READ_ONLY", "SELECT", row["may_give_read"]),
        ("READ_WRITE", "INSERT, UPDATE and DELETE", row["may_give_read"] and row["may_give_write"]),
    ):
        if level == "READ_WRITE" and row["kind"] in UNWRITABLE:
            refusals[level] = f"It is a {KINDS[row['kind']]}."
        elif closed or usage or not may_give:
            refusals[level] = closed or usage or f"The connector may not pass on {privilege}: {GIVE} again."
    return ResourceFact(
        "table",
        source_id(*names),
        row["name"],
        path(*names),
        context={"owner": row["owner"], "kind": KINDS[row["kind"]]},
        refusals=refusals,
    )
