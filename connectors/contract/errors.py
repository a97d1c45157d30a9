"""An error is an instruction: each type says what whoever receives it has to do next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ErrorKind(StrEnum):
    """The closed list of what can go wrong at a target."""

    UNREACHABLE = "unreachable"
    CREDENTIALS_REJECTED = "credentials_rejected"
    NOT_PERMITTED = "not_permitted"
    TARGET_MISSING = "target_missing"
    MISCONFIGURED = "misconfigured"
    REFUSED = "refused"
    LEASE_LOST = "lease_lost"


class TargetError(Exception):
    """The base of all errors a provider may raise. `message` is shown to people, so it never holds a secret."""

    kind: ErrorKind

    def __init__(self, message: str, *, fix: str = "", after: float = 0.0) -> None:
        """`message` says what is; `fix` says what to do about it.

        `after` is how many seconds the target asks to be left alone, where it says so; 0 where it does not.
        """
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.after = after

    def report(self) -> ErrorReport:
        """Return the form of this error that travels in a report."""
        return ErrorReport(kind=self.kind, message=self.message, fix=self.fix, after=self.after)


class Unreachable(TargetError):
    """The target did not answer or went away. Try again later."""

    kind = ErrorKind.UNREACHABLE


class CredentialsRejected(TargetError):
    """The target refused the connector's own credentials. Ask the integration's owner."""

    kind = ErrorKind.CREDENTIALS_REJECTED


class NotPermitted(TargetError):
    """The connector's user lacks a privilege; the message names it."""

    kind = ErrorKind.NOT_PERMITTED


class TargetMissing(TargetError):
    """What was named is not there. Fails a grant, succeeds a revoke."""

    kind = ErrorKind.TARGET_MISSING


class Misconfigured(TargetError):
    """The configuration cannot work. Stop until a person changes it."""

    kind = ErrorKind.MISCONFIGURED


class Refused(TargetError):
    """The connector's own rules forbid it."""

    kind = ErrorKind.REFUSED


class LeaseLost(TargetError):
    """The lease ran out before the next statement: nothing more may be done under it."""

    kind = ErrorKind.LEASE_LOST


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """A typed error as it travels in a report and is shown to an admin."""

    kind: ErrorKind
    message: str
    fix: str = ""
    after: float = 0.0
