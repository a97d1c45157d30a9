"""What a grantee is shown: where the cluster is, how to sign in, and a command that is ready to be used."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Grant
from connectors.contract.secret import Secret
from connectors.providers.kubernetes.names import LEVELS, Subject, role_ref
from connectors.providers.kubernetes.server import Target
from connectors.toolkit.kubeconfig import elsewhere, kubeconfig


def details(at: Target, grant: Grant, subject: Subject, ends_at: str) -> dict[str, Any]:
    """Return what is needed to connect, but for the token."""
    found = _namespaces(grant)
    namespace = found[0] if found else ""
    shown: dict[str, Any] = {"cluster": at.name, "server": at.for_people, "username": subject.user}
    if found:
        shown |= {"namespace": namespace, "namespaces": found}
    if at.users:
        sign_in = f"Sign in to the cluster as you always do; there you are {subject.user}."
        return {**shown, "sign_in": sign_in, "command": _command(grant, namespace, "--context", at.name)}
    if at.api.cluster.ca:
        shown["ca"] = at.api.cluster.ca
    return {
        **shown,
        "token_ends_at": ends_at,
        "save_as": _file(grant),
        "command": _command(grant, namespace, "--kubeconfig", _file(grant)),
    }


def credentials(at: Target, grant: Grant, subject: Subject, token: Secret) -> dict[str, str]:
    """Return the secret part: a whole kubeconfig, and the token by itself."""
    found = _namespaces(grant)
    cluster = elsewhere(at.api.cluster, at.for_people)
    text = kubeconfig(cluster, user=subject.name, token=token.reveal(), namespace=found[0] if found else "")
    return {"kubeconfig": text, "token": token.reveal()}


def _file(grant: Grant) -> str:
    """Return what to call the file with the kubeconfig."""
    return f"{grant.login}.kubeconfig"


def _command(grant: Grant, namespace: str, *how: str) -> str:
    """Return a first command: what the access is good for, or what it is where only a role is known."""
    where = ["--namespace", namespace] if namespace else []
    levels = any(unit.resource_type in LEVELS for unit in grant.units)
    what = ["get", "pods", *([] if namespace else ["--all-namespaces"])] if levels else ["auth", "can-i", "--list"]
    return shlex.join(["kubectl", *how, *where, *what])


def _namespaces(grant: Grant) -> list[str]:
    """Return the namespaces that the units of a grant lie in, in their order."""
    names: dict[str, None] = {}
    for unit in grant.units:
        with suppress(Misconfigured):  # one unit that makes no sense is reported as failed, and no more
            if namespace := role_ref(unit).namespace:
                names[namespace] = None
    return list(names)
