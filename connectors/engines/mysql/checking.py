"""Tries, before anybody depends on it, whether the connector can do its work here, and what would undo it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from connectors.contract.errors import CredentialsRejected, Misconfigured, TargetError
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.engines.mysql.levels import LEVELS, is_system, privileges
from connectors.engines.mysql.offers import PREPARE, offers
from connectors.engines.mysql.reading import holdings_of
from connectors.engines.mysql.roles import harm
from connectors.engines.mysql.server import Dialect, Target, installed, open_session, target
from connectors.engines.names import marker_id
from connectors.toolkit.mysql import Session, connect
from connectors.toolkit.scram import new_password

# The event looks every ten seconds.
LATE_SECONDS = 60.0
# The probe's own end, should everything else fail.
PROBE_SECONDS = 60.0
CLEANING_SECONDS = 5.0
PROBE = "probe"
NAMED = 5
# What the connector's account is meant to have for the whole server.
ENOUGH = frozenset({"SHOW DATABASES", "GRANT OPTION"})


def check(order: Order, run: Run, dialect: Dialect) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with open_session(order, run) as session:
        at = target(session, dialect)
        findings = [*_way_in(at)]
        try:
            row = installed(at)
        except Misconfigured as error:
            return (*findings, Finding("error", error.message, error.fix))
        findings += [*_clockwork(at, float(row["late"])), *_rights(at), *_databases(at), *_anonymous(at)]
        return (*findings, *_authentication(at, order, run))


def _way_in(at: Target) -> Iterator[Finding]:
    """Say what answered and how."""
    version = ".".join(map(str, at.session.version))
    yield Finding("ok", f"{at.dialect.name} {version} answers, and the connector signs in as {at.account[0]}.")
    if not at.encrypted:
        yield Finding(
            "warning",
            "The connection is not encrypted.",
            "Turn on TLS at the server and choose verify-full here; people who connect should do the same.",
        )


def _clockwork(at: Target, late: float) -> Iterator[Finding]:
    """Say whether access would end without us: by the event that looks every few seconds."""
    if at.scheduler != "ON":
        yield Finding(
            "warning",
            "The event scheduler is off, so access ends only when the connector ends it, and not by itself.",
            "SET GLOBAL event_scheduler = ON, and the same in the server's configuration.",
        )
    elif late > LATE_SECONDS:
        yield Finding(
            "warning",
            f"The event that ends access by itself has not run for {late:.0f} s.",
            "Look at the event latchkey.end_what_is_due, or run setup/1_connector.sql again.",
        )
    else:
        yield Finding("ok", "Access ends by itself: the event that locks logins at their end is running.")


def _rights(at: Target) -> Iterator[Finding]:
    """Say whether the connector's account has more than it should."""
    held = holdings_of(at, [at.account]).get(at.account, {})
    more = held.get(("server",), frozenset()) - ENOUGH
    passed_on = {thing: has - {"GRANT OPTION"} for thing, has in held.items() if thing[0] != "role"}
    if "latchkey" in {thing[1] for thing in held if thing[0] == "database"}:
        passed_on.pop(("database", "latchkey"), None)
    words = harm({thing: has for thing, has in passed_on.items() if thing != ("server",)})
    if more or words:
        reason = f"it has {', '.join(sorted(more))} on the whole server" if more else words
        yield Finding(
            "warning",
            f"{at.account[0]} may do more than the connector needs: {reason.rstrip('.')}.",
            "Run setup/1_connector.sql and use the account it makes.",
        )


def _databases(at: Target) -> Iterator[Finding]:
    """Say which databases can be granted."""
    passing = offers(at)
    names = [row["name"] for row in at.session.rows(at.programs.databases) if not is_system(row["name"])]
    ready = [
        name
        for name in names
        if any(not passing.missing(privileges("database", level), name) for level in LEVELS["database"])
    ]
    unprepared = sorted(set(names) - set(ready))
    if not ready:
        yield Finding("warning", "No database is prepared, so none can be asked for.", PREPARE)
        return
    yield Finding("ok", f"Ready to be asked for: {_some(ready)}.")
    if unprepared:
        yield Finding("warning", f"Not prepared: {_some(unprepared)}.", f"To offer one: {PREPARE}")


def _anonymous(at: Target) -> Iterator[Finding]:
    """Say where somebody without a name is let in: the server takes that account before one for every host."""
    hosts = [row["host"] for row in at.session.rows(at.programs.accounts, names=[""]) if not row["locked"]]
    if hosts:
        yield Finding(
            "warning",
            f"Anybody is let in without a name from {_some(hosts)}, and logins of grants are taken for nobody there.",
            "Drop the accounts whose user is empty.",
        )


def _authentication(at: Target, order: Order, run: Run) -> Iterator[Finding]:
    """Try with a login that may do nothing whether passwords count. The probe is removed whatever happens."""
    integration, programs = marker_id(order.integration_id), at.programs
    for row in at.session.rows(programs.logins, integration=integration, person=PROBE, names=[]):
        at.session.change(programs.drop_login, login=row["login"])
    if order.dry_run:
        return
    name, password = f"lk_probe_{secrets.token_hex(8)}", new_password()
    try:
        at.session.change(
            programs.create_login,
            login=name,
            verifier=Secret(at.dialect.verifier(password)),
            integration=integration,
            person=PROBE,
            grant_id=PROBE,
            ends_at=float(installed(at)["read_at"]) + PROBE_SECONDS,
        )
        wrong, right = _enters(at, run, name, new_password()), _enters(at, run, name, password)
    finally:
        _drop_probe(at, run, name)
    yield _verdict(wrong, right)


def _verdict(wrong: TargetError | None, right: TargetError | None) -> Finding:
    """Say what it means that the wrong and the right password were taken (None) or not."""
    if wrong is None:
        return Finding(
            "error",
            "The server let a login in with a wrong password.",
            "Start the server without skip-grant-tables: only a password ends with its grant.",
        )
    if right is not None:
        return Finding(
            "error",
            f"The server did not let a new login in with its right password: {right.message}",
            "Accounts for every host ('%') must be let in with a password.",
        )
    return Finding("ok", "The server asks new logins for their passwords (tried from the connector's address).")


def _enters(at: Target, run: Run, login: str, password: str) -> TargetError | None:
    """Try to log in; return None when the password was taken, or why it was not."""
    run.alive()
    try:
        connection, line = connect(replace(at.session.server, user=login, password=Secret(password)), run.remaining())
    except CredentialsRejected as error:
        return error
    connection.close()
    line.close()
    return None


def _drop_probe(at: Target, run: Run, name: str) -> None:
    """Remove the probe, on a connection of its own and also after the lease: nobody else knows this name.

    If even that fails, the next check finds the probe by its marker; it may do nothing and its password is forgotten.
    """
    unleashed = replace(run, alive=lambda: None, remaining=lambda: CLEANING_SECONDS)
    with suppress(TargetError), Session(at.session.server, unleashed) as session:
        session.change(at.programs.drop_login, login=name)


def _some(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
