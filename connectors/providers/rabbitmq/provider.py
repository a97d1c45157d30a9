"""The verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.contract.orders import Finding, Order, Page, ResourceTypeFact
from connectors.contract.provider import Outcome, Run
from connectors.providers.rabbitmq import checking, discovery
from connectors.providers.rabbitmq.accounts import RabbitAccounts
from connectors.providers.rabbitmq.broker import open_broker
from connectors.providers.rabbitmq.programs import FOLDER
from connectors.toolkit import inventory
from connectors.toolkit.login_verbs import Work


class RabbitMQ:
    """RabbitMQ with its management plugin."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return checking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest: they are the same on every broker."""
        return inventory.resource_types(FOLDER)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield vhosts, exchanges, queues and tags."""
        with open_broker(order, run) as broker:
            yield from inventory.pages(discovery.resources(broker, order), order.page_size)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        return _work(order, run, Work.apply)

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds."""
        return _work(order, run, Work.read_back)

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Give the users of the grants that want it a new password."""
        return _work(order, run, Work.reset)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: a user lives as long as its grant, so there is no older password than that."""
        return self.reset_credentials(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Remove what is left of ended grants."""
        return _work(order, run, Work.clean_up)


def _work(order: Order, run: Run, verb: Callable[[Work], Outcome]) -> Outcome:
    """Do a verb about a person."""
    with open_broker(order, run) as broker:
        return verb(Work(order, run, RabbitAccounts(order, broker)))


PROVIDER = RabbitMQ()
