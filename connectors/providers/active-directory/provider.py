"""The verbs."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.orders import Finding, Order, Page, ResourceTypeFact
from connectors.contract.provider import Outcome, Run
from connectors.toolkit import inventory
from connectors.toolkit.membership_verbs import Work

from . import looking
from .directory import enter
from .programs import FOLDER


class ActiveDirectory:
    """Windows Server's Active Directory and Samba's, over LDAP."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return looking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest: here, they are the same in every domain."""
        return inventory.resource_types(FOLDER)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield groups."""
        return looking.discover(order, run)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        with enter(order, run) as domain:
            return Work(order, run, domain).apply()

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds."""
        with enter(order, run) as domain:
            return Work(order, run, domain).outcome()

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds: they sign in with their own password, which is not ours."""
        return self.read_back(order, run)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: there are no credentials of ours."""
        return self.read_back(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """End what the grants in `desired.gone` may have left, and nothing else."""
        with enter(order, run) as domain:
            return Work(order, run, domain).clean_up()


PROVIDER = ActiveDirectory()
