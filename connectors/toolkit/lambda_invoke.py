"""Invokes one AWS Lambda function: under a lease, never twice, with typed errors.

Who asks is the connector's own role, found as AWS's tools find it; no key is kept. AWS_ENDPOINT_URL_LAMBDA names
another endpoint, as everywhere.
"""

from __future__ import annotations

import json
from typing import Any

import botocore.exceptions
import botocore.loaders
import botocore.session
from botocore.config import Config

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    TargetError,
    Unreachable,
)
from connectors.contract.provider import Run
from connectors.toolkit.events import EventFile

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
# AWS's own limit for an answer that is waited for.
BODY_MAX = 6 * 2**20
SAID_MAX = 300
# AWS's descriptions of its services, read once per process.
LOADER = botocore.loaders.create_loader()
REJECTED = {
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
BUSY = {
    "EC2ThrottledException",
    "ResourceConflictException",
    "ResourceNotReadyException",
    "ServiceException",
    "TooManyRequestsException",
}


class LambdaChannel:
    """A Lambda function, as one order sees it. Each event has a connection of its own, which ends with the lease."""

    def __init__(self, region: str, function: str, run: Run) -> None:
        """Connect to nothing yet. Raises Misconfigured for a region that is none."""
        self._region, self._function, self._run = region, function, run
        self._session = botocore.session.get_session()
        self._session.register_component("data_loader", LOADER)

    def send(self, file: EventFile, body: bytes) -> Any:
        """Send an event and return the parsed answer. Raises a TargetError."""
        self._run.alive()
        left = max(self._run.remaining(), 0.001)
        config = Config(
            connect_timeout=min(CONNECT_SECONDS, left),
            read_timeout=min(READ_SECONDS, left),
            retries={"total_max_attempts": 1},
        )
        try:
            # Its methods come from AWS's own description of the service.
            client: Any = self._session.create_client("lambda", region_name=self._region, config=config)
            try:
                answer = client.invoke(FunctionName=self._function, InvocationType="RequestResponse", Payload=body)
                text = answer["Payload"].read(BODY_MAX + 1)
            finally:
                client.close()
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            self._run.alive()
            raise self._error(error) from error
        self._run.alive()
        return self._parsed(text, answer.get("FunctionError", ""), file)

    def _parsed(self, text: bytes, failed: str, file: EventFile) -> Any:
        """Return the answer as JSON. Raises Unreachable when the function itself failed."""
        if len(text) > BODY_MAX:
            raise Misconfigured(f"{self._function} answered with more than {BODY_MAX // 2**20} MB.")
        try:
            data = json.loads(text) if text else None
        except ValueError:
            data = None
        if failed:
            said = data.get("errorMessage", "") if isinstance(data, dict) else ""
            raise Unreachable(
                f"{self._function} failed at {file.event_type}: {str(said)[:SAID_MAX]}",
                fix="Look at the function's log; it is tried again.",
            )
        return data

    def _error(self, error: Exception) -> TargetError:
        """Return the typed error for what AWS or the way there said."""
        if not isinstance(error, botocore.exceptions.ClientError):
            return _unasked(error, self._function)
        said: Any = error.response.get("Error", {})
        code = str(said.get("Code", ""))
        words = f"AWS refused to invoke {self._function} ({code}): {str(said.get('Message', ''))[:SAID_MAX]}"
        if code in REJECTED:
            return CredentialsRejected(words, fix="Look at the role that the connector runs as.")
        if code.startswith("AccessDenied"):
            return NotPermitted(words, fix=f"It needs lambda:InvokeFunction on {self._function}.")
        if code in BUSY or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            return Unreachable(words, fix="It is tried again.")
        # A function that is not there must not look like access that is gone.
        return Misconfigured(words)


def _unasked(error: Exception, function: str) -> TargetError:
    """Return the typed error for what went wrong before AWS answered."""
    if isinstance(error, botocore.exceptions.NoCredentialsError | botocore.exceptions.PartialCredentialsError):
        return Misconfigured("The connector has no AWS credentials.", fix="Run it with a role, or give it a profile.")
    reached = (
        botocore.exceptions.ConnectionError,
        botocore.exceptions.HTTPClientError,
        botocore.exceptions.ConnectTimeoutError,
        botocore.exceptions.ReadTimeoutError,
        botocore.exceptions.CredentialRetrievalError,
    )
    if isinstance(error, reached):
        return Unreachable(f"AWS did not answer for {function} ({type(error).__name__}).", fix="It is tried again.")
    return Misconfigured(f"{function} cannot be invoked ({type(error).__name__}): {str(error)[:SAID_MAX]}")
