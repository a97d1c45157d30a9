"""Kubeconfig files, and the ways in that they describe, tried on a real API server."""

import base64
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.contract.errors import Misconfigured
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.providers.kubernetes import server
from connectors.providers.kubernetes.programs import NAMESPACE, VERSION
from connectors.toolkit.kubeconfig import Cluster, from_kubeconfig, in_cluster, kubeconfig
from connectors.toolkit.kubernetes import ApiServer
from tests import targets_kubernetes
from tests.connectors.kubernetes_world import World


def config(**user: Any) -> dict[str, Any]:
    """Return a kubeconfig as a tree."""
    return {
        "clusters": [{"name": "other", "cluster": {}}, {"name": "prod", "cluster": {"server": "https://kube:6443"}}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "main", "context": {"cluster": "prod", "user": "me"}}],
        "current-context": "main",
    }


def read(tree: Any) -> Cluster:
    """Read a tree as a kubeconfig."""
    return from_kubeconfig(Secret(yaml.safe_dump(tree)))


def test_the_current_context_counts() -> None:
    found = read(config(token="t"))
    assert found == Cluster("https://kube:6443", token=Secret("t"), name="prod")


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"command": "touch /tmp/x"}},
        {"auth-provider": {"name": "gcp"}},
        {"token": "t", "tokenFile": "/etc/passwd"},
        {"client-certificate": "/etc/passwd", "client-key": "/etc/shadow"},
        {"token": "t", "as": "admin"},
        {"username": "u", "password": "p"},
        {},
        {"client-certificate-data": "aGk="},
        {"client-certificate-data": "not base64", "client-key-data": "aGk="},
    ],
)
def test_what_runs_or_reads_something_else_is_refused(user: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        read(config(**user))


@pytest.mark.parametrize("name", ["insecure-skip-tls-verify", "certificate-authority"])
def test_a_cluster_that_is_not_proved_from_the_file_is_refused(name: str) -> None:
    tree = config(token="t")
    tree["clusters"][1]["cluster"][name] = "true"
    with pytest.raises(Misconfigured, match=name):
        read(tree)


@pytest.mark.parametrize("text", ["", "a: [", "[]", "7", "!!python/object/apply:os.system ['true']", "a" * (2**20 + 1)])
def test_what_is_no_kubeconfig_is_misconfigured_and_not_quoted(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        from_kubeconfig(Secret(text + "secret-word" if text == "a: [" else text))
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"current-context": "gone"}, {"contexts": None}, {"users": [7]}, {"clusters": [{"name": "prod"}]}]
)
def test_a_context_that_leads_nowhere_is_misconfigured(change: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="leads to no"):
        read(config(token="t") | change)


def test_what_is_written_for_a_grantee_is_read_the_same() -> None:
    cluster = Cluster("https://kube:6443", ca="PEM: ü\n", name="it's: prod")
    text = kubeconfig(cluster, user="lk-ada", token="t", namespace="shop")
    assert from_kubeconfig(Secret(text)) == Cluster(
        "https://kube:6443", ca="PEM: ü\n", token=Secret("t"), name="it's: prod"
    )
    assert yaml.safe_load(text)["contexts"][0]["context"]["namespace"] == "shop"


def test_outside_of_a_cluster_there_is_no_service_account(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not run in a cluster"):
        in_cluster({}, tmp_path)


def test_the_service_account_of_a_pod_is_read_anew_each_time(tmp_path: Path) -> None:
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    (tmp_path / "ca.crt").write_text("PEM")
    for token in ("first", "second"):
        (tmp_path / "token").write_text(f"{token}\n")
        assert in_cluster(environment, tmp_path) == Cluster("https://[fd00::1]:443", ca="PEM", token=Secret(token))


# On a real API server.


@pytest.fixture
def notes() -> Run:
    """What a provider gets."""
    return Run(alive=lambda: None, seal=lambda details, grant_id="": "")


def test_a_connector_in_the_cluster_needs_nothing_but_its_own_service_account(
    kube: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.crt").write_text(kube.cluster.ca)
    (tmp_path / "token").write_text(kube.secrets["token"])
    environment = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(kube.cluster.port)}
    monkeypatch.setattr(server, "in_cluster", lambda: in_cluster(environment, tmp_path))
    kube.config, kube.secrets = {"server": "", "cluster_name": "own"}, {}
    grant = kube.grant()
    shown = kube.shown(kube.apply(grant), grant)
    assert kube.pods(shown) == 200


def test_a_connector_signs_in_by_a_kubeconfig(kube: World) -> None:
    cluster = Cluster(kube.cluster.server, kube.cluster.ca)
    kube.secrets = {"kubeconfig": kubeconfig(cluster, user="connector", token=kube.secrets["token"])}
    kube.config = {"cluster_name": "prod"}
    grant = kube.grant()
    assert kube.pods(kube.shown(kube.apply(grant), grant)) == 200


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[targets_kubernetes.Cluster, str, str]]:
    """A cluster that takes client certificates, and a certificate with its key for an admin."""
    if reason := targets_kubernetes.missing():
        pytest.skip(reason)
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_text(_certificate(name, key, name, key, authority=True))
    own = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"), x509.NameAttribute(NameOID.COMMON_NAME, "me")]
    )
    certificate = _certificate(who, own, name, key)
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    with targets_kubernetes.running(None, f"--client-ca-file={path}") as cluster:
        yield cluster, certificate, own.private_bytes(*kinds).decode()


def _certificate(
    who: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: x509.Name,
    by_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool = False,
) -> str:
    """Return a certificate, PEM."""
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(by, who, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(hours=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    return builder.sign(by_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_client_certificate_signs_in_and_its_key_is_in_no_file_afterwards(
    authority: tuple[targets_kubernetes.Cluster, str, str],
    notes: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster, certificate, key = authority
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    user = {
        "client-certificate-data": base64.b64encode(certificate.encode()).decode(),
        "client-key-data": base64.b64encode(key.encode()).decode(),
    }
    tree = config(**user)
    ca = base64.b64encode(cluster.ca.encode()).decode()
    tree["clusters"][1]["cluster"] = {"server": cluster.server, "certificate-authority-data": ca}
    with ApiServer(read(tree), notes) as api:
        assert api.read(NAMESPACE, namespace="default").status == 200
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_with_the_key_of_another_is_misconfigured(notes: Run, kube: World) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    locked = serialization.BestAvailableEncryption(b"pass")
    for kind in (serialization.NoEncryption(), locked):
        other = ec.generate_private_key(ec.SECP256R1())
        pem = other.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kind).decode()
        found = Cluster(kube.cluster.server, kube.cluster.ca, None, _certificate(name, key, name, key), Secret(pem))
        with pytest.raises(Misconfigured, match="do not fit together"):
            ApiServer(found, notes)


def test_the_servers_clock_is_read_from_its_answers(kube: World, notes: Run) -> None:
    found = Cluster(kube.cluster.server, kube.cluster.ca, Secret(kube.secrets["token"]))
    with ApiServer(found, notes) as api:
        api.now = 0.0
        api.read(VERSION)
        assert abs(api.now - datetime.datetime.now(datetime.UTC).timestamp()) < 5
