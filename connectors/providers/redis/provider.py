"""The verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.contract.orders import Finding, Order, Page, ResourceFact, ResourceTypeFact
from connectors.contract.provider import Outcome, Run
from connectors.providers.redis import checking, nodes, rules
from connectors.providers.redis.accounts import RedisAccounts
from connectors.providers.redis.nodes import Settings
from connectors.providers.redis.programs import FOLDER
from connectors.toolkit import inventory
from connectors.toolkit.login_verbs import Work


class Redis:
    """Redis 7 and later, Valkey."""

    def check(self, order: Order, run: Run) -> tuple[Finding, ...]:
        """Try everything that can be tried before somebody depends on it."""
        return checking.check(order, run)

    def resource_types(self, order: Order, run: Run) -> tuple[ResourceTypeFact, ...]:
        """Return the resource types of the manifest: they are the same on every server."""
        return inventory.resource_types(FOLDER)

    def discover(self, order: Order, run: Run) -> Iterator[Page]:
        """Yield the server and the patterns of the configuration: a server has no list of patterns to be found."""
        with nodes.open_links(order, run) as (found, links):
            nodes.clock(links[0])  # a server that does not answer has nothing to be asked for
            types = order.resource_types or tuple(rules.LEVELS)
            yield from inventory.pages(_resources(found, types), order.page_size)

    def apply(self, order: Order, run: Run) -> Outcome:
        """End what should not be, give what should be, read it all back."""
        return _work(order, run, Work.apply)

    def read_back(self, order: Order, run: Run) -> Outcome:
        """Read what the person holds."""
        return _work(order, run, Work.read_back)

    def reset_credentials(self, order: Order, run: Run) -> Outcome:
        """Give the logins of the grants that want it a new password."""
        return _work(order, run, Work.reset)

    def rotate(self, order: Order, run: Run) -> Outcome:
        """Do the same: a login lives as long as its grant, so there is no older password than that."""
        return self.reset_credentials(order, run)

    def clean_up(self, order: Order, run: Run) -> Outcome:
        """Remove what is left of ended grants."""
        return _work(order, run, Work.clean_up)


def _work(order: Order, run: Run, verb: Callable[[Work], Outcome]) -> Outcome:
    """Do a verb about a person."""
    with nodes.open_links(order, run) as (found, links):
        return verb(Work(order, run, RedisAccounts(order, found, links)))


def _resources(found: Settings, types: tuple[str, ...]) -> Iterator[ResourceFact]:
    """Yield what can be asked for."""
    if rules.SERVER in types:
        yield ResourceFact(rules.SERVER, rules.SERVER, found.main.address, found.main.address)
    for kind, patterns in ((rules.KEYS, found.key_patterns), (rules.CHANNELS, found.channel_patterns)):
        if kind in types:
            yield from (ResourceFact(kind, pattern, pattern, pattern) for pattern in patterns)


PROVIDER = Redis()
