"""What there is to ask for: vhosts, exchanges, queues, and the tags that the broker knows."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.orders import Order, ResourceFact
from connectors.providers.rabbitmq import programs
from connectors.providers.rabbitmq.accounts import NOT_OFFERED, offers_all
from connectors.providers.rabbitmq.broker import Broker
from connectors.providers.rabbitmq.names import (
    ADMINISTRATOR,
    DEFAULT_EXCHANGE,
    EXCHANGE,
    HOLD,
    LENGTHS,
    QUEUE,
    TAG,
    TAGS,
    VHOST,
    source_id,
)

TAG_RISKS = {"management": 3, "monitoring": 4, "policymaker": 7, ADMINISTRATOR: 9}
TO_EVERY_QUEUE = "Nobody can declare it or bind to it; publishing to it reaches every queue of the vhost by its name."


def resources(broker: Broker, order: Order) -> Iterator[ResourceFact]:
    """Yield everything, asked for page by page."""
    types = order.resource_types or tuple(LENGTHS)
    if VHOST in types:
        for row in broker.pages(programs.VHOSTS, order.page_size):
            context = {"description": row["description"]} if row.get("description") else {}
            yield ResourceFact(VHOST, source_id(row["name"]), row["name"], row["name"], context=context)
    if EXCHANGE in types:
        for row in broker.pages(programs.EXCHANGES, order.page_size):
            name = row["name"] or DEFAULT_EXCHANGE
            refusals = {} if row["name"] else {"READ": TO_EVERY_QUEUE, "CONFIGURE": TO_EVERY_QUEUE}
            yield _inside(EXCHANGE, row["vhost"], name, row.get("type", ""), refusals)
    if QUEUE in types:
        for row in broker.pages(programs.QUEUES, order.page_size):
            yield _inside(QUEUE, row["vhost"], row["name"], row.get("type", ""), {})
    if TAG in types:
        for tag in TAGS:
            refused = tag == ADMINISTRATOR and not offers_all(order)
            refusals = {HOLD: NOT_OFFERED} if refused else {}
            yield ResourceFact(TAG, source_id(tag), tag, tag, risk_level=TAG_RISKS[tag], refusals=refusals)


def _inside(resource_type: str, vhost: str, name: str, kind: str, refusals: dict[str, str]) -> ResourceFact:
    """Return an exchange or a queue."""
    return ResourceFact(
        resource_type,
        source_id(vhost, name),
        name,
        f"{vhost}/{name}",
        context={"vhost": vhost, "type": kind},
        refusals=refusals,
    )
