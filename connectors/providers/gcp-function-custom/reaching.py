"""The way to the function: its address, with an identity token of the connector's service account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.toolkit.event_contract import custom_parameters
from connectors.toolkit.events import Function, HttpChannel
from connectors.toolkit.google_identity import identity_token
from connectors.toolkit.http import Service

NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")


@contextmanager
def reaching(order: Order, run: Run) -> Iterator[Function]:
    """Give the function of an order, with a token for it. Raises a TargetError when there can be none."""
    address, parameters = _address(order), custom_parameters(order)
    token = identity_token(order.secrets.get("service_account_key"), address, run)
    with Service(address, run, headers={"Authorization": f"Bearer {token.reveal()}"}) as service:
        yield Function(HttpChannel(service), order, run, parameters)


def _address(order: Order) -> str:
    """Return where the function is. Raises Misconfigured for what is no name."""
    if given := str(order.config.get("address") or ""):
        return given
    parts = [str(order.config.get(key) or "") for key in ("region", "project_id", "function_name")]
    for part in parts:
        if not NAME.fullmatch(part):
            raise Misconfigured(f"{part!r} is no name of a region, project or function.")
    return f"https://{parts[0]}-{parts[1]}.cloudfunctions.net/{parts[2]}"
