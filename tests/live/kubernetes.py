"""A Kubernetes control plane of its own for connectors.vet.live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.contract.orders import Person, Unit
from tests import targets_kubernetes as targets
from tests.connectors.kubernetes_world import CONNECTOR, NODES, WRITER, binding, prepare, role, snapshot, use, user

CONFIG_MAP = {"metadata": {"name": "tried"}}


class KubernetesLive:
    """Two namespaces, a role in one of them, and a cluster role."""

    def __init__(self, cluster: targets.Cluster) -> None:
        self._cluster = cluster
        self.config = {"server": cluster.server, "ca": cluster.ca, "cluster_name": "live"}
        self.secrets = {"token": cluster.token_of(CONNECTOR, CONNECTOR)}
        self.person = Person("person-live", "Ada Live", ("ada.live@example.com", "ada.live"))
        self.units = (
            Unit("namespace", "shop", "READ_ONLY"),
            Unit("namespace", "stock", "READ_WRITE"),
            Unit("role", "shop/writer", "MEMBER"),
            Unit("cluster-role", "node-reader", "MEMBER"),
        )

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Ask for what only this unit permits; what would write is tried without writing."""
        method, path, body = {
            self.units[0]: ("GET", "/api/v1/namespaces/shop/pods", None),
            self.units[1]: ("POST", "/api/v1/namespaces/stock/configmaps?dryRun=All", CONFIG_MAP),
            self.units[2]: ("POST", "/api/v1/namespaces/shop/configmaps?dryRun=All", CONFIG_MAP),
            self.units[3]: ("GET", "/api/v1/nodes", None),
        }[unit]
        return use((details, credentials), self._cluster, method, path, body) in (200, 201)

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> None:
        """Return none: the API server never cuts a request that is open, and test_kubernetes_apply.py says so."""
        return

    def snapshot(self) -> object:
        """Return accounts and bindings."""
        return snapshot(self._cluster)

    def give_standing(self, unit: Unit) -> bool:
        """Bind the person's own user, as an admin would."""
        view = {"kind": "ClusterRole", "name": "view"}
        self._cluster.make(binding("by-hand", view, user("ada.live@example.com"), "shop"))
        return True

    def take_standing(self, unit: Unit) -> None:
        """Delete the binding."""
        self._cluster.delete(targets.PATHS["RoleBinding"].format(namespace="shop") + "/by-hand")


def missing() -> str:
    """Return why there can be no cluster."""
    return targets.missing()


@contextmanager
def live() -> Iterator[KubernetesLive]:
    """Start a cluster and set it up."""
    with targets.running() as cluster:
        prepare(cluster)
        for name in ("shop", "stock"):
            cluster.make({"kind": "Namespace", "metadata": {"name": name}})
        cluster.make(role("writer", WRITER, "shop"))
        cluster.make(role("node-reader", NODES))
        cluster.set_up("4_optional_roles.yaml", NAMESPACE="shop", ROLE="writer")
        cluster.set_up("3_optional_cluster.yaml", **{"[view, edit, cluster-admin]": "[node-reader]"})
        yield KubernetesLive(cluster)
