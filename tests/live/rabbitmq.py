"""A RabbitMQ of its own for connectors.vet.live."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

import amqp
import requests

from connectors.contract.orders import Person, Unit
from connectors.providers.rabbitmq.names import parse_unit, source_id
from tests.connectors.rabbit_world import CONNECTOR, CONNECTOR_PASSWORD, RabbitServer, missing, shared

__all__ = ["live", "missing"]

SHOP, STOCK = "shop's & /vhost", "stock"
BROKEN = (amqp.AMQPError, OSError, socket.timeout)


class OpenSession:
    """A connection of the grantee."""

    def __init__(self, connection: amqp.Connection) -> None:
        self._connection = connection

    def alive(self) -> bool:
        """Open a channel, which takes an answer."""
        try:
            self._connection.channel().close()
        except BROKEN:
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        with suppress(*BROKEN):
            self._connection.close()


class RabbitLive:
    """Two vhosts with something in them."""

    def __init__(self, server: RabbitServer) -> None:
        self._server = server
        self.config = {
            "url": server.url,
            "username": CONNECTOR,
            "amqp_url": f"amqp://127.0.0.1:{server.amqp_port}",
            "offer_administrator": "false",
        }
        self.secrets = {"password": CONNECTOR_PASSWORD}
        self.person = Person("person-live", "Ada Live", ("ada.live@example.com",))
        self.units = (
            Unit("queue", source_id(SHOP, "jobs"), "READ"),
            Unit("exchange", source_id(SHOP, "orders"), "WRITE"),
            Unit("vhost", source_id(STOCK), "CONFIGURE"),
            Unit("tag", source_id("monitoring"), "HOLD"),
        )

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Do what the unit is for."""
        who = details["username"], credentials["password"]
        if unit.resource_type == "tag":
            with suppress(requests.HTTPError):
                return bool(self._server.admin("GET", "/nodes", who=who))
            return False
        work: dict[str, Callable[[amqp.Channel], Any]] = {
            "queue": lambda channel: channel.basic_get("jobs", no_ack=True),
            "exchange": lambda channel: channel.basic_publish_confirm(amqp.Message("hello"), "orders", "new"),
            "vhost": lambda channel: channel.queue_declare("mine", auto_delete=True, durable=False),
        }
        try:
            with self._server.amqp(parse_unit(unit)[0], *who) as connection:
                work[unit.resource_type](connection.channel())
        except BROKEN:
            return False
        return True

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> OpenSession:
        """Connect and stay."""
        vhost = parse_unit(unit)[0]
        return OpenSession(self._server.amqp(vhost, details["username"], credentials["password"]))

    def snapshot(self) -> object:
        """Return users and permissions."""
        return self._server.snapshot()

    def give_standing(self, unit: Unit) -> bool:
        """Make a user of the person's own name that may read everything in the vhost."""
        here = quote(parse_unit(unit)[0], safe="")
        self._server.admin("PUT", "/users/ada.live", {"password": "her own", "tags": ""})
        self._server.admin("PUT", f"/permissions/{here}/ada.live", {"configure": "", "write": "", "read": ".*"})
        return True

    def take_standing(self, unit: Unit) -> None:
        """Remove it."""
        self._server.admin("DELETE", "/users/ada.live")


@contextmanager
def live() -> Iterator[RabbitLive]:
    """Use the broker of this process."""
    server = shared()
    server.make(SHOP, queues=("jobs",), exchanges=("orders",))
    server.make(STOCK)
    yield RabbitLive(server)
