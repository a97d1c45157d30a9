"""The cast of the provider's tests: a server, a prepared database, a person, and orders about them."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import sql

from connectors.contract.errors import LeaseLost
from connectors.contract.orders import (
    Desired,
    Ending,
    Grant,
    Order,
    Page,
    Person,
    Report,
    ResourceFact,
    Unit,
    UnitOutcome,
    Verb,
)
from connectors.contract.provider import Outcome, Run
from connectors.contract.secret import Secret
from connectors.engines.names import source_id
from connectors.providers.postgresql.provider import PROVIDER
from connectors.runners.local import run
from connectors.toolkit.sealing import new_private_key, open_sealed, public_key, seal
from tests.targets import CONNECTOR, PostgresServer

INTEGRATION = "integration-1"
KEY = new_private_key()
CATALOG = """
SELECT 'role', rolname, rolcanlogin::text, rolvaliduntil::text, rolpassword,
       shobj_description(oid, 'pg_authid'), rolinherit::text FROM pg_authid
UNION ALL SELECT 'member', roleid::regrole::text, member::regrole::text, grantor::regrole::text,
       admin_option::text, coalesce(to_jsonb(m) ->> 'inherit_option', ''), coalesce(to_jsonb(m) ->> 'set_option', '')
       FROM pg_auth_members m
UNION ALL SELECT 'database', datname, datacl::text, datdba::regrole::text, '', '', '' FROM pg_database
ORDER BY 1, 2, 3, 4
"""
OBJECTS = """
SELECT 'class', relname, relacl::text, relowner::regrole::text FROM pg_class
       WHERE relnamespace > 16383 OR relnamespace = 'public'::regnamespace
UNION ALL SELECT 'schema', nspname, nspacl::text, nspowner::regrole::text FROM pg_namespace
UNION ALL SELECT 'default', defaclobjtype::text, defaclacl::text, defaclrole::regrole::text FROM pg_default_acl
ORDER BY 1, 2, 3
"""
_numbers = itertools.count(1)


@dataclass
class World:
    """A server with a prepared database called `database`."""

    server: PostgresServer
    database: str
    person: Person = field(default_factory=lambda: Person(f"person-{next(_numbers)}", "nobody.in.particular"))
    connector: str = CONNECTOR
    password: str = "connector-secret"
    integration: str = INTEGRATION

    def create(self) -> None:
        """Make the database with a table of one row, and prepare it."""
        self.sql("CREATE DATABASE {}", self.database, on="postgres")
        self.sql("CREATE TABLE orders (id serial PRIMARY KEY, item text)")
        self.sql("INSERT INTO orders (item) VALUES ('first')")
        self.server.prepare(self.database)

    def remove(self) -> None:
        """Drop the database."""
        self.sql("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database, on="postgres")

    def sql(self, statement: str, *names: str, on: str | None = None, **options: Any) -> list[tuple[Any, ...]]:
        """Run one statement as the superuser; names fill the slots {}."""
        composed = sql.SQL(statement).format(*map(sql.Identifier, names)) if names else statement
        return self.server.run_sql(composed, on or self.database, **options)

    # What can be asked for.

    def unit(self, permission: str = "READ_ONLY", *, kind: str = "database", names: tuple[str, ...] = ()) -> Unit:
        """Return a unit; without names, one on the database."""
        return Unit(kind, source_id(*(names or (self.database,))), permission)

    def table(self, table: str = "orders", permission: str = "READ_ONLY", schema: str = "public") -> Unit:
        """Return a unit on a table."""
        return self.unit(permission, kind="table", names=(self.database, schema, table))

    def schema(self, schema: str = "public", permission: str = "READ_ONLY") -> Unit:
        """Return a unit on a schema."""
        return self.unit(permission, kind="schema", names=(self.database, schema))

    def grant(self, *units: Unit, login: str = "", seconds: float = 3600.0, wants: bool = True) -> Grant:
        """Return a grant of these units, or of reading the database."""
        number = next(_numbers)
        return Grant(
            f"grant-{number}", login or f"ada.l-{number}", units or (self.unit(),), time.time() + seconds, wants
        )

    # Orders.

    def order(self, verb: Verb, desired: Desired | None = None, **changes: Any) -> Order:
        """Return an order to this server."""
        order = Order(
            order_id="order-1",
            epoch=1,
            verb=verb,
            provider="postgresql",
            integration_id=self.integration,
            config={
                "hostname": self.server.host,
                "port": self.server.port,
                "dbname": "postgres",
                "sslmode": "prefer",
                "username": self.connector,
            },
            secrets={"password": Secret(self.password)},
            desired=desired,
            seal_to=public_key(KEY),
        )
        return replace(order, **changes)

    def do(self, verb: Verb, holds: tuple[Grant, ...] = (), gone: tuple[Ending, ...] = (), **changes: Any) -> Report:
        """Run an order about the person."""
        return run(self.order(verb, Desired(self.person, holds, gone), **changes), on_page=lambda page: None)

    def apply(self, *holds: Grant, gone: tuple[Ending, ...] = (), **changes: Any) -> Report:
        """Make the person hold these grants."""
        return self.do(Verb.APPLY, holds, gone, **changes)

    def end(self, *grants: Grant, **changes: Any) -> Report:
        """Make the person hold nothing, ending these grants."""
        return self.apply(gone=tuple(map(ending, grants)), **changes)

    def clean_up(self, *grants: Grant, **changes: Any) -> Report:
        """Drop the logins of these grants."""
        return self.do(Verb.CLEAN_UP, (), tuple(map(ending, grants)), **changes)

    def read_back(self, *holds: Grant, gone: tuple[Ending, ...] = ()) -> Report:
        """Read the target."""
        return self.do(Verb.READ_BACK, holds, gone)

    def discover(self, *types: str, page_size: int = 5000) -> dict[tuple[str, str], ResourceFact]:
        """Return the inventory by type and source id."""
        pages: list[Page] = []
        report = run(self.order(Verb.DISCOVER, resource_types=types, page_size=page_size), on_page=pages.append)
        assert report.error is None, report.error
        assert report.found == sum(len(page.resources) for page in pages)
        return {(fact.resource_type, fact.source_id): fact for page in pages for fact in page.resources}

    # A person at work.

    def sign_in(self, grant: Grant, report: Report, database: str | None = None) -> psycopg.Connection[Any]:
        """Connect as the person would, with the credentials of the report."""
        return self.server.connect(database or self.database, user=grant.login, password=password(report, grant))

    def snapshot(self, *, rename: dict[str, str] | None = None) -> list[str]:
        """Return everything the catalogs say about roles and privileges, as text."""
        rows = [*self.server.run_sql(CATALOG), *self.server.run_sql(OBJECTS, self.database)]
        lines = [repr(row) for row in rows]
        for old, new in (rename or {}).items():
            lines = [line.replace(old, new) for line in lines]
        return sorted(lines)

    def logins(self) -> set[str]:
        """Return the logins that bear the person's marker."""
        rows = self.server.run_sql(
            "SELECT rolname FROM pg_roles WHERE starts_with(shobj_description(oid, 'pg_authid'), "
            f"'latchkey integration={self.integration} person={self.person.person_id} ')"
        )
        return {row[0] for row in rows}

    def may_log_in(self, login: str) -> bool:
        """Say whether the server would let the login in at all."""
        return bool(
            self.sql(
                f"SELECT rolcanlogin AND rolpassword IS NOT NULL FROM pg_authid WHERE rolname = '{login}'",
                on="postgres",
            )[0][0]
        )


def ending(grant: Grant) -> Ending:
    """Return the end of a grant."""
    return Ending(grant.grant_id, grant.login, grant.units)


def password(report: Report, grant: Grant) -> str:
    """Return the password that the report has for a grant."""
    sealed = next(entry.sealed_credentials for entry in report.grants if entry.grant_id == grant.grant_id)
    opened = json.loads(open_sealed(KEY, sealed, grant.grant_id.encode()))
    assert isinstance(opened["password"], str)
    return str(opened["password"])


def outcomes(report: Report, grant: Grant) -> list[UnitOutcome]:
    """Return what became of the units of a grant."""
    assert report.error is None, report.error
    return [unit.outcome for entry in report.grants if entry.grant_id == grant.grant_id for unit in entry.units]


def held(report: Report, grant: Grant) -> bool:
    """Say whether all units of a grant are held, by the report and by its proof."""
    assert report.read_back is not None
    found = {entry.unit for entry in report.read_back.ours if entry.grant_id == grant.grant_id}
    return set(outcomes(report, grant)) == {UnitOutcome.HELD} and found == set(grant.units)


def proven_gone(report: Report, *grants: Grant) -> bool:
    """Say whether nothing is left of these grants, by the report and by its proof."""
    assert report.read_back is not None
    ids = {grant.grant_id for grant in grants}
    return all(set(outcomes(report, grant)) == {UnitOutcome.GONE} for grant in grants) and not [
        entry for entry in report.read_back.ours if entry.grant_id in ids
    ]


class Interrupted:
    """A lease that is lost at the n-th statement and never comes back."""

    def __init__(self, at: int) -> None:
        """Be lost at the statement of this number, counted from 1."""
        self.at = at
        self.asked = 0

    def __call__(self) -> None:
        """Count a statement."""
        self.asked += 1
        if self.asked >= self.at:
            raise LeaseLost("interrupted by the test")


def interrupted(order: Order, alive: Callable[[], None]) -> Outcome | None:
    """Run an order about a person with this lease; return None when it was interrupted."""

    def box(details: dict[str, str], grant_id: str = "") -> str:
        return seal(order.seal_to, json.dumps(details).encode(), grant_id.encode())

    verb = {Verb.APPLY: PROVIDER.apply, Verb.CLEAN_UP: PROVIDER.clean_up}[order.verb]
    with suppress(LeaseLost):
        return verb(order, Run(alive=alive, seal=box))
    return None
