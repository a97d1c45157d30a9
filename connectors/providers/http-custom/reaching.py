"""The way to the function: one address, signed requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.toolkit.event_contract import custom_parameters
from connectors.toolkit.events import Function, HttpChannel, Signature
from connectors.toolkit.http import Service


@contextmanager
def reaching(order: Order, run: Run) -> Iterator[Function]:
    """Give the function of an order; nothing is sent yet. Raises Misconfigured for what is missing."""
    if "signing_key" not in order.secrets:
        raise Misconfigured("The integration has no signing key, so the function cannot know who asks.")
    given = order.secrets.get("authorization")
    headers = {"Authorization": given.reveal()} if given is not None and given.reveal() else {}
    signature = Signature(order.secrets["signing_key"])
    parameters = custom_parameters(order)
    with Service(str(order.config.get("address") or ""), run, headers=headers, auth=signature) as service:
        yield Function(HttpChannel(service), order, run, parameters)
