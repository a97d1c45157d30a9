"""Tries, before anybody depends on it, whether the connector can do its work here, and what would undo it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from connectors.contract.errors import CredentialsRejected, NotPermitted, TargetError
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.providers.postgresql import programs
from connectors.providers.postgresql.discovery import PREPARE, prepared_roles
from connectors.providers.postgresql.names import probe_marker, timestamp
from connectors.providers.postgresql.server import Target, open_sessions, target
from connectors.toolkit.scram import new_password, verifier
from connectors.toolkit.sql import Sessions, connect

# The probe's own end, should everything else fail.
PROBE_SECONDS = 60
CLEANING_SECONDS = 5.0
NAMED = 5


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with open_sessions(order, run) as sessions:
        at = target(order, sessions)
        findings = [*_way_in(at), *_rights(at), *_databases(at)]
        if at.may_make_roles or at.is_superuser:
            findings += _authentication(at, order, run)
        return tuple(findings)


def _way_in(at: Target) -> Iterator[Finding]:
    """Say what answered and how."""
    major = at.home.version // 10000
    yield Finding("ok", f"PostgreSQL {major} answers, and the connector signs in as {at.connector}.")
    if not at.home.encrypted:
        yield Finding(
            "warning",
            "The connection is not encrypted.",
            "Turn on TLS at the server and choose verify-full here; people who connect should do the same.",
        )


def _rights(at: Target) -> Iterator[Finding]:
    """Say what the connector's role may do: too little, or more than it should."""
    if at.is_superuser:
        yield Finding(
            "warning",
            f"{at.connector} is a superuser: far more than the connector needs.",
            "Run setup/1_connector.sql and use the role it makes.",
        )
    elif not at.may_make_roles:
        yield Finding(
            "error",
            f"{at.connector} lacks CREATEROLE, so it cannot make logins.",
            "Run setup/1_connector.sql as an admin of the server.",
        )
    else:
        yield Finding("ok", f"{at.connector} may make logins (CREATEROLE).")
        if not at.options_on_membership:
            yield Finding(
                "warning",
                "Up to PostgreSQL 15, CREATEROLE is as good as superuser: it can give itself almost every role.",
                "Guard the connector's password like a superuser's, or upgrade to PostgreSQL 16 or later.",
            )


def _databases(at: Target) -> Iterator[Finding]:
    """Say which databases can be granted, and what everybody may do in them anyway."""
    rows, roles = at.home.rows(programs.DATABASES), prepared_roles(at)
    ready = {key.database for key, role in roles.items() if role["may_give"] and role["database_exists"]}
    lacking = sorted(role["role"] for role in roles.values() if not role["may_give"])
    if lacking:
        yield Finding(
            "error",
            f"The connector does not hold {_some(lacking)} WITH ADMIN OPTION, so it cannot give or take them.",
            f"For each of their databases, {PREPARE} again.",
        )
    unprepared = [row["name"] for row in rows if row["name"] not in {key.database for key in roles}]
    if not ready:
        yield Finding("warning", "No database is prepared, so none can be asked for.", f"For each, {PREPARE}.")
    else:
        yield Finding("ok", f"Ready to be asked for: {_some(sorted(ready))}.")
        if unprepared:
            yield Finding("warning", f"Not prepared: {_some(unprepared)}.", f"To offer one, {PREPARE}.")
    for privilege, harm in (
        ("CONNECT", "every login, once a grant is over or for another database, could still connect"),
        ("TEMPORARY", "every login can make temporary tables"),
    ):
        names = [row["name"] for row in rows if privilege in row["everybody"]]
        if names:
            yield Finding(
                "warning",
                f"PUBLIC has {privilege} on {_some(names)}: {harm}.",
                f"Take {privilege} from PUBLIC there, once those who rely on it have it themselves.",
            )


def _authentication(at: Target, order: Order, run: Run) -> Iterator[Finding]:
    """Try with a login that may do nothing whether passwords count. The probe is removed whatever happens."""
    marker = probe_marker(order.integration_id)
    for row in at.home.rows(programs.PROBES, marker=marker):
        at.home.change(programs.DROP_PROBE, login=row["login"])
    if order.dry_run:
        return
    (clock,) = at.home.rows(programs.CLOCK)  # the target's own: its end is judged by that one
    name, password = f"latchkey_probe_{secrets.token_hex(8)}", new_password()
    try:
        at.home.change(
            programs.CREATE_PROBE,
            login=name,
            verifier=Secret(verifier(password)),
            ends_at=timestamp(clock["read_at"] + PROBE_SECONDS),
            marker=marker,
        )
        wrong = _enters(at, run, name, new_password())
        right = _enters(at, run, name, password)
    finally:
        _drop_probe(at, run, name)
    yield _verdict(wrong, right)


def _verdict(wrong: TargetError | None, right: TargetError | None) -> Finding:
    """Say what it means that the wrong and the right password were taken (None) or not."""
    if wrong is None:
        return Finding(
            "error",
            "The server let a login in with a wrong password: its rules (pg_hba.conf) do not ask for one from here.",
            "Change trust, peer or ident to scram-sha-256 in pg_hba.conf: only a password ends with its grant.",
        )
    if right is not None:
        return Finding(
            "error",
            f"The server did not let a new login in with its right password: {right.message}",
            "pg_hba.conf must let logins named after people in with scram-sha-256.",
        )
    return Finding("ok", "The server asks new logins for their passwords (tried from the connector's address).")


def _enters(at: Target, run: Run, login: str, password: str) -> TargetError | None:
    """Try to log in; return None when the password was taken, whatever came after it, or why it was not."""
    run.alive()
    server = replace(at.sessions.server, user=login, password=Secret(password))
    try:
        connect(server, at.database, run.remaining()).close()
    except CredentialsRejected as error:
        return error
    except NotPermitted:
        return None  # it was let in, and then had no business in this database
    return None


def _drop_probe(at: Target, run: Run, name: str) -> None:
    """Remove the probe, on a connection of its own and also after the lease: nobody else knows this name.

    If even that fails, the next check finds the probe by its marker; it may do nothing and its password is forgotten.
    """
    unleashed = replace(run, alive=lambda: None, remaining=lambda: CLEANING_SECONDS)
    with suppress(TargetError), Sessions(at.sessions.server, unleashed) as sessions:
        sessions.on(at.database).change(programs.DROP_PROBE, login=name)


def _some(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
