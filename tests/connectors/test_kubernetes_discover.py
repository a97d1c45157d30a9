"""What there is to ask for, and what check says before anybody asks."""

import json
import random
from collections.abc import Iterator

import pytest

from connectors.contract.orders import Finding, Page, Verb
from tests.connectors.kubernetes_world import CONNECTOR, READER, World, binding, eventually, role, snapshot
from tests.targets_kubernetes import ADMIN, RBAC

ALL = ("cluster", "namespace", "role", "cluster-role")
# So many of the places where a sync can go on are tried in the fast lane.
SAMPLE = 3


@pytest.fixture
def some(kube: World) -> Iterator[World]:
    """A world with cluster roles of its own."""
    kube.cluster.make(role(f"{kube.namespace}-wide", [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]))
    kube.cluster.make(role(f"{kube.namespace}-empty", []))
    kube.cluster.make(role(f"system:{kube.namespace}", READER))
    # Another test deletes a namespace, which takes its time; an inventory is compared while nothing changes.
    assert eventually(
        lambda: all(one["status"]["phase"] == "Active" for one in kube.cluster.items("/api/v1/namespaces"))
    )
    yield kube
    for name in (f"{kube.namespace}-wide", f"{kube.namespace}-empty", f"system:{kube.namespace}"):
        kube.cluster.delete(f"{RBAC}/clusterroles/{name}")


def test_namespaces_and_roles_come_with_their_labels_and_what_cannot_be_given(some: World) -> None:
    some.cluster.make(role("labelled", READER, some.namespace, team="blue"))
    some.cluster.set_up("4_optional_roles.yaml", NAMESPACE=some.namespace, ROLE="labelled")
    found = some.resources(*ALL)
    cluster = found["cluster", "cluster"]
    assert (cluster.name, cluster.path, cluster.context["server"]) == ("prod", "prod", some.cluster.server)
    assert set(cluster.refusals) == {"READ_ONLY", "READ_WRITE", "ADMIN"}
    namespace = found["namespace", some.namespace]
    assert (namespace.path, namespace.refusals, namespace.tags["team"]) == (f"prod/{some.namespace}", {}, "red")
    labelled = found["role", f"{some.namespace}/labelled"]
    assert (labelled.tags, labelled.refusals, labelled.risk_level) == ({"team": "blue"}, {}, 3)
    assert labelled.context["rules"] == "get, list on pods"
    assert "may not bind Role reader" in found["role", f"{some.namespace}/reader"].refusals["MEMBER"]
    assert found["cluster-role", f"{some.namespace}-wide"].risk_level == 9
    assert "clusterrolebindings" in found["cluster-role", f"{some.namespace}-wide"].refusals["MEMBER"]


def test_nobody_is_offered_the_namespace_of_the_accounts(some: World) -> None:
    found = some.resources(*ALL)
    assert set(found["namespace", "latchkey"].refusals) == {"READ_ONLY", "READ_WRITE", "ADMIN"}
    assert "accounts of all grants" in found["role", "latchkey/latchkey-accounts"].refusals["MEMBER"]


def test_system_roles_are_left_out_unless_they_are_asked_for(some: World) -> None:
    assert not [one for one in some.resources(*ALL) if "system:" in one[1]]
    some.config["include_system"] = "true"
    assert ("cluster-role", f"system:{some.namespace}") in some.resources(*ALL)


def test_without_a_choice_there_are_the_cluster_and_its_namespaces(some: World) -> None:
    assert {kind for kind, _ in some.resources()} == {"cluster", "namespace"}


def test_a_sync_goes_on_after_any_page_and_misses_nothing(
    some: World, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    pages: list[Page] = []
    order = some.order(Verb.DISCOVER, resource_types=ALL, page_size=2)
    report = some.run(order, pages)
    assert report.error is None
    assert max(len(page.resources) for page in pages) == 2 and len(pages) > 8
    assert pages[-1].resume == ""
    whole = [(one.resource_type, one.source_id) for page in pages for one in page.resources]
    assert len(set(whole)) == len(whole) == report.found
    seen: list[tuple[str, str]] = []
    every = request.config.getoption("--full")
    tried = set(range(len(pages)) if every else rng.sample(range(len(pages)), SAMPLE))
    for at, page in enumerate(pages):
        seen += [(one.resource_type, one.source_id) for one in page.resources]
        if at not in tried:
            continue
        rest: list[Page] = []
        if page.resume:
            assert (
                some.run(some.order(order.verb, resource_types=ALL, page_size=2, resume=page.resume), rest).error
                is None
            )
        assert seen + [(one.resource_type, one.source_id) for page in rest for one in page.resources] == whole


def test_a_place_that_the_server_has_forgotten_is_gone_on_from_with_newer_data(some: World) -> None:
    pages: list[Page] = []
    some.run(some.order(Verb.DISCOVER, resource_types=("namespace",), page_size=2), pages)
    place = pages[0].resume
    some.cluster.make(role("newer", READER, some.namespace))
    some.cluster.compact()
    token = some.secrets["token"]
    path = f"/api/v1/namespaces?limit=2&continue={json.loads(place)[1]}"
    assert some.cluster.ask("GET", path, token=token, check=False).status_code == 410
    rest: list[Page] = []
    report = some.run(some.order(Verb.DISCOVER, resource_types=("namespace",), page_size=2, resume=place), rest)
    assert report.error is None
    names = [one.name for page in [pages[0], *rest] for one in page.resources]
    assert set(names) == some.cluster.names("/api/v1/namespaces")
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("resume", ["nonsense", "[]", '["role"]', '["nothing",""]', "7", '["namespace","nonsense"]'])
def test_a_place_that_is_none_begins_again(some: World, resume: str) -> None:
    pages: list[Page] = []
    report = some.run(some.order(Verb.DISCOVER, resource_types=("namespace",), resume=resume), pages)
    assert report.error is None
    assert report.found == len(some.cluster.names("/api/v1/namespaces"))


# Check.


def findings(world: World, level: str) -> list[Finding]:
    """Return what check finds of a level."""
    report = world.run(world.order(Verb.CHECK))
    assert report.error is None, report.error
    return [one for one in report.findings if one.level == level]


def test_check_says_what_can_be_given_and_leaves_nothing_behind(kube: World) -> None:
    before = snapshot(kube.cluster)
    good = " ".join(one.message for one in findings(kube, "ok"))
    assert "Kubernetes v1.20" in good
    assert "Ready to be given in every namespace: READ_ONLY, READ_WRITE, ADMIN." in good
    assert "tokens that end by themselves" in good
    assert findings(kube, "error") == []
    (warning,) = findings(kube, "warning")
    assert "does not cut requests that are open" in warning.message
    assert snapshot(kube.cluster) == before


def test_check_says_that_an_admin_is_more_than_is_needed(kube: World) -> None:
    kube.secrets = {"token": ADMIN}
    assert any("far more than it needs" in one.message for one in findings(kube, "warning"))


def test_check_names_what_an_unprepared_connector_lacks(kube: World) -> None:
    kube.secrets = {"token": "token-of-ada"}
    report = kube.run(kube.order(Verb.CHECK))
    assert report.error is not None and report.error.kind == "not_permitted"
    assert "needs list on serviceaccounts" in report.error.fix


def test_check_names_what_is_missing_of_a_set_up_that_is_half_there(kube: World) -> None:
    namespace = f"{kube.namespace}-accounts"
    kube.cluster.make({"kind": "Namespace", "metadata": {"name": namespace}})
    rules = [{"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["list", "create", "delete"]}]
    kube.cluster.make(role("half", rules, namespace))
    subject = {"kind": "ServiceAccount", "name": CONNECTOR, "namespace": CONNECTOR}
    kube.cluster.make(binding("half", {"kind": "Role", "name": "half"}, subject, namespace))
    kube.config["namespace"] = namespace
    rights, token = findings(kube, "error")
    assert f"create serviceaccounts/token in {namespace}" in rights.message
    assert "No token can be made" in token.message
    assert kube.cluster.names(f"/api/v1/namespaces/{namespace}/serviceaccounts") <= {"default"}


def test_check_names_what_everybody_may_do_anyway(kube: World) -> None:
    group = {"kind": "Group", "name": "system:authenticated", "apiGroup": "rbac.authorization.k8s.io"}
    kube.cluster.make(binding("everybody", {"kind": "ClusterRole", "name": "edit"}, group, kube.namespace))
    assert any("everybody (edit to system:authenticated)" in one.message for one in findings(kube, "warning"))


def test_a_probe_that_was_left_behind_goes_with_the_next_check(kube: World) -> None:
    labels = {"latchkey/integration": kube.integration, "latchkey/person": "latchkey-probe"}
    left = {"name": "latchkey-probe-left", "namespace": "latchkey", "labels": labels}
    kube.cluster.make({"kind": "ServiceAccount", "metadata": left})
    findings(kube, "ok")
    assert "latchkey-probe-left" not in kube.cluster.names("/api/v1/namespaces/latchkey/serviceaccounts")


def test_a_dry_check_makes_no_probe(kube: World) -> None:
    report = kube.run(kube.order(Verb.CHECK, dry_run=True))
    assert report.error is None
    assert "create_account" not in {one.name for one in report.functions}
