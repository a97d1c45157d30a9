"""Gets identity tokens of a Google service account, for services that ask who calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import google.auth.exceptions
import google.auth.transport.requests
import requests
from google.oauth2 import id_token, service_account

from connectors.contract.errors import CredentialsRejected, Misconfigured, TargetError, Unreachable
from connectors.contract.provider import Run
from connectors.contract.secret import Secret

TOKEN_SECONDS = 15.0


def identity_token(key: Secret | None, audience: str, run: Run) -> Secret:
    """Return a token that says who the connector is, for `audience` only; Google makes it last for an hour.

    Without a key it is asked of the machine that the connector runs on. Raises a TargetError.
    """
    run.alive()
    try:
        with requests.Session() as session:
            request = _within_lease(google.auth.transport.requests.Request(session), run)
            credentials = _credentials(key, audience, request)
            credentials.refresh(request)
            return Secret(str(credentials.token))
    except google.auth.exceptions.GoogleAuthError as error:
        run.alive()
        raise _error(error) from error


def access_token(key: Secret, scopes: tuple[str, ...], subject: str, run: Run) -> Secret:
    """Return a token for these scopes, for a service account that acts as `subject` by domain-wide delegation.

    Google makes it last for an hour. Raises a TargetError.
    """
    run.alive()
    try:
        found = json.loads(key.reveal())
        kind = service_account.Credentials
        credentials = kind.from_service_account_info(  # type: ignore[no-untyped-call]
            found, scopes=list(scopes), subject=subject
        )
    except (ValueError, TypeError, AttributeError) as error:
        # The error's own words may hold a part of the key.
        raise Misconfigured(
            "The service account key is no JSON key file of a service account.", fix="Paste the whole file."
        ) from error
    try:
        with requests.Session() as session:
            request = _within_lease(google.auth.transport.requests.Request(session), run)
            credentials.refresh(request)
            return Secret(str(credentials.token))
    except google.auth.exceptions.GoogleAuthError as error:
        run.alive()
        raise _error(error) from error


def _credentials(key: Secret | None, audience: str, request: Any) -> Any:
    """Return credentials for identity tokens. Raises Misconfigured for a key that is none."""
    if key is None or not key.reveal().strip():
        return id_token.fetch_id_token_credentials(audience, request=request)  # type: ignore[no-untyped-call]
    try:
        found = json.loads(key.reveal())
        kind = service_account.IDTokenCredentials
        return kind.from_service_account_info(found, target_audience=audience)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, AttributeError) as error:
        # The error's own words may hold a part of the key.
        raise Misconfigured(
            "The service account key is no JSON key file of a service account.",
            fix="Paste the whole file, or leave it empty where the connector runs as a service account.",
        ) from error


def _within_lease(request: Any, run: Run) -> Callable[..., Any]:
    """Return a transport whose requests end with the lease."""

    def bounded(*given: Any, **named: Any) -> Any:
        run.alive()
        return request(*given, **{**named, "timeout": min(TOKEN_SECONDS, max(run.remaining(), 0.001))})

    return bounded


def _error(error: google.auth.exceptions.GoogleAuthError) -> TargetError:
    """Return the typed error for what Google, or the way there, said."""
    if isinstance(error, google.auth.exceptions.DefaultCredentialsError):
        return Misconfigured(
            "The connector runs as no service account.", fix="Run it as one, or give the integration a key."
        )
    if isinstance(error, google.auth.exceptions.TransportError) or error.retryable:
        return Unreachable(f"Google gives no token now ({type(error).__name__}).", fix="It is tried again.")
    return CredentialsRejected(
        f"Google gives no token for this service account ({type(error).__name__}).",
        fix="Ask the owner of the integration for a new key, and look whether the account is disabled.",
    )
