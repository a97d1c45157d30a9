"""Between rows and the contract's dataclasses: orders go out, reports come in as plain JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import datetime
from typing import Any

from connectors.contract import orders as contract
from connectors.contract.secret import Secret
from integrations.models import Order


def unit(raw: dict[str, str]) -> contract.Unit:
    """Return a unit from its JSON form."""
    return contract.Unit(raw["resource_type"], raw["resource"], raw["permission"])


def _ends_at(raw: dict[str, Any], leased_at: datetime, lease_seconds: float) -> float:
    """Return the target's own end of a grant, in seconds since the epoch; infinite for access without an end.

    A grant that is not active yet ends dispatch + duration + one lease after this lease began; an active one ends one
    lease after the server's end. Either is a backstop: the server ends access first.
    """
    if raw.get("ends_at"):
        return datetime.fromisoformat(raw["ends_at"]).timestamp() + lease_seconds
    if raw.get("lasts_seconds"):
        return leased_at.timestamp() + float(raw["lasts_seconds"]) + lease_seconds
    return math.inf


def desired(raw: dict[str, Any], leased_at: datetime, lease_seconds: float) -> contract.Desired:
    """Return the desired state of an order from its JSON form."""
    person = raw["person"]
    return contract.Desired(
        person=contract.Person(
            person["id"],
            person["name"],
            tuple(person.get("aliases", ())),
            {kind: tuple(values) for kind, values in person.get("attributes", {}).items()},
        ),
        holds=tuple(
            contract.Grant(
                grant_id=grant["grant_id"],
                login=grant["login"],
                units=tuple(unit(one) for one in grant["units"]),
                ends_at=_ends_at(grant, leased_at, lease_seconds),
                wants_credentials=bool(grant["wants_credentials"]),
            )
            for grant in raw.get("holds", ())
        ),
        gone=tuple(
            contract.Ending(one["grant_id"], one["login"], tuple(unit(each) for each in one["units"]))
            for one in raw.get("gone", ())
        ),
    )


def outgoing(
    order: Order,
    *,
    secrets: dict[str, Secret],
    references: dict[str, contract.SecretReference],
    seal_to: str,
    lease_seconds: float,
    leased_at: datetime,
) -> contract.Order:
    """Return the order as a connector gets it, under the lease that the row now has."""
    return contract.Order(
        order_id=str(order.pk),
        epoch=order.epoch,
        verb=contract.Verb(order.verb),
        provider=order.integration.type,
        integration_id=str(order.integration_id),
        config=order.integration.config,
        secrets=secrets,
        references=references,
        desired=desired(order.desired, leased_at, lease_seconds) if order.person_id else None,
        seal_to=seal_to,
        lease_seconds=lease_seconds,
        resource_types=tuple(order.integration.enabled_types),
    )


def incoming(report: contract.Report) -> dict[str, Any]:
    """Return a report as JSON for the order's row."""
    plain = asdict(report)
    plain["error"] = plain["error"] or {}
    return plain
