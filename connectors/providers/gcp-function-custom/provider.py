"""The verbs: each is the contract's own, sent to the function that the configuration names."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.orders import Finding, Order, Page, ResourceTypeFact
from connectors.contract.provider import Outcome, Run
from connectors.toolkit import event_contract
from connectors.toolkit.event_verbs import Work

from .programs import CONTRACT
from .reaching import reaching


class CloudFunctionCustom:
    """A Cloud Run function of your own, called with an identity token."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Ask for every answer that is needed later and changes nothing."""
        with reaching(order, run) as function:
            return event_contract.check(function, CONTRACT, order)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the types that the admin named, with the permissions that the function names."""
        with reaching(order, run) as function:
            return event_contract.resource_types(function, CONTRACT, order)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield the function's resources."""
        with reaching(order, run) as function:
            yield from event_contract.discover(function, CONTRACT, order)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, ask again."""
        with reaching(order, run) as function:
            return Work(function, CONTRACT, order, run).apply()

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Ask what the person has."""
        with reaching(order, run) as function:
            return Work(function, CONTRACT, order, run).outcome()

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Let the function make new credentials."""
        with reaching(order, run) as function:
            return Work(function, CONTRACT, order, run).reset()

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: a user lives as long as its grant, so there are no older credentials than that."""
        return self.reset_credentials(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Let the function remove the users of ended grants."""
        with reaching(order, run) as function:
            return Work(function, CONTRACT, order, run).clean_up()


PROVIDER = CloudFunctionCustom()
