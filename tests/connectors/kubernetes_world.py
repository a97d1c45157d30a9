"""The cast of the provider's tests: a cluster, a namespace of the test's own, a person, and orders about them."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import requests
import yaml

from connectors.contract.orders import Desired, Ending, Grant, Order, Page, Person, Report, Unit, Verb
from connectors.contract.provider import Baseline, remember
from connectors.contract.secret import Secret
from connectors.runners.local import run
from connectors.toolkit.sealing import new_private_key, open_sealed, public_key
from tests.targets_kubernetes import PATHS, RBAC, Cluster

KEY = new_private_key()
CONNECTOR = "latchkey-connector"
# Somebody who signs in to the cluster by themselves: token to user name.
PEOPLE = {"token-of-ada": "ada@example.com", "token-of-bob": "oidc:bob@example.com"}
_numbers = itertools.count(1)

READER = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
WRITER = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}]
NODES = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]


def role(name: str, rules: list[dict[str, Any]], namespace: str = "", **labels: str) -> dict[str, Any]:
    """Return a role, or without a namespace a cluster role."""
    meta = {"name": name, "labels": labels, **({"namespace": namespace} if namespace else {})}
    return {"kind": "Role" if namespace else "ClusterRole", "metadata": meta, "rules": rules}


def binding(name: str, to: dict[str, str], subject: dict[str, str], namespace: str = "") -> dict[str, Any]:
    """Return a binding, as somebody else than Latchkey makes it."""
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    api = "rbac.authorization.k8s.io"
    return {"kind": kind, "metadata": meta, "roleRef": {"apiGroup": api, **to}, "subjects": [subject]}


def user(name: str) -> dict[str, str]:
    """Return a user as the subject of a binding."""
    return {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def use(
    shown: tuple[dict[str, Any], dict[str, str]], cluster: Cluster, method: str, path: str, body: Any = None
) -> int:
    """Send a request as a grantee does who was given a kubeconfig, and return the status."""
    document = yaml.safe_load(shown[1]["kubeconfig"])
    assert document["clusters"][0]["cluster"]["server"] == cluster.server == shown[0]["server"]
    token = document["users"][0]["user"]["token"]
    assert token == shown[1]["token"]
    return cluster.ask(method, path, body, token=token, check=False).status_code


def eventually(true: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Wait until something is true, and say whether it came to be."""
    patience = time.monotonic() + seconds
    while not true():
        if time.monotonic() > patience:
            return False
        time.sleep(0.05)
    return True


def snapshot(cluster: Cluster) -> object:
    """Return every binding and account; the secrets of accounts that are gone are waited for to go too."""
    bindings = [
        (one["metadata"].get("namespace"), one["metadata"]["name"], one["roleRef"], one.get("subjects"))
        for kind in ("rolebindings", "clusterrolebindings")
        for one in cluster.items(f"{RBAC}/{kind}")
    ]
    left: set[str] = set()

    def settled() -> bool:
        accounts = cluster.names("/api/v1/namespaces/latchkey/serviceaccounts")
        owner = "kubernetes.io/service-account.name"
        secrets = cluster.items("/api/v1/namespaces/latchkey/secrets")
        left.clear()
        left.update({one["metadata"]["annotations"][owner] for one in secrets} - accounts)
        return not left

    eventually(settled)
    accounts = cluster.names("/api/v1/namespaces/latchkey/serviceaccounts") - {"default"}
    return sorted(map(repr, bindings)), accounts, left


def prepare(cluster: Cluster) -> None:
    """Run the set-up that everybody needs, as an admin would."""
    cluster.set_up("1_connector.yaml", "2_namespaces.yaml")


@dataclass
class World:
    """A cluster with a namespace called `namespace`, and a connector that may give what the set-up files say."""

    cluster: Cluster
    namespace: str
    person: Person = field(
        default_factory=lambda: Person((n := f"person-{next(_numbers)}"), "Ada", (f"{n}@example.com", n))
    )
    config: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    integration: str = "integration-1"
    memory: dict[Unit, bool] = field(default_factory=dict)

    def create(self) -> World:
        """Make the namespace with a role, and sign in the connector."""
        self.cluster.make({"kind": "Namespace", "metadata": {"name": self.namespace, "labels": {"team": "red"}}})
        self.cluster.make(role("reader", READER, self.namespace))
        self.config = {"server": self.cluster.server, "ca": self.cluster.ca, "cluster_name": "prod"} | self.config
        self.secrets = self.secrets or {"token": self.cluster.token_of(CONNECTOR, CONNECTOR)}
        return self

    # What can be asked for.

    def unit(self, permission: str = "READ_ONLY", kind: str = "namespace", resource: str = "") -> Unit:
        """Return a unit; one on the namespace by default."""
        return Unit(kind, resource or self.namespace, permission)

    def grant(self, *units: Unit, seconds: float = 3600.0, wants: bool = True) -> Grant:
        """Return a grant of these units, or of reading the namespace."""
        number = next(_numbers)
        return Grant(f"grant-{number}", f"lk_ada_{number}", units or (self.unit(),), time.time() + seconds, wants)

    # Orders.

    def order(self, verb: Verb, holds: tuple[Grant, ...] = (), gone: tuple[Grant, ...] = (), **changes: Any) -> Order:
        """Return an order to this cluster."""
        endings = tuple(Ending(one.grant_id, one.login, one.units) for one in gone)
        about = verb not in (Verb.CHECK, Verb.DISCOVER)
        order = Order(
            order_id="order-1",
            epoch=1,
            verb=verb,
            provider="kubernetes",
            integration_id=self.integration,
            config=dict(self.config),
            secrets={name: Secret(value) for name, value in self.secrets.items()},
            desired=Desired(self.person, holds, endings) if about else None,
            seal_to=public_key(KEY),
        )
        return replace(order, **changes)

    def run(self, order: Order, pages: list[Page] | None = None, **options: Any) -> Report:
        """Run an order."""
        baseline: Baseline = remember(self.memory)
        return run(order, on_page=(pages if pages is not None else []).append, baseline=baseline, **options)

    def apply(self, *holds: Grant, gone: tuple[Grant, ...] = (), **changes: Any) -> Report:
        """Make the person hold these grants."""
        return self.run(self.order(Verb.APPLY, holds, gone, **changes))

    def end(self, *grants: Grant, **changes: Any) -> Report:
        """Make the person hold nothing, ending these grants."""
        return self.apply(gone=grants, **changes)

    def read_back(self, *holds: Grant, gone: tuple[Grant, ...] = ()) -> Report:
        """Read the target."""
        return self.run(self.order(Verb.READ_BACK, holds, gone))

    def resources(self, *kinds: str, **changes: Any) -> dict[tuple[str, str], Any]:
        """Return the whole inventory, by type and source id."""
        pages: list[Page] = []
        report = self.run(self.order(Verb.DISCOVER, resource_types=kinds, **changes), pages)
        assert report.error is None, report.error
        return {(one.resource_type, one.source_id): one for page in pages for one in page.resources}

    # What came of it.

    def shown(self, report: Report, grant: Grant) -> tuple[dict[str, Any], dict[str, str]]:
        """Return what the grantee is shown: details and credentials."""
        told = next(one for one in report.grants if one.grant_id == grant.grant_id)
        if not told.sealed_credentials:
            return told.details, {}
        opened = open_sealed(KEY, told.sealed_credentials, grant.grant_id.encode())
        return told.details, dict(json.loads(opened))

    def pods(self, shown: tuple[dict[str, Any], dict[str, str]]) -> int:
        """List pods as the grantee, and return the status."""
        return use(shown, self.cluster, "GET", f"/api/v1/namespaces/{self.namespace}/pods")

    def bindings(self) -> list[dict[str, Any]]:
        """Return the bindings in the namespace."""
        return self.cluster.items(PATHS["RoleBinding"].format(namespace=self.namespace))

    def accounts(self, namespace: str = "latchkey") -> list[dict[str, Any]]:
        """Return the accounts that bear the person's mark."""
        found = self.cluster.items(PATHS["ServiceAccount"].format(namespace=namespace))
        person = self.person.person_id
        return [one for one in found if (one["metadata"].get("annotations") or {}).get("latchkey/person") == person]


def watch(cluster: Cluster, path: str, token: str) -> requests.Response:
    """Open a watch and leave it open."""
    session = requests.Session()
    session.trust_env = False
    return session.get(
        f"{cluster.server}{path}?watch=1",
        headers={"Authorization": f"Bearer {token}"},
        verify=str(cluster.folder / "ca.crt"),
        stream=True,
        timeout=(5, 5),
    )
