"""Ways into a Kubernetes cluster: kubeconfig files, read and written, and the service account of a pod.

Of a kubeconfig only what is written in it is used. One that tells its reader to run a program (exec), to ask a plug-in
(auth-provider) or to open a file is refused: it comes from a configuration form, and would otherwise be a way to run
programs and read files beside the target.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret

SIZE_MAX = 2**20
POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# What would make us run, read or trust something that is not written in the file.
REFUSED = {
    "exec": "runs a program",
    "auth-provider": "asks a plug-in",
    "tokenFile": "reads a file",
    "client-certificate": "reads a file",
    "client-key": "reads a file",
    "certificate-authority": "reads a file",
    "insecure-skip-tls-verify": "does not ask who answers",
    "username": "signs in with a password, which clusters do not take any more",
    "as": "acts as somebody else",
}
INLINE = "Put a token, or client-certificate-data and client-key-data, and certificate-authority-data into it."


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster and how to sign in. `ca` and `certificate` are PEM texts; without `ca` the machine's own store counts.

    `name` is what a kubeconfig called the cluster; it may be empty.
    """

    server: str
    ca: str = ""
    token: Secret | None = None
    certificate: str = ""
    key: Secret | None = None
    name: str = ""


def from_kubeconfig(text: Secret) -> Cluster:
    """Return what the current context of a kubeconfig leads to. Raises Misconfigured, never with a value of it."""
    document = _parsed(text.reveal())
    context = _named(document, "contexts", "context", document.get("current-context"))
    cluster = _named(document, "clusters", "cluster", context.get("cluster"))
    user = _named(document, "users", "user", context.get("user"))
    for name, what in REFUSED.items():
        if cluster.get(name) or user.get(name):
            raise Misconfigured(f"The kubeconfig has {name!r}: it {what}. The connector does not do that.", fix=INLINE)
    token, key = user.get("token"), _decoded(user, "client-key-data")
    certificate = _decoded(user, "client-certificate-data")
    if not token and not (certificate and key):
        raise Misconfigured("The kubeconfig has no token and no client certificate with its key.", fix=INLINE)
    return Cluster(
        server=str(cluster.get("server", "")),
        ca=_decoded(cluster, "certificate-authority-data"),
        token=Secret(str(token)) if token else None,
        certificate=certificate,
        key=Secret(key) if key else None,
        name=str(context.get("cluster", "")),
    )


def in_cluster(environment: Mapping[str, str] | None = None, folder: Path = POD) -> Cluster:
    """Return the cluster that this process runs in, by its pod's service account. Raises Misconfigured outside of one.

    The files are read anew each time: the token in them is replaced before it ends.
    """
    environ = os.environ if environment is None else environment
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    try:
        token = (folder / "token").read_text(encoding="utf-8").strip()
        ca = (folder / "ca.crt").read_text(encoding="utf-8")
    except (OSError, ValueError):
        token, ca = "", ""
    if not (host and port and token and ca):
        raise Misconfigured(
            "No address is given, and the connector does not run in a cluster with a service account of its own.",
            fix="Give the address of the API server and a token, or a kubeconfig.",
        )
    host = f"[{host}]" if ":" in host else host
    return Cluster(server=f"https://{host}:{port}", ca=ca, token=Secret(token))


def kubeconfig(cluster: Cluster, *, user: str, token: str, namespace: str = "") -> str:
    """Return a kubeconfig for somebody who has a token, as YAML."""
    name = cluster.name or "cluster"
    place: dict[str, Any] = {"server": cluster.server}
    if cluster.ca:
        place["certificate-authority-data"] = base64.b64encode(cluster.ca.encode()).decode()
    context = {"cluster": name, "user": user, **({"namespace": namespace} if namespace else {})}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": place}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": context}],
        "current-context": name,
    }
    return yaml.safe_dump(document, sort_keys=False, width=10_000)


def elsewhere(cluster: Cluster, server: str) -> Cluster:
    """Return the same cluster at another address."""
    return replace(cluster, server=server)


def _parsed(text: str) -> dict[str, Any]:
    """Return a kubeconfig as a tree. YAML's own words about an error hold what is written there, so they stay here."""
    if len(text) > SIZE_MAX:
        raise Misconfigured("The kubeconfig is larger than 1 MB.")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Misconfigured("The kubeconfig is no YAML document with contexts, clusters and users.")
    return document


def _named(document: dict[str, Any], group: str, kind: str, name: Any) -> dict[str, Any]:
    """Return the entry of a kubeconfig that has a name."""
    entries = document.get(group)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and name and entry.get("name") == name and isinstance(entry.get(kind), dict):
            found: dict[str, Any] = entry[kind]
            return found
    raise Misconfigured(f"The kubeconfig's current context leads to no {kind}.", fix="kubectl config view --minify")


def _decoded(entry: dict[str, Any], name: str) -> str:
    """Return a value that is written in base64."""
    try:
        return base64.b64decode(str(entry.get(name) or ""), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Misconfigured(f"The kubeconfig's {name} is no base64.") from error
