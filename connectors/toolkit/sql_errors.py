"""What went wrong at a PostgreSQL server, as an instruction.

SQLSTATE classes: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

import re

import psycopg

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.toolkit.sql_files import SqlFile

# "no privileges were granted", "not all privileges were granted". Its twin for revoking (01006) comes with every REVOKE
# ALL by somebody who could not have granted ALL, also when all that was granted is gone: there, read-back judges.
NOTHING_GRANTED = frozenset({"01007"})

BY_STATE: dict[str, type[TargetError]] = {
    "42501": NotPermitted,  # insufficient_privilege
    "0LP01": NotPermitted,  # invalid_grant_operation
    "3D000": TargetMissing,  # invalid_catalog_name: no such database
    "3F000": TargetMissing,  # invalid_schema_name
    "42P01": TargetMissing,  # undefined_table
    "42704": TargetMissing,  # undefined_object: no such role
    "57014": Unreachable,  # query_canceled: our statement_timeout
    "XX000": Unreachable,  # internal_error: "tuple concurrently updated", which a second try does not meet
}
BY_CLASS: dict[str, type[TargetError]] = {
    "08": Unreachable,  # connection
    "28": CredentialsRejected,  # invalid authorization
    "40": Unreachable,  # serialization failure, deadlock
    "53": Unreachable,  # insufficient resources, too many connections
    "55": Unreachable,  # object in use, lock not available
    "57": Unreachable,  # operator intervention: shutdown, starting up
    "58": Unreachable,  # system error
}

# libpq does not tell the SQLSTATE of a connection that failed, so these go by the words. A server that speaks another
# language than English ends up as Unreachable with its own words in the message.
AT_THE_DOOR: tuple[tuple[str, type[TargetError], str], ...] = (
    (
        r"authentication failed|no pg_hba\.conf entry|pg_hba\.conf rejects|no password supplied|not permitted to log in"
        r"|role \".*\" does not exist|password has expired",
        CredentialsRejected,
        "Check the connector's user name and password, and the server's pg_hba.conf.",
    ),
    (r"database \".*\" does not exist", TargetMissing, "Check the name of the database."),
    (r"permission denied for database", NotPermitted, "GRANT CONNECT ON DATABASE … TO the connector's role."),
    (
        r"does not support SSL|certificate|SSL error|sslmode|SSL was required|invalid connection option|invalid port",
        Misconfigured,
        "Check the encryption setting (sslmode) and the server's certificate.",
    ),
)


def at_the_door(error: psycopg.Error) -> TargetError:
    """Return the typed error for a connection that was not made."""
    words = _door_words(str(error))
    for pattern, kind, fix in AT_THE_DOOR:
        if re.search(pattern, words):
            return kind(f"The server refused the connection: {words}", fix=fix)
    return Unreachable(f"The server cannot be reached: {words}", fix="Check host name, port, network and the server.")


def at_work(error: psycopg.Error, file: SqlFile | None, connected: bool) -> TargetError:
    """Return the typed error for a statement that failed; `file` is the program it is part of."""
    state = error.sqlstate or ""
    words = (error.diag.message_primary or str(error)).strip()
    if not connected and state[:2] not in ("28",):
        return Unreachable(f"The connection was lost: {words}", fix="It is tried again.")
    kind = BY_STATE.get(state) or BY_CLASS.get(state[:2])
    if kind is NotPermitted:
        return not_permitted(words, file)
    if kind is None:
        kind = Unreachable if isinstance(error, psycopg.OperationalError) else Misconfigured
    return kind(f"{_sentence(words)} (SQLSTATE {state or 'unknown'})")


def not_permitted(words: str, file: SqlFile | None) -> NotPermitted:
    """Return NotPermitted with the privilege that the program says it needs."""
    needs = file.needs if file is not None else ""
    message = _sentence(words) + (f" This needs {needs}." if needs else "")
    return NotPermitted(message, fix=f"Give the connector's role {needs}." if needs else "")


def _door_words(text: str) -> str:
    """Return the reason out of libpq's text, which repeats the address of every attempt."""
    fatal = re.search(r"FATAL:\s+(.+)", text)
    line = fatal[1] if fatal else text.strip().splitlines()[0] if text.strip() else "no reason given"
    return re.sub(r"^connection failed: ", "", line.strip())


def _sentence(words: str) -> str:
    """Return the server's words as a sentence."""
    return words[:1].upper() + words[1:].rstrip(".") + "."
