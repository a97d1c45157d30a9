"""What can go wrong on the way, and what the connector cannot do because it was not given it."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Person, Report, Unit, UnitOutcome, Verb
from connectors.providers.kubernetes import deciding, programs
from connectors.toolkit import kubernetes
from tests import targets_kubernetes
from tests.connectors.kubernetes_world import (
    CONNECTOR,
    READER,
    World,
    binding,
    eventually,
    prepare,
    role,
    snapshot,
    use,
    user,
)
from tests.targets_kubernetes import PATHS, RBAC, Cluster

HELD, GONE, FAILED = UnitOutcome.HELD, UnitOutcome.GONE, UnitOutcome.FAILED


def why(report: Report, unit: int = 0) -> tuple[ErrorKind, str]:
    """Return why a unit of the first grant failed."""
    told = report.grants[0].units[unit]
    assert told.outcome is FAILED and told.error is not None
    return told.error.kind, f"{told.error.message} {told.error.fix}"


# The connector cannot bind what it was not given.


def test_a_role_that_is_not_named_in_the_set_up_cannot_be_bound_and_the_error_names_it(kube: World) -> None:
    before = snapshot(kube.cluster)
    member = kube.unit("MEMBER", "role", f"{kube.namespace}/reader")
    kind, words = why(kube.apply(kube.grant(member)))
    assert kind is ErrorKind.NOT_PERMITTED
    assert "may not bind Role 'reader' in the namespace" in words and "setup/" in words
    assert snapshot(kube.cluster) == before


def test_what_may_be_bound_is_given_although_something_beside_it_may_not(kube: World) -> None:
    grant = kube.grant(kube.unit(), Unit("cluster", "cluster", "ADMIN"))
    report = kube.apply(grant)
    assert [one.outcome for one in report.grants[0].units] == [HELD, FAILED]
    assert "may not bind ClusterRole 'cluster-admin'" in why(report, 1)[1]
    assert kube.pods(kube.shown(report, grant)) == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{RBAC}/clusterrolebindings", binding("x", {"kind": "ClusterRole", "name": "view"}, user("x"))),
        ("POST", "/api/v1/namespaces/latchkey-connector/serviceaccounts/latchkey-connector/token", {"spec": {}}),
        ("POST", "/api/v1/namespaces/kube-system/serviceaccounts/default/token", {"spec": {}}),
        ("GET", "/api/v1/secrets", None),
        ("GET", "/api/v1/namespaces/latchkey/secrets", None),
        ("POST", f"{RBAC}/clusterroles", role("mine", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])),
        ("DELETE", f"{RBAC}/clusterrolebindings/cluster-admin", None),
        ("POST", "/api/v1/namespaces", {"metadata": {"name": "more"}}),
    ],
)
def test_the_set_up_gives_the_connector_no_way_to_more(kube: World, method: str, path: str, body: Any) -> None:
    token = kube.secrets["token"]
    assert kube.cluster.ask(method, path, body, token=token, check=False).status_code == 403


def test_the_connector_cannot_bind_another_role_in_a_namespace_even_to_itself(kube: World) -> None:
    mine = {"kind": "ServiceAccount", "name": CONNECTOR, "namespace": CONNECTOR}
    for name, status in (("cluster-admin", 403), ("system:node", 403), ("view", 201)):
        wish = binding(f"to-{name.replace(':', '-')}", {"kind": "ClusterRole", "name": name}, mine, kube.namespace)
        path = PATHS["RoleBinding"].format(namespace=kube.namespace)
        answer = kube.cluster.ask("POST", path, wish, token=kube.secrets["token"], check=False)
        assert answer.status_code == status, answer.text


def test_the_namespace_of_the_accounts_is_given_to_nobody(kube: World) -> None:
    before = snapshot(kube.cluster)
    kind, words = why(kube.apply(kube.grant(Unit("namespace", "latchkey", "READ_ONLY"))))
    assert kind is ErrorKind.REFUSED and "accounts of all grants" in words
    assert snapshot(kube.cluster) == before


def test_a_connector_for_one_namespace_gives_there_and_nowhere_else() -> None:
    if reason := targets_kubernetes.missing():
        pytest.skip(reason)
    with targets_kubernetes.running() as cluster:
        cluster.set_up("1_connector.yaml")
        give = (targets_kubernetes.SETUP / "2_namespaces.yaml").read_text().split("---\n")
        cluster.apply(give[1])
        here, there = World(cluster, "here").create(), World(cluster, "there").create()
        to = {"kind": "ClusterRole", "name": "latchkey-give-in-namespaces"}
        subject = {"kind": "ServiceAccount", "name": CONNECTOR, "namespace": CONNECTOR}
        cluster.make(binding("give", to, subject, "here"))
        grant = here.grant(here.unit("ADMIN"))
        report = here.apply(grant)
        assert report.grants[0].units[0].outcome is HELD
        assert here.pods(here.shown(report, grant)) == 200
        assert here.end(grant).grants[0].units[0].outcome is GONE
        assert why(there.apply(there.grant()))[0] is ErrorKind.NOT_PERMITTED
        found = here.resources("namespace", "role")
        assert found["namespace", "here"].refusals == {}
        assert set(found["namespace", "there"].refusals) == {"READ_ONLY", "READ_WRITE", "ADMIN"}
        levels = {one.level for one in here.run(here.order(Verb.CHECK)).findings}
        assert levels == {"ok", "warning"}


# The way in.


def test_a_token_that_is_none_is_told_to_the_owner_and_appears_nowhere(
    kube: World, caplog: pytest.LogCaptureFixture
) -> None:
    kube.secrets = {"token": "a-secret-token"}
    report = kube.apply(kube.grant())
    assert report.error is not None and report.error.kind is ErrorKind.CREDENTIALS_REJECTED
    assert "a-secret-token" not in repr(report) + caplog.text


def test_a_server_whose_certificate_another_authority_signed_is_not_believed(kube: World, cluster: Cluster) -> None:
    kube.config["ca"] = ""
    report = kube.apply(kube.grant())
    assert report.error is not None and report.error.kind is ErrorKind.UNREACHABLE
    assert "did not prove who it is" in report.error.message


def test_certificates_named_in_the_environment_do_not_count(kube: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "/nowhere/ca.pem")
    assert kube.apply(kube.grant()).grants[0].units[0].outcome is HELD


def test_a_server_that_is_not_there_is_unreachable(kube: World) -> None:
    kube.config["server"] = "https://127.0.0.1:1"
    report = kube.apply(kube.grant())
    assert report.error is not None and report.error.kind is ErrorKind.UNREACHABLE


@pytest.mark.parametrize(
    ("config", "secrets", "words"),
    [
        ({"server": "http://127.0.0.1:8080"}, None, "begins with https://"),
        ({"ca": "no PEM"}, None, "The CA is no certificate"),
        ({"namespace": "../default"}, None, "cannot be the name of a namespace"),
        ({}, {}, "neither a token nor a kubeconfig"),
        ({"server": ""}, {}, "does not run in a cluster"),
    ],
)
def test_a_configuration_that_cannot_work_says_why(
    kube: World, config: dict[str, str], secrets: dict[str, str] | None, words: str
) -> None:
    kube.config |= config
    kube.secrets = kube.secrets if secrets is None else secrets
    report = kube.read_back()
    assert report.error is not None and report.error.kind is ErrorKind.MISCONFIGURED
    assert words in report.error.message


def test_without_the_namespace_for_accounts_nothing_is_given_and_the_error_says_what_to_do(kube: World) -> None:
    kube.config["namespace"] = "no-such-namespace"
    kube.secrets = {"token": targets_kubernetes.ADMIN}
    kind, words = why(kube.apply(kube.grant()))
    assert kind is ErrorKind.MISCONFIGURED and "setup/1_connector.yaml" in words
    assert kube.bindings() == []


# What is asked for.


@pytest.mark.parametrize(
    "unit",
    [
        Unit("namespace", "no-such-namespace", "READ_ONLY"),
        Unit("role", "default/no-such-role", "MEMBER"),
        Unit("cluster-role", "no-such-role", "MEMBER"),
    ],
)
def test_what_is_not_there_cannot_be_given_but_can_be_ended(kube: World, unit: Unit) -> None:
    before = snapshot(kube.cluster)
    grant = kube.grant(unit)
    kind, words = why(kube.apply(grant))
    assert kind is ErrorKind.TARGET_MISSING and "any more" in words
    assert kube.end(grant).grants[0].units[0].outcome is GONE
    assert snapshot(kube.cluster) == before


@pytest.mark.parametrize(
    "unit",
    [
        Unit("namespace", "shop/../kube-system", "READ_ONLY"),
        Unit("namespace", "", "READ_ONLY"),
        Unit("namespace", "default", "OWNER"),
        Unit("role", "default", "MEMBER"),
        Unit("role", "default/..", "MEMBER"),
        Unit("role", "default/a/b", "MEMBER"),
        Unit("cluster-role", "a%2Fb", "MEMBER"),
        Unit("cluster", "another", "ADMIN"),
        Unit("pod", "default/one", "MEMBER"),
    ],
)
def test_what_is_no_unit_of_ours_is_refused_before_anything_is_sent(kube: World, unit: Unit) -> None:
    before = snapshot(kube.cluster)
    assert why(kube.apply(kube.grant(unit)))[0] is ErrorKind.MISCONFIGURED
    assert snapshot(kube.cluster) == before


def test_a_namespace_that_is_being_deleted_is_missing(kube: World) -> None:
    name = f"{kube.namespace}-leaving"
    kube.cluster.make({"kind": "Namespace", "metadata": {"name": name}})
    keep = {"name": "keeps-it", "namespace": name, "finalizers": ["example.com/keep"]}
    kube.cluster.make({"kind": "ConfigMap", "metadata": keep})
    kube.cluster.delete(f"/api/v1/namespaces/{name}")
    kind, words = why(kube.apply(kube.grant(Unit("namespace", name, "READ_ONLY"))))
    assert kind is ErrorKind.TARGET_MISSING and "being deleted" in words
    path = f"/api/v1/namespaces/{name}/configmaps/keeps-it"
    found = kube.cluster.ask("GET", path).json()
    found["metadata"]["finalizers"] = []
    kube.cluster.ask("PUT", path, found)


def test_a_role_without_rules_would_give_nothing_and_is_refused(kube: World) -> None:
    kube.cluster.make(role("empty", [], kube.namespace))
    kube.cluster.set_up("4_optional_roles.yaml", NAMESPACE=kube.namespace, ROLE="empty")
    kind, words = why(kube.apply(kube.grant(kube.unit("MEMBER", "role", f"{kube.namespace}/empty"))))
    assert kind is ErrorKind.MISCONFIGURED and "has no rules" in words


@pytest.mark.parametrize("name", ['it\'s "the" {role}', "größe:ヘルム", "a?b=c#d e&f", "system:mine", "{grant}"])
def test_whatever_is_in_a_name_is_data(kube: World, name: str) -> None:
    kube.cluster.make(role(name, READER, kube.namespace))
    text = (targets_kubernetes.SETUP / "4_optional_roles.yaml").read_text()
    for thing in yaml.safe_load_all(text.replace("NAMESPACE", kube.namespace)):
        if thing and thing["kind"] == "Role":
            thing["rules"][1]["resourceNames"] = [name]
        if thing:
            kube.cluster.make(thing)
    grant = kube.grant(kube.unit("MEMBER", "role", f"{kube.namespace}/{name}"))
    report = kube.apply(grant)
    assert report.grants[0].units[0].outcome is HELD, report
    assert kube.pods(kube.shown(report, grant)) == 200
    (found,) = [one for one in kube.bindings() if one["metadata"]["name"] != "latchkey-give-roles"]
    assert found["roleRef"]["name"] == name
    assert kube.end(grant).grants[0].units[0].outcome is GONE


def test_ids_that_no_label_can_hold_are_told_apart_all_the_same(kube: World) -> None:
    strange = '{grant} it\'s "me" ü ' + "x" * 300
    kube.person = Person(strange + "1", "Ada", ())
    other = replace(kube, person=Person(strange + "2", "Bob", ()), integration=kube.integration)
    first, second = replace(kube.grant(), grant_id=strange + "g"), other.grant()
    shown = kube.shown(kube.apply(first), first)
    other.apply(second)
    report = kube.read_back(replace(first, wants_credentials=False))
    assert report.read_back is not None
    assert [one.grant_id for one in report.read_back.ours] == [first.grant_id]
    other.end(second)
    assert kube.pods(shown) == 200
    kube.end(first)
    assert kube.accounts() == []


@pytest.mark.parametrize("login", ["-", "", "Ada Lovelace", "ada..l", "ä"])
def test_a_login_that_makes_no_name_is_an_error_and_makes_nothing(kube: World, login: str) -> None:
    before = snapshot(kube.cluster)
    assert why(kube.apply(replace(kube.grant(), login=login)))[0] is ErrorKind.MISCONFIGURED
    assert snapshot(kube.cluster) == before


# Time.


def test_a_lease_that_is_over_before_the_first_request_does_nothing(kube: World) -> None:
    before = snapshot(kube.cluster)
    report = kube.apply(kube.grant(), lease_seconds=0.0)
    assert report.error is not None and report.error.kind is ErrorKind.LEASE_LOST
    assert snapshot(kube.cluster) == before


def test_a_lease_that_is_lost_on_the_way_stops_at_once_and_the_next_order_makes_it_whole(kube: World) -> None:
    before = snapshot(kube.cluster)
    grant = kube.grant()

    def clock() -> float:
        return time.monotonic() + (1e6 if kube.accounts() else 0)

    report = kube.run(kube.order(Verb.APPLY, (grant,)), monotonic=clock)
    assert report.error is not None and report.error.kind is ErrorKind.LEASE_LOST
    assert len(kube.accounts()) == 1 and kube.bindings() == []
    assert kube.apply(grant).grants[0].units[0].outcome is HELD
    assert len(kube.accounts()) == 1
    kube.end(grant)
    assert snapshot(kube.cluster) == before


def test_lists_longer_than_one_part_are_read_whole(kube: World, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = kube.grant(kube.unit(), kube.unit("READ_WRITE"), kube.unit("ADMIN"))
    kube.apply(grant)
    monkeypatch.setattr(kubernetes.ApiServer.parts, "__kwdefaults__", {"size": 2, "resume": ""})
    report = kube.read_back(replace(grant, wants_credentials=False))
    assert [one.outcome for one in report.grants[0].units] == [HELD] * 3
    assert kube.end(grant).read_back is not None
    assert kube.bindings() == []


def test_the_levels_let_a_grantee_do_what_their_names_say(kube: World) -> None:
    pods, maps = (f"/api/v1/namespaces/{kube.namespace}/{kind}" for kind in ("pods", "configmaps?dryRun=All"))
    bindings = PATHS["RoleBinding"].format(namespace=kube.namespace) + "?dryRun=All"
    tried = binding("mine", {"kind": "ClusterRole", "name": "view"}, user("friend"), kube.namespace)
    expected = {"READ_ONLY": [200, 403, 403], "READ_WRITE": [200, 201, 403], "ADMIN": [200, 201, 201]}
    for level, statuses in expected.items():
        grant = kube.grant(kube.unit(level))
        shown = kube.shown(kube.apply(grant), grant)
        asked = [("GET", pods, None), ("POST", maps, {"metadata": {"name": "x"}}), ("POST", bindings, tried)]
        assert [use(shown, kube.cluster, *one) for one in asked] == statuses
        assert use(shown, kube.cluster, "GET", "/api/v1/namespaces/default/pods") == 403
        kube.end(grant)


def test_the_whole_cluster_is_given_where_the_optional_set_up_ran() -> None:
    if reason := targets_kubernetes.missing():
        pytest.skip(reason)
    with targets_kubernetes.running() as cluster:
        prepare(cluster)
        cluster.set_up("3_optional_cluster.yaml")
        kube = World(cluster, "shop").create()
        grant = kube.grant(Unit("cluster", "cluster", "ADMIN"))
        shown = kube.shown(kube.apply(grant), grant)
        assert shown[0]["command"] == f"kubectl --kubeconfig {grant.login}.kubeconfig get pods --all-namespaces"
        assert use(shown, cluster, "GET", "/api/v1/secrets") == 200
        report = kube.end(grant)
        assert report.grants[0].units[0].outcome is GONE
        assert use(shown, cluster, "GET", "/api/v1/secrets") == 403


def test_an_end_that_did_not_happen_is_not_reported(
    kube: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = kube.grant()
    kube.apply(grant)
    query = {"a": "{namespace}", "b": "{binding}", "c": "{uid}"}
    (tmp_path / "nothing.json").write_text(
        json.dumps({"what": "Does nothing.", "method": "GET", "path": "/version", "query": query})
    )
    with monkeypatch.context() as patched:
        nothing = programs.DROP_ROLE_BINDING.replaced(tmp_path / "nothing.json")
        patched.setattr(programs, "DROP_ROLE_BINDING", nothing)
        patched.setattr(deciding, "PATIENCE_SECONDS", 0.1)
        report = kube.end(grant)
    kind, words = why(report)
    assert kind is ErrorKind.NOT_PERMITTED and "still lets" in words and f"/{kube.namespace}" in words
    assert report.read_back is not None
    assert [one.grant_id for one in report.read_back.ours] == [grant.grant_id]
    assert kube.end(grant).grants[0].units[0].outcome is GONE


def test_what_the_server_would_not_allow_although_it_is_bound_is_told(
    kube: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(deciding, "_ask", lambda at, question: deciding.Decision(False, "a webhook says no"))
    report = kube.apply(kube.grant())
    assert report.grants[0].units[0].outcome is HELD
    assert any("a webhook says no" in words for words in report.grants[0].warnings)


@pytest.mark.full
def test_an_admin_who_takes_our_marks_off_a_binding_keeps_nothing_by_it(kube: World) -> None:
    grant = kube.grant(kube.unit("ADMIN"))
    shown = kube.shown(kube.apply(grant), grant)
    (found,) = kube.bindings()
    path = f"{PATHS['RoleBinding'].format(namespace=kube.namespace)}/{found['metadata']['name']}"
    del found["metadata"]["annotations"], found["metadata"]["labels"]
    assert use(shown, kube.cluster, "PUT", path, {**found, "kind": "RoleBinding"}) == 200
    report = kube.end(grant)
    assert any(found["metadata"]["name"] in words for words in report.grants[0].warnings)
    assert eventually(lambda: kube.pods(shown) == 401)
