"""What went wrong at a MySQL or MariaDB server, as an instruction.

Numbers: https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html and
https://mariadb.com/kb/en/mariadb-error-code-reference/
"""

from __future__ import annotations

import ssl

import pymysql

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    Refused,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.toolkit.sql_files import SqlFile

BY_NUMBER: dict[int, type[TargetError]] = {
    1044: NotPermitted,  # access denied to database
    1045: CredentialsRejected,  # access denied: unknown user or wrong password
    1049: TargetMissing,  # unknown database
    1094: TargetMissing,  # unknown thread id
    1130: CredentialsRejected,  # host is not allowed to connect
    1131: NotPermitted,  # anonymous users may not change settings
    1133: TargetMissing,  # no matching row in the user table
    1141: TargetMissing,  # there is no such grant
    1142: NotPermitted,  # command denied on a table
    1143: NotPermitted,  # command denied on a column
    1146: TargetMissing,  # no such table
    1147: TargetMissing,  # there is no such grant on the table
    1227: NotPermitted,  # you need the privilege …
    1290: Misconfigured,  # the server runs with an option that forbids it
    1305: Misconfigured,  # there is no such procedure: the set-up is missing
    1370: NotPermitted,  # execute denied on a routine
    1396: TargetMissing,  # operation on an account failed: it is not there
    1410: NotPermitted,  # may not make users with GRANT
    1644: Refused,  # SIGNAL of one of our procedures
    1698: NotPermitted,  # may not administer a role; or: no way in for this account
    1820: CredentialsRejected,  # the password has to be changed first
    1836: Unreachable,  # read-only: a replica, or about to become one
    1862: CredentialsRejected,  # the password has expired
    1959: TargetMissing,  # invalid role
    3118: CredentialsRejected,  # the account is locked (MySQL)
    3523: TargetMissing,  # unknown authorization id
    3530: TargetMissing,  # a role that is not granted
    3619: NotPermitted,  # may not grant a role
    3879: NotPermitted,  # the account has more than we may change
    4006: Refused,  # the account is a definer
    4151: CredentialsRejected,  # the account is locked (MariaDB)
}

# What may be different at the next try: no connection, too many, shutting down, locks, time-outs.
PASSING = frozenset({1040, 1053, 1129, 1152, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226, 1317, 1927, 1969, 3024})
CLIENT = range(2000, 3000)
ACCOUNT = "Check the connector's user name and password, and the host that its account is for."


def at_the_door(error: pymysql.Error | OSError) -> TargetError:
    """Return the typed error for a connection that was not made."""
    cause = getattr(error, "original_exception", error)
    number, words = _told(error)
    if isinstance(cause, ssl.SSLError) or number == 2026:
        reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or words
        return Misconfigured(
            f"The connection cannot be encrypted as asked: {reason}.",
            fix="Check the encryption setting, and the server's certificate and its authority.",
        )
    kind = BY_NUMBER.get(number)
    if kind in (CredentialsRejected, NotPermitted):
        return CredentialsRejected(f"The server refused the connection: {_sentence(words)}", fix=ACCOUNT)
    if number == 3159:  # the server insists on encryption
        return Misconfigured(_sentence(words), fix="Choose require or verify-full.")
    return Unreachable(f"The server cannot be reached: {_sentence(words)}", fix="It is tried again.")


def at_work(error: pymysql.Error, file: SqlFile | None, connected: bool) -> TargetError:
    """Return the typed error for a statement that failed; `file` is the program it is part of."""
    number, words = _told(error)
    kind = BY_NUMBER.get(number)
    if number in CLIENT or (not connected and kind is None):
        return Unreachable(f"The connection was lost: {_sentence(words)}", fix="It is tried again.")
    if number in PASSING:
        return Unreachable(_sentence(words), fix="It is tried again.")
    if kind is NotPermitted:
        needs = file.needs if file is not None else ""
        message = _sentence(words) + (f" This needs {needs}." if needs else "")
        return NotPermitted(message, fix=f"Give the connector's account {needs}." if needs else "")
    if kind is Refused:
        return Refused(_sentence(words))
    return (kind or Misconfigured)(f"{_sentence(words)} (error {number or 'unknown'})")


def _told(error: pymysql.Error | OSError) -> tuple[int, str]:
    """Return the number and the words of an error."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    words = str(error.args[1]) if len(error.args) > 1 and error.args[1] else str(error) or type(error).__name__
    return number, words.strip()


def _sentence(words: str) -> str:
    """Return the server's words as a sentence."""
    return words[:1].upper() + words[1:].rstrip(".") + "."
