"""The way to the function: AWS's Invoke, as the role that the connector has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.toolkit.event_contract import custom_parameters
from connectors.toolkit.events import Function
from connectors.toolkit.lambda_invoke import LambdaChannel


@contextmanager
def reaching(order: Order, run: Run) -> Iterator[Function]:
    """Give the function of an order; nothing is sent yet. Raises Misconfigured for what is missing."""
    region, name = (str(order.config.get(key) or "") for key in ("region", "function_name"))
    if not region or not name:
        raise Misconfigured("The configuration lacks the region or the name of the function.")
    yield Function(LambdaChannel(region, name, run), order, run, custom_parameters(order))
