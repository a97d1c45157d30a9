"""Google Secret Manager. A reference is `projects/<project>/secrets/<name>[/versions/<version>]`.

The connector's identity is what google-auth finds where it runs (workload identity, metadata server, a file named in
GOOGLE_APPLICATION_CREDENTIALS). Source: the REST API "projects.secrets.versions.access", version v1.
"""

from __future__ import annotations

import base64
import os
import re
from functools import partial
from typing import Any, Protocol

import google.auth
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request

from connectors.contract.errors import CredentialsRejected, Misconfigured, Unreachable
from connectors.contract.provider import Run
from connectors.stores.asking import FILES
from connectors.toolkit.http import Service

ADDRESS = "https://secretmanager.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_SECONDS = 10
FORM = "projects/<project>/secrets/<name>"
REFERENCE = re.compile(r"projects/([a-z0-9:.-]+)/secrets/([A-Za-z0-9_-]+)(?:/versions/([A-Za-z0-9_-]+))?")
READ = FILES.program("google_read", "project", "secret", "version")


class Credential(Protocol):
    """What gives a token."""

    def __call__(self) -> str:
        """Return an access token. Raises a TargetError."""


def identity_token() -> str:
    """Return a token of the identity that this machine has. Raises CredentialsRejected, Misconfigured, Unreachable."""
    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
        refreshing: Any = credentials  # it has no types
        refreshing.refresh(partial(Request(), timeout=TOKEN_SECONDS))
    except DefaultCredentialsError as error:
        raise Misconfigured("This machine has no identity at Google.", fix="Give it a service account.") from error
    except TransportError as error:
        raise Unreachable(f"Google gave no token ({type(error).__name__}).") from error
    except GoogleAuthError as error:
        raise CredentialsRejected("Google does not accept this machine's identity.") from error
    return str(credentials.token)


class SecretManager:
    """Reads secrets of projects."""

    def __init__(self, token: Credential = identity_token) -> None:
        """Ask `token` who we are."""
        self._token = token

    def read(self, reference: str, run: Run) -> str:
        """Return the payload of a version; of the newest, where the reference names none."""
        found = REFERENCE.fullmatch(reference)
        if found is None:
            raise Misconfigured(f"{reference!r} is not of the form {FORM}.")
        token = self._token()
        run.alive()
        address = os.environ.get("LATCHKEY_GOOGLE_SECRETS_ADDRESS") or ADDRESS
        with Service(address, run, headers={"Authorization": f"Bearer {token}"}) as service:
            answer = service.read(READ, project=found[1], secret=found[2], version=found[3] or "latest")
        return _payload(answer.data)


def _payload(data: object) -> str:
    """Return the payload as text."""
    payload = data.get("payload") if isinstance(data, dict) else None
    if not isinstance(payload, dict) or not isinstance(payload.get("data"), str):
        raise Misconfigured("Google answered without a payload.")
    try:
        return base64.b64decode(payload["data"], validate=True).decode()
    except ValueError as error:
        raise Misconfigured("The secret is no UTF-8 text.") from error


STORE = SecretManager()
