"""The way in: a cluster from an order's configuration, and what the order needs to know of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.contract.errors import LeaseLost, Misconfigured, TargetError
from connectors.contract.orders import Order, Person
from connectors.contract.provider import Run
from connectors.providers.kubernetes import programs
from connectors.providers.kubernetes.names import NAMESPACE, RoleRef, Subject
from connectors.toolkit.kubeconfig import Cluster, from_kubeconfig, in_cluster
from connectors.toolkit.kubernetes import ApiServer

ACCOUNTS = "latchkey"
USERS = "user"


@dataclass(slots=True)
class Target:
    """A cluster as one order sees it. `namespace` is where the accounts of grants lie.

    `users`: people sign in by themselves, and roles are bound to their own users. `prefix` stands before their e-mail
    addresses there.
    """

    api: ApiServer
    namespace: str
    name: str
    users: bool
    prefix: str
    for_people: str
    system: bool
    _roles: dict[RoleRef, dict[str, Any]] = field(default_factory=dict)
    _namespaces: dict[str, dict[str, Any]] = field(default_factory=dict)

    def role(self, ref: RoleRef) -> dict[str, Any]:
        """Return a role, asked for once in an order. Raises TargetMissing."""
        key = ref if ref.kind == "Role" else ref._replace(namespace="")
        if key not in self._roles:
            if ref.kind == "Role":
                answer = self.api.read(programs.ROLE, namespace=ref.namespace, role=ref.name)
            else:
                answer = self.api.read(programs.CLUSTER_ROLE, role=ref.name)
            self._roles[key] = answer.data
        return self._roles[key]

    def place(self, namespace: str) -> dict[str, Any]:
        """Return a namespace, asked for once in an order. Raises TargetMissing."""
        if namespace not in self._namespaces:
            self._namespaces[namespace] = self.api.read(programs.NAMESPACE, namespace=namespace).data
        return self._namespaces[namespace]

    def user(self, person: Person) -> Subject:
        """Return the person's own user. Raises Misconfigured when it is not one e-mail address that says who it is."""
        addresses = {alias for alias in person.aliases if "@" in alias}
        if len(addresses) != 1:
            raise Misconfigured(
                f"{person.name} has {len(addresses) or 'no'} e-mail addresses, so their user is not known.",
                fix="Give the person one e-mail address, the one that the cluster's sign-in knows.",
            )
        return Subject("User", self.prefix + addresses.pop())


@contextmanager
def target(order: Order, run: Run) -> Iterator[Target]:
    """Open the way into the cluster. Raises Misconfigured for what is missing or cannot be."""
    config = order.config
    namespace = str(config.get("namespace") or ACCOUNTS)
    if not NAMESPACE.fullmatch(namespace):
        raise Misconfigured(f"{namespace!r} cannot be the name of a namespace.")
    found = cluster(order)
    with ApiServer(found, run, dry_run=order.dry_run) as api:
        yield Target(
            api=api,
            namespace=namespace,
            name=found.name,
            users=str(config.get("subjects") or "") == USERS,
            prefix=str(config.get("user_prefix") or ""),
            for_people=str(config.get("server_for_people") or found.server).rstrip("/"),
            system=str(config.get("include_system") or "").lower() == "true",
        )


def cluster(order: Order) -> Cluster:
    """Return the cluster that the configuration means. Raises Misconfigured for what is missing."""
    config, secrets = order.config, order.secrets
    server, ca = str(config.get("server") or "").rstrip("/"), str(config.get("ca") or "")
    token = secrets.get("token")
    if secrets.get("kubeconfig") is not None and secrets["kubeconfig"].reveal().strip():
        found = from_kubeconfig(secrets["kubeconfig"])
        found = replace(found, server=server or found.server, ca=ca or found.ca)
    elif server and token is not None and token.reveal().strip():
        found = Cluster(server=server, ca=ca, token=token)
    elif server:
        raise Misconfigured("There is an address, but neither a token nor a kubeconfig.", fix="Give one of them.")
    else:
        found = in_cluster()
    return replace(found, name=str(config.get("cluster_name") or found.name or "cluster"))


def told(error: TargetError) -> TargetError:
    """Return an error that may be kept and told later. Raises LeaseLost: after that nothing may be done any more."""
    if isinstance(error, LeaseLost):
        raise error
    return error
