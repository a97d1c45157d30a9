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
            contract.Ending(
                one["grant_id"],
                one["login"],
                tuple(unit(each) for each in one["units"]),
                _drain_until(one, leased_at),
            )
            for one in raw.get("gone", ())
        ),
    )


def _drain_until(raw: dict[str, Any], leased_at: datetime) -> float | None:
    """Return until when an ending may drain; None where all ends now, also because that time is past."""
    until = datetime.fromisoformat(raw["drain_until"]) if raw.get("drain_until") else None
    return until.timestamp() if until is not None and until > leased_at else None


def outgoing(
    order: Order,
    *,
    secrets: dict[str, Secret],
    references: dict[str, contract.SecretReference],
    seal_to: str,
    lease_seconds: float,
    leased_at: datetime,
    resume: str = "",
    cursor: str = "",
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
        resume=resume,
        cursor=cursor,
    )


# The year 2200, in seconds since the epoch: a clock beyond it tells nothing.
CLOCK_MAX = 7_258_118_400
COUNT_MAX = 2**31 - 1


def senseless(report: contract.Report) -> str:
    """Return what in a report cannot be taken in, or nothing: whoever takes it in later must not stumble over it."""
    if report.read_back is not None and not 0 < report.read_back.read_at < CLOCK_MAX:
        return "the time of its read-back is no time"
    counts = [number for grant in report.grants for number in (grant.sessions_ended, grant.sessions_left)]
    if any(not 0 <= number <= COUNT_MAX for number in counts):
        return "a number of sessions is no number of sessions"
    if any(len(kind.resource_type) > 60 or len(kind.name) > 100 for kind in report.resource_types):
        return "the name of a resource type is too long"
    permissions = [one for kind in report.resource_types for one in kind.permissions]
    if any(len(one.permission) > 200 or len(one.name) > 200 or not 1 <= one.risk_level <= 9 for one in permissions):
        return "a permission has too long a name, or a risk that is not 1 to 9"
    standing = report.read_back.standing if report.read_back is not None else ()
    if any(len(one.login) > 200 or _too_long(one.unit) for one in standing):
        return "something that is standing has too long a name"
    return ""


def _too_long(one: contract.Unit) -> bool:
    return len(one.resource_type) > 60 or len(one.resource) > 700 or len(one.permission) > 200


def incoming(report: contract.Report) -> dict[str, Any]:
    """Return a report as JSON for the order's row."""
    plain = asdict(report)
    plain["error"] = plain["error"] or {}
    return plain
