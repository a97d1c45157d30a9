"""What went wrong on a Windows host, as an instruction."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

import requests
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.toolkit.powershell_files import PowerShellFile

ACCESS_DENIED = 5
OBJECT_EXISTS = 8305  # ERROR_DS_OBJ_STRING_NAME_EXISTS
SAID_MAX = 300
# Windows errors (winerror.h) in the identifiers of Active Directory's cmdlets: "ActiveDirectoryServer:8344,…".
BY_CODE: dict[int, type[TargetError]] = {
    ACCESS_DENIED: NotPermitted,
    8344: NotPermitted,  # ERROR_DS_INSUFF_ACCESS_RIGHTS
    8333: TargetMissing,  # ERROR_DS_OBJ_NOT_FOUND
    8240: TargetMissing,  # ERROR_DS_NO_SUCH_OBJECT
    8206: Unreachable,  # ERROR_DS_BUSY
    8207: Unreachable,  # ERROR_DS_UNAVAILABLE
    8446: Unreachable,  # ERROR_DS_DRA_OUT_OF_MEM
    1722: Unreachable,  # RPC_S_SERVER_UNAVAILABLE
}
# Names of exceptions in identifiers and reasons.
BY_NAME: tuple[tuple[str, type[TargetError]], ...] = (
    ("ADIdentityNotFoundException", TargetMissing),
    ("ADServerDownException", Unreachable),
    ("UnauthorizedAccessException", NotPermitted),
    ("AuthenticationException", CredentialsRejected),
    ("TimeoutException", Unreachable),
)
# System.Management.Automation.ErrorCategory.
BY_CATEGORY: dict[int, type[TargetError]] = {13: TargetMissing, 18: NotPermitted, 2: Unreachable, 22: Unreachable}


def unreachable(address: str, error: Exception) -> TargetError:
    """Return the typed error for a session that broke or never came about, without words that may hold a value."""
    if isinstance(error, WinRMError):
        return _answered(address, error)
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(f"{address} did not prove who it is.", fix="Give the connector the CA that signed it.")
    if isinstance(error, requests.RequestException):
        words = "did not answer in time" if isinstance(error, requests.Timeout) else "is unreachable"
        return Unreachable(f"{address} {words} ({type(error).__name__}).", fix="Check host, port and network.")
    if isinstance(error, ValueError):
        return Misconfigured(f"{address} cannot be asked like this (ValueError).", fix="Check the settings.")
    return Unreachable(f"{address} is unreachable ({type(error).__name__}).", fix="Check host, port and network.")


def _answered(address: str, error: WinRMError) -> TargetError:
    """Return the typed error for an answer that was a refusal."""
    if isinstance(error, AuthenticationError):
        return CredentialsRejected(f"{address} does not let the connector's user in.", fix="Check name and password.")
    if isinstance(error, WSManFaultError) and error.code == ACCESS_DENIED:
        return NotPermitted(
            f"The connector's user may not open a session at {address}.",
            fix="Make it a member of Remote Management Users there.",
        )
    if isinstance(error, WSManFaultError):
        return Unreachable(f"{address} answered with the fault {error.code}.", fix="It is tried again.")
    if isinstance(error, WinRMTransportError) and error.code < 500 and error.code != 429:
        return Misconfigured(f"{address} answered {error.code}.", fix="Check that WinRM listens there.")
    return Unreachable(f"{address} broke off ({type(error).__name__}).", fix="It is tried again.")


def failure(records: Iterable[Any], file: PowerShellFile, already: Collection[int] = ()) -> TargetError | None:
    """Return the typed error for a program that failed, by its first error record; None where it says `already`."""
    record = next(iter(records), None)
    if record is None:
        return Unreachable(f"{file.name} was stopped.", fix="It is tried again.")
    identifier, reason = str(record.fq_error or ""), str(record.reason or "")
    code = re.search(r"ActiveDirectoryServer:(\d+)", identifier)
    if code and int(code[1]) in already:
        return None
    kind = BY_CODE.get(int(code[1])) if code else None
    kind = kind or next((one for name, one in BY_NAME if name in identifier or name == reason), None)
    kind = kind or BY_CATEGORY.get(int(record.category or 0), Misconfigured)
    if "CommandNotFoundException" in identifier:
        return Misconfigured(f"{file.name} needs a command that is not there.", fix="Install the module for it (RSAT).")
    words = f"{file.name} failed: {str(record)[:SAID_MAX].strip()} ({identifier.partition(',')[0]})"
    if kind is NotPermitted and file.needs:
        return NotPermitted(f"{words} It needs {file.needs}.", fix=f"Give the connector's user {file.needs}.")
    return kind(words)
