"""Giving, ending and proving, on a real API server."""

import base64
import json
import os
import shlex
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors.contract.orders import Found, UnitOutcome, Verb
from connectors.contract.provider import Run
from connectors.providers.kubernetes import ending
from connectors.providers.kubernetes.reading import read
from connectors.providers.kubernetes.server import target
from tests import targets_kubernetes
from tests.connectors.kubernetes_world import World, binding, eventually, prepare, snapshot, user, watch
from tests.targets_kubernetes import PATHS, RBAC, Cluster

# 401 once the API server looks at the token again, 403 before that.
REFUSED = (401, 403)
HELD, GONE, FAILED = UnitOutcome.HELD, UnitOutcome.GONE, UnitOutcome.FAILED
VIEW = {"kind": "ClusterRole", "name": "view"}


def claims(token: str) -> dict[str, Any]:
    """Return what a token says."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_a_grantee_gets_a_kubeconfig_that_kubectl_takes(kube: World, tmp_path: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    grant = kube.grant()
    details, credentials = kube.shown(kube.apply(grant), grant)
    (tmp_path / details["save_as"]).write_text(credentials["kubeconfig"])
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "*"}
    command = shlex.split(details["command"])
    assert command[:2] == ["kubectl", "--kubeconfig"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, f"No resources found in {kube.namespace} namespace.")


def test_what_is_shown_says_where_who_and_until_when_but_no_secret(kube: World) -> None:
    grant = kube.grant()
    report = kube.apply(grant)
    details, credentials = kube.shown(report, grant)
    (account,) = kube.accounts()
    assert details == {
        "cluster": "prod",
        "server": kube.cluster.server,
        "ca": kube.cluster.ca,
        "namespace": kube.namespace,
        "namespaces": [kube.namespace],
        "username": f"system:serviceaccount:latchkey:{account['metadata']['name']}",
        "token_ends_at": details["token_ends_at"],
        "save_as": f"{grant.login}.kubeconfig",
        "command": f"kubectl --kubeconfig {grant.login}.kubeconfig --namespace {kube.namespace} get pods",
    }
    assert credentials.keys() == {"kubeconfig", "token"}
    assert credentials["token"] not in repr(report)
    again = kube.apply(replace(grant, wants_credentials=False))
    assert kube.shown(again, grant) == (details, {})


def test_people_are_told_the_address_that_is_for_them(kube: World) -> None:
    kube.config["server_for_people"] = "https://kube.example.com/"
    grant = kube.grant()
    details, credentials = kube.shown(kube.apply(grant), grant)
    assert details["server"] == "https://kube.example.com"
    assert "server: https://kube.example.com\n" in credentials["kubeconfig"]


def test_after_the_end_the_token_opens_nothing_at_once_and_soon_is_no_token_any_more(kube: World) -> None:
    grant = kube.grant()
    shown = kube.shown(kube.apply(grant), grant)
    assert kube.pods(shown) == 200
    ended = time.monotonic()
    report = kube.end(grant)
    assert report.grants[0].units[0].outcome is GONE
    assert kube.pods(shown) == 403
    while (status := kube.pods(shown)) != 401 and time.monotonic() - ended < 15:
        assert status == 403
        time.sleep(0.3)
    assert status == 401


def test_the_token_ends_with_the_grant_and_the_server_does_not_take_it_after_that(kube: World) -> None:
    grant = kube.grant(seconds=1800.0)
    details, credentials = kube.shown(kube.apply(grant), grant)
    said = claims(credentials["token"])
    assert grant.ends_at - 3 <= said["exp"] <= grant.ends_at
    assert details["token_ends_at"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(said["exp"]))
    # Nobody waits for half an hour: the same token, signed by the cluster's own key, with another end.
    now = int(time.time())
    for exp, status in ((now + 60, 200), (now - 60, 401)):
        token = _signed(kube.cluster, credentials["token"], {**said, "exp": exp, "iat": now - 120, "nbf": now - 120})
        path = f"/api/v1/namespaces/{kube.namespace}/pods"
        assert kube.cluster.ask("GET", path, token=token, check=False).status_code == status


def _signed(cluster: Cluster, like: str, said: dict[str, Any]) -> str:
    """Return a token with other claims, signed as the API server signs."""
    key = serialization.load_pem_private_key((cluster.folder / "sa.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    text = (
        like.split(".", maxsplit=1)[0] + "." + base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    )
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_a_grant_shorter_than_ten_minutes_is_told_to_have_a_token_that_is_longer(kube: World) -> None:
    grant = kube.grant(seconds=60.0)
    report = kube.apply(grant)
    (told,) = report.grants
    assert told.units[0].outcome is HELD
    assert any("longer than the grant" in words for words in told.warnings)
    shown = kube.shown(report, grant)
    assert 595 <= claims(shown[1]["token"])["exp"] - time.time() <= 601
    kube.end(grant)
    assert kube.pods(shown) in REFUSED


def test_access_without_an_end_gets_a_token_of_a_year(kube: World) -> None:
    grant = replace(kube.grant(), ends_at=float("inf"))
    report = kube.apply(grant)
    left = claims(kube.shown(report, grant)[1]["token"])["exp"] - time.time()
    assert 364 * 86400 < left <= 365 * 86400
    assert any("before the grant does" in words for words in report.grants[0].warnings)


def test_after_an_extension_the_report_says_that_the_token_ends_before_the_grant(kube: World) -> None:
    grant = kube.grant()
    shown = kube.shown(kube.apply(grant), grant)
    longer = replace(grant, ends_at=grant.ends_at + 3600, wants_credentials=False)
    report = kube.apply(longer)
    assert f"The token ends at {shown[0]['token_ends_at']}, before the grant" in report.grants[0].warnings[0]
    assert kube.pods(shown) == 200
    fresh = kube.shown(kube.run(kube.order(Verb.RESET_CREDENTIALS, (replace(longer, wants_credentials=True),))), grant)
    assert claims(fresh[1]["token"])["exp"] > grant.ends_at + 3000


def test_a_server_that_shortens_tokens_is_believed() -> None:
    if reason := targets_kubernetes.missing():
        pytest.skip(reason)
    with targets_kubernetes.running(None, "--service-account-max-token-expiration=1h") as cluster:
        prepare(cluster)
        kube = World(cluster, "shop").create()
        grant = kube.grant(seconds=7200.0)
        report = kube.apply(grant)
        details, credentials = kube.shown(report, grant)
        assert abs(claims(credentials["token"])["exp"] - time.time() - 3600) < 5
        assert details["token_ends_at"] in report.grants[0].warnings[0]


def test_a_reset_cuts_the_old_token_at_once_although_the_server_still_remembers_it(kube: World) -> None:
    grant = kube.grant()
    old = kube.shown(kube.apply(grant), grant)
    assert kube.pods(old) == 200
    report = kube.run(kube.order(Verb.RESET_CREDENTIALS, (grant,)))
    new = kube.shown(report, grant)
    assert kube.pods(old) == 403
    assert kube.pods(new) == 200
    assert len(kube.accounts()) == len(kube.bindings()) == 1


def test_a_reset_of_what_is_not_there_makes_nothing(kube: World) -> None:
    before = snapshot(kube.cluster)
    report = kube.run(kube.order(Verb.RESET_CREDENTIALS, (kube.grant(),)))
    assert report.grants[0].units[0].outcome is FAILED
    assert not report.grants[0].sealed_credentials
    assert snapshot(kube.cluster) == before


def test_an_account_deleted_by_hand_is_drift_and_is_made_again_without_new_credentials(kube: World) -> None:
    grant = kube.grant()
    kube.apply(grant)
    (account,) = kube.accounts()
    kube.cluster.delete(f"/api/v1/namespaces/latchkey/serviceaccounts/{account['metadata']['name']}")
    kept = replace(grant, wants_credentials=False)
    assert kube.read_back(kept).grants[0].units[0].outcome is FAILED
    report = kube.apply(kept)
    assert report.grants[0].units[0].outcome is HELD
    assert "was gone and was made again" in report.grants[0].warnings[0]
    assert not report.grants[0].sealed_credentials
    assert len(kube.accounts()) == len(kube.bindings()) == 1


def test_a_binding_deleted_by_hand_is_drift_and_comes_back(kube: World) -> None:
    grant = kube.grant()
    shown = kube.shown(kube.apply(grant), grant)
    (found,) = kube.bindings()
    kube.cluster.delete(_path(found))
    kept = replace(grant, wants_credentials=False)
    seen = kube.read_back(kept)
    assert seen.grants[0].units[0].outcome is FAILED
    assert seen.read_back is not None and seen.read_back.ours == ()
    assert kube.apply(kept).grants[0].units[0].outcome is HELD
    assert kube.pods(shown) == 200
    assert kube.bindings()[0]["metadata"]["annotations"]["latchkey/ends-at"] == shown[0]["token_ends_at"]


def test_a_binding_of_ours_that_was_replaced_is_seen_and_made_right(kube: World) -> None:
    grant = kube.grant()
    kube.apply(grant)
    (found,) = kube.bindings()
    kube.cluster.delete(_path(found))
    meta = {name: found["metadata"][name] for name in ("name", "namespace", "labels", "annotations")}
    kube.cluster.make(
        {**found, "metadata": meta, "kind": "RoleBinding", "roleRef": {**found["roleRef"], "name": "edit"}}
    )
    kept = replace(grant, wants_credentials=False)
    seen = kube.read_back(kept).read_back
    assert seen is not None
    assert seen.ours == (Found(kube.unit("READ_WRITE"), grant.login, grant.grant_id),)
    assert kube.apply(kept).grants[0].units[0].outcome is HELD
    assert [one["roleRef"]["name"] for one in kube.bindings()] == ["view"]


def test_a_role_that_is_deleted_fails_its_unit_and_no_other(kube: World) -> None:
    kube.cluster.set_up("4_optional_roles.yaml", NAMESPACE=kube.namespace, ROLE="reader")
    member = kube.unit("MEMBER", "role", f"{kube.namespace}/reader")
    grant = kube.grant(kube.unit(), member)
    assert [one.outcome for one in kube.apply(grant).grants[0].units] == [HELD, HELD]
    kube.cluster.delete(f"{RBAC}/namespaces/{kube.namespace}/roles/reader")
    kept = replace(grant, wants_credentials=False)
    for report in (kube.read_back(kept), kube.apply(kept)):
        assert [one.outcome for one in report.grants[0].units] == [HELD, FAILED]
        error = report.grants[0].units[1].error
        assert error is not None and error.kind == "target_missing" and "'reader'" in error.message
    assert kube.end(grant).grants[0].units[1].outcome is GONE


def test_what_others_give_to_our_account_is_seen_and_left_alone(kube: World) -> None:
    grant = kube.grant()
    kube.apply(grant)
    (account,) = kube.accounts()
    subject = {"kind": "ServiceAccount", "name": account["metadata"]["name"], "namespace": "latchkey"}
    kube.cluster.make(binding("extra", {"kind": "ClusterRole", "name": "edit"}, subject, kube.namespace))
    seen = kube.read_back(replace(grant, wants_credentials=False)).read_back
    assert seen is not None
    assert Found(kube.unit("READ_WRITE"), subject["name"], grant.grant_id) in seen.ours
    report = kube.end(grant)
    assert report.grants[0].units[0].outcome is GONE
    assert any("extra" in words for words in report.grants[0].warnings)
    assert [one["metadata"]["name"] for one in kube.bindings()] == ["extra"]


def test_somebody_added_to_our_binding_is_named_when_it_ends(kube: World) -> None:
    grant = kube.grant()
    kube.apply(grant)
    (found,) = kube.bindings()
    found["subjects"].append(user("mallory@example.com"))
    kube.cluster.ask(
        "PUT", _path(found), {**found, "kind": "RoleBinding", "apiVersion": "rbac.authorization.k8s.io/v1"}
    )
    report = kube.end(grant)
    assert any("mallory@example.com" in words for words in report.grants[0].warnings)
    assert kube.bindings() == []


def test_what_bears_our_marks_but_nobody_named_is_ended(kube: World) -> None:
    forgotten, grant = kube.grant(), kube.grant()
    shown = kube.shown(kube.apply(forgotten), forgotten)
    report = kube.apply(grant)
    (told,) = [one for one in report.grants if one.grant_id == forgotten.grant_id]
    assert "does not know the grant" in told.warnings[0]
    assert kube.pods(shown) in REFUSED
    assert len(kube.accounts()) == 1


def test_what_another_integration_made_for_the_same_person_is_not_touched(kube: World) -> None:
    other = replace(kube, integration="integration-2")
    first, second = kube.grant(), other.grant()
    kube.apply(first)
    shown = other.shown(other.apply(second), second)
    report = kube.end(first)
    assert report.read_back is not None and report.read_back.ours == report.read_back.standing == ()
    assert kube.pods(shown) == 200
    other.end(second)


def test_a_persons_own_bindings_are_standing_by_exact_name_only(kube: World) -> None:
    address = kube.person.aliases[0]
    for name, who in (("own", address), ("other", address.upper()), ("longer", f"x{address}")):
        kube.cluster.make(binding(name, VIEW, user(who), kube.namespace))
    before = snapshot(kube.cluster)
    grant = kube.grant()
    report = kube.apply(grant)
    assert report.read_back is not None
    assert report.read_back.standing == (Found(kube.unit(), address),)
    kube.end(grant)
    assert snapshot(kube.cluster) == before


def test_a_watch_that_is_open_at_the_end_goes_on_as_the_readme_says(kube: World) -> None:
    grant = kube.grant()
    report = kube.apply(grant)
    token = kube.shown(report, grant)[1]["token"]
    path = f"/api/v1/namespaces/{kube.namespace}/configmaps"
    open_watch = watch(kube.cluster, path, token)
    kube.end(grant)
    time.sleep(0.2)
    assert kube.cluster.ask("GET", path, token=token, check=False).status_code == 403
    kube.cluster.make({"kind": "ConfigMap", "metadata": {"name": "after-the-end", "namespace": kube.namespace}})
    lines = open_watch.iter_lines()
    assert any(b"after-the-end" in next(lines) for _ in range(3))
    open_watch.close()


def test_a_token_secret_that_the_cluster_makes_for_an_account_goes_with_it(kube: World) -> None:
    grant = kube.grant()
    kube.apply(grant)
    account = kube.accounts()[0]["metadata"]["name"]
    assert eventually(lambda: bool(_secrets(kube, account))), "clusters up to 1.23 make one"
    kube.end(grant)
    assert eventually(lambda: not _secrets(kube, account))


def _secrets(kube: World, account: str) -> list[str]:
    found = kube.cluster.items("/api/v1/namespaces/latchkey/secrets")
    return [one["metadata"]["name"] for one in found if one["metadata"]["name"].startswith(f"{account}-token-")]


def test_another_binding_that_took_the_name_of_ours_meanwhile_is_not_deleted(kube: World) -> None:
    grant = kube.grant()
    kube.apply(grant)
    order = kube.order(Verb.APPLY, (), (grant,))
    notes = Run(alive=lambda: None, seal=lambda details, grant_id="": "")
    with target(order, notes) as at:
        state = read(at, order)
        (found,) = kube.bindings()
        kube.cluster.delete(_path(found))
        kube.cluster.make(binding(found["metadata"]["name"], VIEW, user("bob@example.com"), kube.namespace))
        ending.end(at, state.bindings, ())
    assert [one["subjects"][0]["name"] for one in kube.bindings()] == ["bob@example.com"]


def test_a_dry_run_shows_the_objects_and_no_secret(kube: World) -> None:
    before = snapshot(kube.cluster)
    grant = kube.grant()
    report = kube.apply(grant, dry_run=True)
    assert [one.function for one in report.programs] == ["create_account", "token", "create_role_binding"]
    assert f"POST {RBAC}/namespaces/{kube.namespace}/rolebindings" in report.programs[2].text
    assert grant.grant_id in report.programs[2].text
    assert snapshot(kube.cluster) == before
    kube.apply(grant)
    there = snapshot(kube.cluster)
    report = kube.end(grant, dry_run=True)
    assert [one.function for one in report.programs] == ["drop_role_binding", "drop_account"]
    assert snapshot(kube.cluster) == there


def test_the_read_back_is_dated_by_the_servers_own_clock(kube: World) -> None:
    report = kube.read_back()
    assert report.read_back is not None
    assert report.read_back.read_at == int(report.read_back.read_at)
    assert abs(report.read_back.read_at - time.time()) < 5


def _path(found: dict[str, Any]) -> str:
    """Return the path of a role binding."""
    return PATHS["RoleBinding"].format(namespace=found["metadata"]["namespace"]) + f"/{found['metadata']['name']}"


# People's own users.


@pytest.fixture
def own(cluster: Cluster) -> World:
    """A world in which roles are bound to the users of people."""
    made = World(cluster, f"own-{time.monotonic_ns()}", config={"subjects": "user"}).create()
    made.person = replace(made.person, aliases=("ada@example.com", "ada"))
    return made


def as_ada(world: World, token: str = "token-of-ada") -> int:
    """List pods as the person does who signed in by themselves."""
    path = f"/api/v1/namespaces/{world.namespace}/pods"
    return world.cluster.ask("GET", path, token=token, check=False).status_code


def test_a_persons_own_user_is_bound_and_told_how_to_sign_in(own: World) -> None:
    before = snapshot(own.cluster)
    assert as_ada(own) == 403
    grant = own.grant()
    report = own.apply(grant)
    details, credentials = own.shown(report, grant)
    assert credentials == {} and own.accounts() == []
    assert details["username"] == "ada@example.com"
    assert "as you always do" in details["sign_in"]
    assert details["command"] == f"kubectl --context prod --namespace {own.namespace} get pods"
    assert as_ada(own) == 200
    assert own.apply(grant).grants[0].units[0].outcome is HELD
    assert own.end(grant).grants[0].units[0].outcome is GONE
    assert as_ada(own) == 403
    assert snapshot(own.cluster) == before


def test_two_grants_for_one_user_do_not_hurt_each_other_nor_what_is_standing(own: World) -> None:
    own.cluster.make(binding("by-hand", VIEW, user("ada@example.com"), own.namespace))
    before = snapshot(own.cluster)
    first, second = own.grant(), own.grant(own.unit(), own.unit("READ_WRITE"))
    own.apply(first)
    report = own.apply(second, gone=(first,))
    assert report.read_back is not None
    assert report.read_back.standing == (Found(own.unit(), "ada@example.com"),)
    assert {one.unit.permission for one in report.read_back.ours} == {"READ_ONLY", "READ_WRITE"}
    assert all(
        one.outcome is GONE for grant in report.grants if grant.grant_id == first.grant_id for one in grant.units
    )
    own.end(second)
    assert as_ada(own) == 200
    assert snapshot(own.cluster) == before


def test_the_prefix_of_users_counts_exactly(own: World) -> None:
    own.config["user_prefix"] = "oidc:"
    own.person = replace(own.person, aliases=("bob@example.com", "bob"))
    grant = own.grant()
    own.apply(grant)
    assert as_ada(own, "token-of-bob") == 200
    own.end(grant)
    assert as_ada(own, "token-of-bob") == 403


@pytest.mark.parametrize("aliases", [(), ("ada",), ("ada@example.com", "ada@example.org")])
def test_a_person_who_is_not_one_user_is_not_guessed_at_but_can_be_ended(own: World, aliases: tuple[str, ...]) -> None:
    grant = own.grant()
    own.apply(grant)
    own.person = replace(own.person, aliases=aliases)
    report = own.apply(own.grant(), gone=(grant,))
    new, old = report.grants
    error = new.units[0].error
    assert error is not None and error.kind == "misconfigured" and "e-mail" in error.message
    assert old.units[0].outcome is GONE
    assert own.bindings() == []


def test_a_binding_of_the_name_of_ours_that_others_made_is_not_taken_over(own: World) -> None:
    grant = own.grant()
    own.apply(grant)
    (found,) = own.bindings()
    own.end(grant)
    own.cluster.make(binding(found["metadata"]["name"], VIEW, user("bob@example.com"), own.namespace))
    before = snapshot(own.cluster)
    report = own.apply(grant)
    error = report.grants[0].units[0].error
    assert error is not None and error.kind == "refused"
    assert own.end(grant).grants[0].units[0].outcome is GONE
    assert snapshot(own.cluster) == before


def test_credentials_of_a_persons_own_user_cannot_be_reset(own: World) -> None:
    grant = own.grant()
    own.apply(grant)
    report = own.run(own.order(Verb.RESET_CREDENTIALS, (grant,)))
    assert report.grants[0].units[0].outcome is HELD
    assert not report.grants[0].sealed_credentials
    assert "signs in by themselves" in report.grants[0].warnings[0]
    own.end(grant)


def test_a_grant_follows_when_the_integration_turns_to_people_s_own_users(own: World) -> None:
    del own.config["subjects"]
    grant = own.grant()
    shown = own.shown(own.apply(grant), grant)
    own.config["subjects"] = "user"
    assert own.apply(replace(grant, wants_credentials=False)).grants[0].units[0].outcome is HELD
    assert own.pods(shown) in REFUSED
    assert (as_ada(own), own.accounts()) == (200, [])
    own.end(grant)
    assert as_ada(own) == 403
