"""Azure Key Vault. A reference is the secret's own address: `https://<vault>.vault.azure.net/secrets/<name>[/<version>]`.

The connector's identity is what azure-identity finds where it runs (managed identity, workload identity, environment).
Its token is sent to vaults of Azure only, and to hosts that the connector's owner names in LATCHKEY_AZURE_VAULT_HOSTS.
Source: the REST API "Get Secret", version 7.4.
"""

from __future__ import annotations

import os
from typing import Protocol
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential

from connectors.contract.errors import CredentialsRejected, Misconfigured, Unreachable
from connectors.contract.provider import Run
from connectors.stores.asking import FILES
from connectors.toolkit.http import Answer, Service

# The host of every vault ends so, by cloud; the rest is also the scope of the token to ask for.
SUFFIXES = (".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net")
FORM = "https://<vault>.vault.azure.net/secrets/<name>"
READ = FILES.program("azure_read", "name", "version")
READ_NEWEST = FILES.program("azure_read_newest", "name")


class Credential(Protocol):
    """What gives a token."""

    def __call__(self, scope: str) -> str:
        """Return an access token for a scope. Raises a TargetError."""


def identity_token(scope: str) -> str:
    """Return a token of the identity that this machine has. Raises CredentialsRejected, Misconfigured, Unreachable."""
    try:
        with DefaultAzureCredential(exclude_interactive_browser_credential=True) as credential:
            return credential.get_token(scope).token
    except CredentialUnavailableError as error:
        raise Misconfigured("This machine has no identity in Azure.", fix="Give it a managed identity.") from error
    except ClientAuthenticationError as error:
        raise CredentialsRejected("Azure does not accept this machine's identity.") from error
    except AzureError as error:
        raise Unreachable(f"Azure gave no token ({type(error).__name__}).") from error


class KeyVault:
    """Reads secrets of key vaults."""

    def __init__(self, token: Credential = identity_token) -> None:
        """Ask `token` who we are."""
        self._token = token

    def read(self, reference: str, run: Run) -> str:
        """Return the value of the secret at this address."""
        base, suffix, name, version = _parts(reference)
        token = self._token(f"https://{suffix.lstrip('.')}/.default")
        run.alive()
        verify = os.environ.get("LATCHKEY_AZURE_CA_FILE") or True
        with Service(base, run, headers={"Authorization": f"Bearer {token}"}, verify=verify) as service:
            answer = _ask(service, name, version)
        value = answer.data.get("value") if isinstance(answer.data, dict) else None
        if not isinstance(value, str):
            raise Misconfigured("The key vault answered without a value.")
        return value


def _ask(service: Service, name: str, version: str) -> Answer:
    """Ask for a version, or for the newest."""
    if version:
        return service.read(READ, name=name, version=version)
    return service.read(READ_NEWEST, name=name)


def _parts(reference: str) -> tuple[str, str, str, str]:
    """Return the vault's address, its cloud, the secret's name and its version, which may be empty."""
    parts = urlsplit(reference)
    host, path = (parts.hostname or "").lower(), parts.path.strip("/").split("/")
    own = [one.strip().lower() for one in os.environ.get("LATCHKEY_AZURE_VAULT_HOSTS", "").split(",") if one.strip()]
    suffix = next((one for one in SUFFIXES if host.endswith(one)), SUFFIXES[0] if host in own else "")
    # The token must not go to whoever is named in a reference.
    if parts.scheme != "https" or not suffix or path[0] != "secrets" or len(path) not in (2, 3):
        raise Misconfigured(f"{reference!r} is not of the form {FORM}.")
    return f"https://{parts.netloc.rpartition('@')[2]}", suffix, path[1], path[2] if len(path) == 3 else ""


STORE = KeyVault()
