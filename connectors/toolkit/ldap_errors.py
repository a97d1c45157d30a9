"""What went wrong at a directory, as an instruction.

Result codes: RFC 4511, appendix A. Active Directory says more in the words, as "data 52e" (a Windows error in hex).
"""

from __future__ import annotations

import re
from typing import Any

from ldap3.core.exceptions import LDAPCommunicationError, LDAPException
from pyasn1.error import PyAsn1Error

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.toolkit.ldap_files import LdapFile

NO_SUCH_ATTRIBUTE = 16
VALUE_EXISTS = 20
NO_SUCH_OBJECT = 32
INVALID_CREDENTIALS = 49
ENTRY_EXISTS = 68

BY_CODE: dict[int, tuple[type[TargetError], str]] = {
    3: (Unreachable, "It is tried again."),  # timeLimitExceeded
    7: (Misconfigured, "The directory must allow simple binds."),  # authMethodNotSupported
    8: (Misconfigured, "Choose LDAPS or StartTLS: the directory takes no password otherwise."),  # strongerAuthRequired
    10: (Misconfigured, "It lies in another domain: connect to that one."),  # referral
    11: (Unreachable, "It is tried again."),  # adminLimitExceeded
    12: (Misconfigured, "The directory does not know a control that the program needs."),
    13: (Misconfigured, "Choose LDAPS or StartTLS: the directory takes no password otherwise."),
    NO_SUCH_OBJECT: (TargetMissing, ""),
    34: (Misconfigured, "Check the distinguished names in the configuration."),  # invalidDNSyntax
    50: (NotPermitted, ""),  # insufficientAccessRights
    51: (Unreachable, "It is tried again."),  # busy
    52: (Unreachable, "It is tried again."),  # unavailable
}
# What Active Directory means by its refusal of a bind.
AT_THE_DOOR = {
    "525": "there is no such user",
    "52e": "the password is wrong",
    "530": "the user may not log on at this time",
    "531": "the user may not log on from here",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password must be changed first",
    "775": "the account is locked",
}
SAID_MAX = 300
# What the driver's decoder raises over bytes that are no LDAP.
GARBLED = (LookupError, ValueError, TypeError, PyAsn1Error)


def rejected(result: dict[str, Any]) -> TargetError:
    """Return the typed error for a bind that was refused."""
    if result.get("result") != INVALID_CREDENTIALS:
        return refusal(result, None)
    data = re.search(r"data ([0-9a-f]{3})\b", said(result))
    reason = AT_THE_DOOR.get(data[1], f"data {data[1]}") if data else "it does not say why"
    return CredentialsRejected(
        f"The directory does not let the connector's user in: {reason}.",
        fix="Check the connector's user name and password.",
    )


def refusal(result: dict[str, Any], file: LdapFile | None) -> TargetError:
    """Return the typed error for an operation that was refused."""
    code, name = int(result.get("result", -1)), str(result.get("description", ""))
    words = f"The directory answered {name} ({code}) to {file.name if file else 'the connector'}: {said(result)}"
    kind, fix = BY_CODE.get(code, (Misconfigured, ""))
    if kind is NotPermitted and file is not None and file.needs:
        return NotPermitted(f"{words} It needs {file.needs}.", fix=f"Give the connector's user {file.needs}.")
    return kind(words, fix=fix)


def unreachable(address: str, error: Exception) -> TargetError:
    """Return the typed error for what never came to an answer, without the driver's words: they may hold a value."""
    words = str(error).lower()
    if isinstance(error, GARBLED) and not isinstance(error, LDAPException | OSError):
        return Unreachable(f"{address} answered with something that is no LDAP.", fix="Check the port.")
    if not isinstance(error, LDAPCommunicationError | OSError):
        return Misconfigured(f"{address} cannot be asked like this ({type(error).__name__}).")
    if "certificate" in words or "ssl" in words:
        return Unreachable(
            f"{address} did not prove who it is, or speaks no TLS.",
            fix="Give the connector the CA that signed its certificate, and the name that stands in it as host.",
        )
    if "timed out" in words:
        return Unreachable(f"{address} did not answer in time.", fix="It is tried again.")
    return Unreachable(f"{address} is unreachable ({type(error).__name__}).", fix="Check host, port and network.")


def said(result: dict[str, Any]) -> str:
    """Return the directory's own words as a sentence."""
    words = str(result.get("message", "")).replace("\0", "").strip()[:SAID_MAX].rstrip(".,; ")
    return f"{words or 'it does not say why'}."
