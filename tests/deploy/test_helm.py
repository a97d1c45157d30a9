"""The chart, by Helm itself: linted, rendered, refused for bad values, and installed on a real API server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import helm_python as helm
import pytest
import yaml

from tests import targets_kubernetes
from tests.architecture.source import ROOT
from tests.targets_kubernetes import Cluster

CHART = str(ROOT / "deploy" / "helm" / "latchkey-connector")
VALUES: dict[str, Any] = {"url": "https://access.example.com", "tokenSecret": "latchkey-token"}
MANAGING = VALUES | {"serviceAccount": {"manageClusterRoles": True}}


def rendered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the chart makes, by kind and name."""
    with helm.Chart.load(CHART) as chart:
        texts = chart.render(values, name="prod-eu", namespace="latchkey-connector")
    documents = [one for name, text in texts.items() if not name.endswith(".txt") for one in yaml.safe_load_all(text)]
    return {f"{one['kind']} {one['metadata']['name']}": one for one in documents if one}


def container(values: dict[str, Any]) -> dict[str, Any]:
    """Return the connector's container."""
    pod = rendered(values)["Deployment prod-eu"]["spec"]["template"]["spec"]
    one: dict[str, Any] = pod["containers"][0]
    return one


def test_the_linter_finds_nothing() -> None:
    found = helm.lint(CHART, VALUES, strict=True, kube_version="v1.30.0")
    assert found["errors"] == []
    assert [one["error"] for one in found["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize(
    "values",
    [{}, VALUES | {"url": ""}, VALUES | {"url": "access.example.com"}, VALUES | {"tokenSecret": ""},
     VALUES | {"replicas": 0}, VALUES | {"platform": "moon"}],
)  # fmt: skip
def test_values_that_cannot_work_are_refused(values: dict[str, Any]) -> None:
    with helm.Chart.load(CHART) as chart, pytest.raises(helm.HelmError):
        chart.validate_schema(chart.merge_values(values))


def test_it_runs_without_rights_and_reads_its_token_from_a_file() -> None:
    one = container(VALUES)
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    environment = {each["name"]: each["value"] for each in one["env"]}
    assert environment["LATCHKEY_CONNECTOR_TOKEN_FILE"] == "/run/latchkey/token/token"
    assert environment["LATCHKEY_URL"] == VALUES["url"]


def test_without_permissions_it_may_do_nothing_in_the_cluster() -> None:
    assert not [name for name in rendered(VALUES) if "Role" in name]


def test_with_permissions_it_binds_the_named_roles_and_no_others() -> None:
    made = rendered(MANAGING)
    rules = made["ClusterRole prod-eu"]["rules"]
    setup = {
        one["metadata"]["name"]: one
        for path in sorted(targets_kubernetes.SETUP.glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text())
        if one["kind"] in {"ClusterRole", "Role"}
    }
    for rule in setup["latchkey-connector"]["rules"]:
        assert any(
            set(rule["verbs"]) <= set(each["verbs"]) and rule["resources"] == each["resources"] for each in rules
        )
    assert made["Role prod-eu"]["rules"] == setup["latchkey-accounts"]["rules"]
    binding = [rule for rule in rules if "bind" in rule["verbs"]]
    assert [rule["resourceNames"] for rule in binding] == [["view", "edit"]]
    assert not [rule for rule in rules if {"escalate", "*", "impersonate"} & set(rule["verbs"])]


def test_its_own_account_may_not_lie_where_it_makes_tokens() -> None:
    with helm.Chart.load(CHART) as chart, pytest.raises(helm.HelmError, match="elsewhere"):
        chart.render(MANAGING, name="prod-eu", namespace="latchkey")


def test_the_owners_rules_and_a_private_ca_become_files() -> None:
    values = VALUES | {"rules": 'default = "deny"\n', "ca": "-----BEGIN CERTIFICATE-----\n"}
    made = rendered(values)["ConfigMap prod-eu"]["data"]
    assert made == {"rules.toml": values["rules"], "ca.pem": values["ca"]}
    environment = {each["name"]: each["value"] for each in container(values)["env"]}
    assert environment["LATCHKEY_CONNECTOR_RULES"] == "/run/latchkey/files/rules.toml"
    assert environment["LATCHKEY_CA_FILE"] == "/run/latchkey/files/ca.pem"
    assert "ConfigMap prod-eu" not in rendered(VALUES)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A real API server."""
    if reason := targets_kubernetes.missing():
        pytest.skip(reason)
    one = Cluster().start()
    yield one
    one.remove()


@pytest.mark.parametrize("values", [VALUES, MANAGING], ids=["without permissions", "with permissions"])
def test_it_is_installed_upgraded_and_leaves_nothing(cluster: Cluster, values: dict[str, Any]) -> None:
    for namespace in ("latchkey-connector",):
        cluster.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}, check=False)
    with helm.Config(kubeconfig_content=kubeconfig(cluster), namespace="latchkey-connector") as config:
        config.install(CHART, "prod-eu", values)
        made = cluster.ask("GET", "/apis/apps/v1/namespaces/latchkey-connector/deployments/prod-eu").json()
        assert made["spec"]["replicas"] == 2
        config.upgrade(CHART, "prod-eu", values | {"replicas": 3})
        made = cluster.ask("GET", "/apis/apps/v1/namespaces/latchkey-connector/deployments/prod-eu").json()
        assert made["spec"]["replicas"] == 3
        config.uninstall("prod-eu")
    left = cluster.ask("GET", "/apis/apps/v1/namespaces/latchkey-connector/deployments").json()["items"]
    roles = cluster.ask("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles").json()["items"]
    assert not left
    assert not [one for one in roles if one["metadata"]["name"] == "prod-eu"]


def kubeconfig(cluster: Cluster) -> str:
    """Return how Helm reaches the cluster, as its admin."""
    reached = {"server": cluster.server, "certificate-authority-data": encoded(cluster.ca)}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": reached}],
            "users": [{"name": "u", "user": {"token": targets_kubernetes.ADMIN}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )


def encoded(text: str) -> str:
    """Return base64."""
    return base64.b64encode(text.encode()).decode()
