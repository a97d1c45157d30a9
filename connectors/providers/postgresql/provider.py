"""The verbs."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.orders import Finding, Order, Page, ResourceTypeFact
from connectors.contract.provider import Outcome, Run
from connectors.engines.logins import Work
from connectors.providers.postgresql import checking, discovery
from connectors.providers.postgresql.place import PostgreSQLPlace
from connectors.providers.postgresql.programs import FOLDER
from connectors.providers.postgresql.reading import PostgreSQLLogin
from connectors.providers.postgresql.server import open_sessions, target
from connectors.toolkit import inventory
from connectors.toolkit.sql import Sessions


class PostgreSQL:
    """PostgreSQL 13 and later."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return checking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest: here, they are the same on every server."""
        return inventory.resource_types(FOLDER)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield databases, roles, schemas and tables."""
        return discovery.discover(order, run)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        with open_sessions(order, run) as sessions:
            return _work(order, run, sessions).apply()

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds."""
        with open_sessions(order, run) as sessions:
            return _work(order, run, sessions).outcome()

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Give the logins of the grants that want it a new password."""
        with open_sessions(order, run) as sessions:
            return _work(order, run, sessions).reset()

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: a login lives as long as its grant, so there is no older password than that."""
        return self.reset_credentials(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Drop the logins of ended grants, keeping what they own."""
        with open_sessions(order, run) as sessions:
            return _work(order, run, sessions).clean_up()


def _work(order: Order, run: Run, sessions: Sessions) -> Work[PostgreSQLLogin]:
    """Return an order about a person, under way."""
    return Work(order, run, PostgreSQLPlace(target(order, sessions), order))


PROVIDER = PostgreSQL()
