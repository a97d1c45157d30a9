"""Secrets of a Kubernetes cluster. A reference is `<namespace>/<name>`; the field's name is the key in it.

The connector's identity is its own service account or, outside a cluster, the file that KUBECONFIG names. Source: the
Kubernetes API, "Secret v1 core".
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException

from connectors.contract.errors import Misconfigured
from connectors.contract.provider import Run
from connectors.stores.asking import FILES, segments
from connectors.toolkit.http import Service

DEFAULT_FILE = "~/.kube/config"
READ = FILES.program("kubernetes_read", "namespace", "name")


class Secrets:
    """Reads secrets of a cluster."""

    def read(self, reference: str, run: Run) -> str:
        """Return the secret's data as a JSON object."""
        namespace, name = segments(reference, "<namespace>/<name>")
        found = _configuration()
        headers = {}
        token = found.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = str(token)
        verify = found.ssl_ca_cert or bool(found.verify_ssl)
        certificate = (found.cert_file, found.key_file) if found.cert_file and found.key_file else None
        with Service(str(found.host), run, headers=headers, verify=verify, certificate=certificate) as service:
            answer = service.read(READ, namespace=namespace, name=name)
        return _data(answer.data)


def _configuration() -> client.Configuration:
    """Return where the cluster is and who we are there."""
    found = client.Configuration()
    files = os.environ.get("KUBECONFIG") or DEFAULT_FILE
    try:
        loader: Any = config  # it has no types
        if any(Path(one).expanduser().exists() for one in files.split(os.pathsep) if one):
            loader.load_kube_config(config_file=files, client_configuration=found)
        else:
            loader.load_incluster_config(client_configuration=found)
    except ConfigException as error:
        raise Misconfigured(
            "The connector is in no cluster, and KUBECONFIG names none.",
            fix="Run it in the cluster, or set KUBECONFIG.",
        ) from error
    return found


def _data(secret: object) -> str:
    """Return the data of a secret, decoded, as JSON."""
    data = secret.get("data") if isinstance(secret, dict) else None
    if not isinstance(data, dict) or not data:
        raise Misconfigured("The secret is empty.")
    try:
        return json.dumps({key: base64.b64decode(value).decode() for key, value in data.items()})
    except ValueError as error:
        raise Misconfigured("A value of the secret is no UTF-8 text.") from error


STORE = Secrets()
