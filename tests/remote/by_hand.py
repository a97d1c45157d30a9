"""An instance of a remote connector played by hand, on the server's functions: no socket, no process, any time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from audit.actor import system
from connectors.contract import wire
from connectors.contract.orders import Report
from connectors.contract.wire import Heartbeat, Hello, Message, ReportOf, Work
from connectors.toolkit.sealing import new_private_key, open_sealed, public_key
from integrations import actions
from integrations.actions import handing, links, tokens
from integrations.actions.handing import Link
from integrations.choices import Transport
from integrations.models import Connector


@dataclass
class ByHand:
    """One instance with its key and its link."""

    token: str
    key: str
    hello: Hello
    link: Link

    def work(self, at: datetime) -> Work | None:
        """Ask for one order, and read it as it comes off the wire."""
        given = handing.next_work(self.link, at=at)
        return None if given is None else over_the_wire(given)

    def hear(self, message: Message, at: datetime) -> list[Message]:
        """Say something, as it comes off the wire."""
        return [over_the_wire(one) for one in links.hear(self.link, over_the_wire(message), at=at)]

    def beat(self, at: datetime, *working: str, echo: float = 0.0, free: int = 8) -> list[Message]:
        """Say a heartbeat."""
        return self.hear(Heartbeat(free, working, echo), at)

    def report(self, work: Work, at: datetime, **more: object) -> Message:
        """Report on an order, and return the answer."""
        report = Report(work.order.order_id, work.order.epoch)
        (answer,) = self.hear(ReportOf(replace(report, **more)), at)
        return answer

    def opened(self, work: Work) -> dict[str, str]:
        """Return the secrets of an order."""
        order = work.order
        return {
            name: open_sealed(self.key, box, wire.sealing_context(order.order_id, order.epoch, name)).decode()
            for name, box in work.sealed.items()
        }


def over_the_wire(message):
    """Return a message as the other side reads it."""
    return wire.read(wire.write(message))


def instance(connector: Connector, *, at: datetime, token: str = "", **told: object) -> ByHand:
    """Let an instance in."""
    text = token or actions.make_token(connector, actor=system(), at=at)
    key = new_private_key()
    hello = Hello(secrets.token_hex(16), "0.1.0", public_key(key), providers=("simulated", "ledger"), **told)
    row = tokens.admit(text, at=at)
    assert row is not None
    return ByHand(text, key, hello, links.join(row, hello, Transport.WEBSOCKET, secrets.token_hex(16), at=at))
