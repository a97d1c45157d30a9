"""Tries, before anybody depends on it, whether the connector can do its work here, and what would undo it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote

from connectors.contract.errors import CredentialsRejected, TargetError
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.providers.rabbitmq import programs
from connectors.providers.rabbitmq.broker import Broker, hashed, open_broker
from connectors.providers.rabbitmq.names import ADMINISTRATOR
from connectors.toolkit.scram import new_password

CLEANING_SECONDS = 5.0
SET_UP = "Run setup/1_connector.sh as somebody with the tag administrator."
# The user that a broker comes with, and its password.
GUEST = "guest"


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with open_broker(order, run) as broker:
        name = str(order.config["username"])
        tags = list(broker.read(programs.WHOAMI).data["tags"])
        findings = [*_way_in(broker, order, name), *_guest(order, run)]
        if ADMINISTRATOR not in tags:
            lacks = f"{name} lacks the tag administrator, so it cannot make users."
            return (*findings, Finding("error", lacks, SET_UP))
        findings.append(
            Finding("ok", f"{name} may make users (tag administrator: it may do everything; guard its password so).")
        )
        findings += _permissions(broker, name)
        _drop_probes(broker, order)
        if not order.dry_run:
            findings.append(_try(broker, order, run))
        return tuple(findings)


def _way_in(broker: Broker, order: Order, name: str) -> Iterator[Finding]:
    """Say what answered and how."""
    found = broker.read(programs.OVERVIEW).data
    version, cluster = found.get("rabbitmq_version", "(no version)"), found.get("cluster_name", "")
    yield Finding("ok", f"RabbitMQ {version} answers ({cluster}), and the connector signs in as {name}.")
    if not str(order.config["url"]).startswith("https://"):
        yield Finding(
            "warning",
            "The connection to the management API is not encrypted: the connector's password travels in the clear.",
            "Turn on TLS for the management plugin, and give its https:// address here.",
        )


def _guest(order: Order, run: Run) -> Iterator[Finding]:
    """Say whether the user that every broker comes with may still come in from here."""
    if _enters(order, run, GUEST, GUEST):
        yield Finding(
            "warning",
            "The user guest still has the password that every broker comes with, and may sign in from here.",
            "Remove it, or give it another password.",
        )


def _permissions(broker: Broker, name: str) -> Iterator[Finding]:
    """Say whether the connector could read messages, which it has no use for."""
    user = broker.user(name)
    if user is not None and user.permissions:
        yield Finding(
            "warning",
            f"{name} has permissions in {len(user.permissions)} vhost(s), which the connector does not need.",
            "Take them away (rabbitmqctl clear_permissions).",
        )


def _try(broker: Broker, order: Order, run: Run) -> Finding:
    """Make a user without permissions, sign in with a wrong and the right password, and remove it whatever happens."""
    name, password = f"latchkey_probe_{secrets.token_hex(8)}", new_password()
    tags = [_probe_marker(order), "management"]
    try:
        broker.change(programs.CREATE_LOGIN, login=name, password_hash=hashed(password), tags=tags)
        wrong, right = _enters(order, run, name, new_password()), _enters(order, run, name, password)
    finally:
        _drop_probe(order, run, name)
    if right and not wrong:
        return Finding("ok", "A user was made, could sign in with its password only, and is gone again.")
    return Finding(
        "error",
        f"A new user could {'' if right else 'not '}sign in with its password, and could {'' if wrong else 'not '}with"
        " a wrong one.",
        "The broker has to ask its internal database for users and passwords (auth_backends).",
    )


def _enters(order: Order, run: Run, name: str, password: str) -> bool:
    """Say whether somebody can sign in with a password."""
    with open_broker(order, run, user=name, password=Secret(password)) as other:
        try:
            other.read(programs.WHOAMI)
        except CredentialsRejected:
            return False
    return True


def _probe_marker(order: Order) -> str:
    """Return the marker of a probe: no person's id is written with an exclamation mark."""
    return f"latchkey/{quote(order.integration_id, safe='')}/!/probe"


def _drop_probes(broker: Broker, order: Order) -> None:
    """Remove what an earlier check left behind."""
    for name, tags in broker.users().items():
        if _probe_marker(order) in tags:
            broker.change(programs.DROP_LOGIN, login=name)


def _drop_probe(order: Order, run: Run, name: str) -> None:
    """Remove the probe, also after the lease: nobody else knows its name.

    If even that fails, the next check finds it by its marker; it has no permission and its password is forgotten.
    """
    unleashed = replace(run, alive=lambda: None, remaining=lambda: CLEANING_SECONDS)
    with suppress(TargetError), open_broker(order, unleashed) as other:
        other.change(programs.DROP_LOGIN, accept=(204, 404), login=name)
