"""What went wrong at AWS, as an instruction.

Codes common to all services: https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import re

from botocore import exceptions

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    Refused,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.toolkit.call_files import CallFile

SAID_MAX = 400


class UnderWay(Unreachable):
    """Something else is changing the same thing just now. Try again, or wait for it."""


REJECTED = "Check the role, the profile or the keys that the connector runs with."
OWN_CLOCK = "Set the connector's clock: AWS takes no request that is more than minutes off."

# By code; what is not here goes by its ending, then by the status.
BY_CODE: dict[str, tuple[type[TargetError], str]] = {
    "AuthFailure": (CredentialsRejected, REJECTED),
    "ExpiredToken": (CredentialsRejected, REJECTED),
    "ExpiredTokenException": (CredentialsRejected, REJECTED),
    "IncompleteSignature": (CredentialsRejected, REJECTED),
    "InvalidAccessKeyId": (CredentialsRejected, REJECTED),
    "InvalidClientTokenId": (CredentialsRejected, REJECTED),
    "InvalidSignatureException": (CredentialsRejected, REJECTED),
    "InvalidToken": (CredentialsRejected, REJECTED),
    "MissingAuthenticationToken": (CredentialsRejected, REJECTED),
    "SignatureDoesNotMatch": (CredentialsRejected, REJECTED),
    "UnrecognizedClientException": (CredentialsRejected, REJECTED),
    "RequestExpired": (Misconfigured, OWN_CLOCK),
    "RequestTimeTooSkewed": (Misconfigured, OWN_CLOCK),
    "RequestInTheFuture": (Misconfigured, OWN_CLOCK),
    "AccessDenied": (NotPermitted, ""),
    "AccessDeniedException": (NotPermitted, ""),
    "AuthorizationError": (NotPermitted, ""),
    "UnauthorizedOperation": (NotPermitted, ""),
    "ConcurrentModification": (UnderWay, ""),
    "ConcurrentModificationException": (UnderWay, ""),
    "ConflictException": (UnderWay, ""),
    "EntityTemporarilyUnmodifiable": (UnderWay, ""),
    "EntityAlreadyExists": (Refused, "What we did not make is not taken over: rename it, or ask again."),
    "InvalidInstanceID.NotFound": (TargetMissing, ""),
    "LimitExceeded": (Misconfigured, "Raise the quota of the account, or ask for less in one grant."),
    "NotFound": (TargetMissing, ""),
    "404": (TargetMissing, ""),
    "PriorRequestNotComplete": (Unreachable, ""),
    "RequestLimitExceeded": (Unreachable, ""),
    "ServiceQuotaExceededException": (Misconfigured, "Raise the quota of the account."),
    "SlowDown": (Unreachable, ""),
    "TooManyRequestsException": (Unreachable, ""),
}
BY_WORDS: tuple[tuple[str, type[TargetError]], ...] = (
    (r"^Throttl|^ServiceUnavailable|^InternalError|^InternalFailure|^InternalServer|Timeout", Unreachable),
    (r"^NoSuch|NotFound(Exception|Error|Fault)?$|NonExistent|DoesNotExist|NotExist$", TargetMissing),
)


def answered(error: exceptions.ClientError, file: CallFile) -> TargetError:
    """Return the typed error for a call that AWS refused."""
    said = error.response.get("Error", {})
    code = str(said.get("Code", "")).removeprefix("AWS.SimpleQueueService.")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    kind, fix = BY_CODE.get(code, (_by_words(code, status), ""))
    words = f"{file.document['service']} {file.document['operation']}: {str(said.get('Message') or code)[:SAID_MAX]}"
    if kind is NotPermitted and file.needs:
        return NotPermitted(f"{words} ({code})", fix=f"Allow the connector {file.needs}.")
    if issubclass(kind, Unreachable):
        fix = "It is tried again."
    return kind(f"{words} ({code or status})", fix=fix)


def unasked(error: exceptions.BotoCoreError, file: CallFile | None = None) -> TargetError:
    """Return the typed error for a call that never reached AWS."""
    words = f"{file.name}: {error}" if file is not None else str(error)
    if isinstance(error, exceptions.ProfileNotFound | exceptions.ConfigParseError):
        return Misconfigured(words, fix="Name a profile that is in the connector's AWS configuration, or none.")
    rejected = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    )
    if isinstance(error, rejected):
        return CredentialsRejected(f"The connector has no AWS identity: {error}", fix=REJECTED)
    if isinstance(error, exceptions.HTTPClientError | exceptions.MetadataRetrievalError):
        return Unreachable(words, fix="It is tried again.")
    return Misconfigured(words)


def _by_words(code: str, status: int) -> type[TargetError]:
    """Return the kind of an error whose code is not listed."""
    for pattern, kind in BY_WORDS:
        if re.search(pattern, code):
            return kind
    if status >= 500 or status == 429:
        return Unreachable
    return {401: CredentialsRejected, 403: NotPermitted, 404: TargetMissing}.get(status, Misconfigured)
