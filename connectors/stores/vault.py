"""HashiCorp Vault and OpenBao, secret engine KV version 2. A reference is `<mount>/<path>`.

The connector's environment says where and who: VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT, and either VAULT_TOKEN (or
the file in VAULT_TOKEN_FILE) or, in a cluster, VAULT_KUBERNETES_ROLE: then the service account's own token is exchanged
for one of Vault's that lives as long as one reading. Source: Vault's HTTP API, "KV secrets engine - version 2" and
"Kubernetes auth method".
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from connectors.contract.errors import CredentialsRejected, Misconfigured, NotPermitted, TargetMissing
from connectors.contract.provider import Run
from connectors.stores.asking import FILES, segments
from connectors.toolkit.http import Service

SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  # a path
READ = FILES.program("vault_read", "mount", "path")
LOG_IN = FILES.program("vault_log_in", "mount", "role", "jwt")
LOG_OUT = FILES.program("vault_log_out")


class Vault:
    """Reads the newest version of a secret."""

    def read(self, reference: str, run: Run) -> str:
        """Return the secret's data as a JSON object."""
        mount, path = segments(reference, "<mount>/<path>")
        role = os.environ.get("VAULT_KUBERNETES_ROLE", "")
        if not role:
            with _service(run, _token()) as service:
                return _read(service, mount, path)
        with _service(run) as service:
            token = _log_in(service, role)
        with _service(run, token) as service:
            try:
                return _read(service, mount, path)
            finally:
                service.change(LOG_OUT, accept=range(200, 600))


def _service(run: Run, token: str = "") -> Service:
    """Return the Vault that the environment names."""
    address = os.environ.get("VAULT_ADDR", "")
    if not address:
        raise Misconfigured("VAULT_ADDR is not set.", fix="Set it in the connector's environment.")
    headers = {"X-Vault-Request": "true", "X-Vault-Namespace": os.environ.get("VAULT_NAMESPACE", "")}
    headers["X-Vault-Token"] = token
    told = {name: value for name, value in headers.items() if value}
    return Service(address, run, headers=told, verify=os.environ.get("VAULT_CACERT") or True)


def _token() -> str:
    """Return the connector's own token."""
    if os.environ.get("VAULT_TOKEN"):
        return os.environ["VAULT_TOKEN"]
    path = os.environ.get("VAULT_TOKEN_FILE", "")
    if not path or not Path(path).is_file():
        raise Misconfigured("Neither VAULT_TOKEN, VAULT_TOKEN_FILE nor VAULT_KUBERNETES_ROLE is set.")
    return Path(path).read_text(encoding="utf-8").strip()


def _log_in(service: Service, role: str) -> str:
    """Exchange the service account's token for one of Vault's."""
    path = Path(os.environ.get("VAULT_KUBERNETES_TOKEN_FILE") or SERVICE_ACCOUNT_TOKEN)
    if not path.is_file():
        raise Misconfigured(f"VAULT_KUBERNETES_ROLE is set, but there is no service account's token in {path}.")
    mount = os.environ.get("VAULT_KUBERNETES_MOUNT", "kubernetes")
    answer = service.change(LOG_IN, mount=mount, role=role, jwt=path.read_text(encoding="utf-8").strip())
    try:
        assert answer is not None
        return str(answer.data["auth"]["client_token"])
    except (KeyError, TypeError) as error:
        raise Misconfigured("Vault answered the log-in without a token.") from error


def _read(service: Service, mount: str, path: str) -> str:
    """Return the data of the newest version."""
    # Vault says 403 for a bad token and for a missing right alike, and 404 with data for a deleted version.
    answer = service.read(READ, accept=(200, 403, 404), mount=mount, path=path)
    if answer.status == 403:
        words = " ".join(map(str, answer.data.get("errors", ()))) if isinstance(answer.data, dict) else ""
        if "invalid token" in words or "bad token" in words:
            raise CredentialsRejected("Vault does not know the connector's token, or it has expired.")
        raise NotPermitted("Vault forbids it.", fix=f"The token's policy needs read on {mount}/data/{path}.")
    if answer.status == 404:
        raise TargetMissing("Vault has no such secret, or its newest version is deleted.")
    try:
        data = answer.data["data"]["data"]
    except (KeyError, TypeError) as error:
        raise Misconfigured(f"{mount} answered as no KV engine of version 2 does.") from error
    return json.dumps(data)


STORE = Vault()
