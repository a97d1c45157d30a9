"""The verbs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.contract.orders import Finding, Order, Page, PermissionFact, ResourceTypeFact
from connectors.contract.provider import Outcome, Run
from connectors.engines.logins import Work
from connectors.engines.mysql import checking, discovery
from connectors.engines.mysql.place import MySQLPlace
from connectors.engines.mysql.reading import MySQLLogin
from connectors.engines.mysql.server import Dialect, open_session, target
from connectors.manifests import read_manifest
from connectors.toolkit.mysql import Session


class MySQLProvider:
    """One kind of server of the family."""

    def __init__(self, folder: Path, dialect: Dialect) -> None:
        """Speak a dialect, with the manifest in a provider's folder."""
        self._folder = folder
        self._dialect = dialect

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return checking.check(order, run, self._dialect)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest: they are the same on every server."""
        return tuple(
            ResourceTypeFact(
                kind.id, kind.name, tuple(PermissionFact(p.id, p.name, p.risk_level) for p in kind.permissions)
            )
            for kind in read_manifest(self._folder).resource_types
        )

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield databases, roles and tables."""
        return discovery.discover(order, run, self._dialect)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        with open_session(order, run) as session:
            return self._work(order, run, session).apply()

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds."""
        with open_session(order, run) as session:
            return self._work(order, run, session).outcome()

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Give the logins of the grants that want it a new password."""
        with open_session(order, run) as session:
            return self._work(order, run, session).reset()

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: a login lives as long as its grant, so there is no older password than that."""
        return self.reset_credentials(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Drop the logins of ended grants, unless something works with their rights."""
        with open_session(order, run) as session:
            return self._work(order, run, session).clean_up()

    def _work(self, order: Order, run: Run, session: Session) -> Work[MySQLLogin]:
        """Return the order, under way."""
        return Work(order, run, MySQLPlace(target(session, self._dialect), order))
