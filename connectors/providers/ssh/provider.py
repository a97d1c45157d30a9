"""The verbs."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.orders import Finding, Order, Page, ResourceTypeFact
from connectors.contract.provider import Outcome, Run
from connectors.providers.ssh import checking, discovery
from connectors.providers.ssh.outcomes import outcome
from connectors.providers.ssh.programs import FOLDER
from connectors.providers.ssh.servers import Fleet
from connectors.providers.ssh.work import Work
from connectors.toolkit import inventory


class SSH:
    """Linux servers with OpenSSH and sudo."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return checking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest."""
        return inventory.resource_types(FOLDER)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield servers, and the groups that they allow to be given."""
        return discovery.discover(order, run)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        with Fleet(order, run) as fleet:
            work = Work(order, run, fleet)
            work.apply()
            return outcome(work)

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds."""
        with Fleet(order, run) as fleet:
            return outcome(Work(order, run, fleet))

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Give the logins of the grants that want it a new key and certificate, and revoke the old ones."""
        with Fleet(order, run) as fleet:
            work = Work(order, run, fleet)
            work.reset()
            return outcome(work)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: a key lives as long as its grant, so there is no older one than that."""
        return self.reset_credentials(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Remove the accounts of ended grants, keeping their files."""
        with Fleet(order, run) as fleet:
            work = Work(order, run, fleet)
            work.clean_up()
            return outcome(work, dropped=True)


PROVIDER = SSH()
