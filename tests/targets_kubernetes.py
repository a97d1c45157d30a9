"""A real Kubernetes control plane for tests: etcd, kube-apiserver, kube-controller-manager, private, on free ports.

The programs come from the folder that KUBEBUILDER_ASSETS names, the convention of the field. There are no nodes:
nothing runs in pods, but every API, its authentication and its authorization are real.
"""

from __future__ import annotations

import atexit
import base64
import csv
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import requests
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.registry import PROVIDERS
from tests.targets import free_port

SETUP = PROVIDERS / "kubernetes" / "setup"
PROGRAMS = ("kube-apiserver", "kube-controller-manager")
CONTROLLERS = "clusterrole-aggregation,namespace,serviceaccount,serviceaccount-token,garbagecollector"
ADMIN = "admin-token"
START_SECONDS = 600.0
RBAC = "/apis/rbac.authorization.k8s.io/v1"
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
    "Secret": "/api/v1/namespaces/{namespace}/secrets",
    "Role": RBAC + "/namespaces/{namespace}/roles",
    "RoleBinding": RBAC + "/namespaces/{namespace}/rolebindings",
    "ClusterRole": RBAC + "/clusterroles",
    "ClusterRoleBinding": RBAC + "/clusterrolebindings",
}


def missing() -> str:
    """Return why no cluster can be started here, or an empty string."""
    folder = os.environ.get("KUBEBUILDER_ASSETS", "")
    if not folder:
        return "KUBEBUILDER_ASSETS names no folder with kube-apiserver and kube-controller-manager"
    lacking = [name for name in PROGRAMS if not (Path(folder) / name).is_file()]
    if lacking:
        return f"{', '.join(lacking)} is not in the folder that KUBEBUILDER_ASSETS names"
    return "" if shutil.which("etcd") else "etcd is not installed (Debian's package etcd-server)"


@dataclass
class Cluster:
    """A control plane of our own. `people` are further static tokens: token to user name."""

    people: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    etcd_port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="latchkey-kube-")))
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def server(self) -> str:
        """Return the address."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> str:
        """Return the certificate of who signed the server's own: the last one in the file that it made for itself."""
        text = (self.folder / "certs" / "apiserver.crt").read_text()
        return "-----BEGIN CERTIFICATE-----" + text.rpartition("-----BEGIN CERTIFICATE-----")[2]

    def start(self) -> Cluster:
        """Start it and wait until it is ready, roles and all."""
        atexit.register(self.remove)
        self._write_files()
        client = f"http://127.0.0.1:{self.etcd_port}"
        peer = f"http://127.0.0.1:{free_port()}"
        etcd = shutil.which("etcd") or "etcd"
        self._run(
            etcd,
            "--unsafe-no-fsync",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        )
        self._run_apiserver(client)
        self._wait(lambda: self.ask("GET", "/readyz", check=False).text == "ok")
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.folder / 'manager.kubeconfig'}",
            f"--controllers={CONTROLLERS}",
            f"--service-account-private-key-file={self.folder / 'sa.key'}",
            "--leader-elect=false",
            "--port=0",
            "--secure-port=0",
        )
        self._wait(lambda: bool(self.ask("GET", f"{RBAC}/clusterroles/admin").json().get("rules")))
        self._wait(lambda: self.ask("GET", "/api/v1/namespaces/default", check=False).status_code == 200)
        return self

    def stop(self) -> None:
        """Stop, if it runs; what is stored stays."""
        while self._running:
            process = self._running.pop()
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.remove)

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str = ADMIN, check: bool = True, **options: Any
    ) -> requests.Response:
        """Send one request, as the admin by default; never by a connection that was used before."""
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(
                method,
                self.server + path,
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                verify=str(self._ca_file()),
                timeout=(5, 30),
                **options,
            )
        if check and not response.ok:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.text[:1000]}")
        return response

    def make(self, thing: dict[str, Any]) -> None:
        """Make one object; one that is there already is left as it is."""
        path = PATHS[thing["kind"]].format(namespace=thing["metadata"].get("namespace", "default"))
        response = self.ask("POST", path, thing, check=False)
        if response.status_code not in (201, 409):
            raise RuntimeError(f"{thing['kind']}: {response.status_code} {response.text[:1000]}")

    def apply(self, text: str) -> None:
        """Make the objects of a YAML file, as `kubectl apply` does for what is not there yet."""
        for thing in yaml.safe_load_all(text):
            if thing is not None:
                self.make(thing)

    def set_up(self, *names: str, **replace: str) -> None:
        """Run set-up files of the provider as an admin would, after editing them by replacing words."""
        for name in names:
            text = (SETUP / name).read_text()
            for old, new in replace.items():
                assert old in text
                text = text.replace(old, new)
            self.apply(text)

    def token_of(self, account: str, namespace: str, seconds: int = 7200) -> str:
        """Return a token of a service account."""
        path = PATHS["ServiceAccount"].format(namespace=namespace) + f"/{account}/token"
        answer = self.ask("POST", path, {"spec": {"expirationSeconds": seconds}}).json()
        return str(answer["status"]["token"])

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return everything in a list."""
        found: list[dict[str, Any]] = self.ask("GET", path).json()["items"]
        return found

    def names(self, path: str) -> set[str]:
        """Return the names of everything in a list."""
        return {one["metadata"]["name"] for one in self.items(path)}

    def delete(self, path: str) -> None:
        """Delete one object, if it is there."""
        response = self.ask("DELETE", path, check=False)
        if response.status_code not in (200, 202, 404):
            raise RuntimeError(f"DELETE {path}: {response.status_code} {response.text[:1000]}")

    def compact(self) -> None:
        """Make etcd forget everything but the present, as it does by itself every five minutes."""
        etcd = f"http://127.0.0.1:{self.etcd_port}/v3/kv"
        with requests.Session() as session:
            session.trust_env = False
            key = base64.b64encode(b"x").decode()
            revision = session.post(f"{etcd}/range", json={"key": key}, timeout=10).json()["header"]["revision"]
            session.post(f"{etcd}/compaction", json={"revision": revision}, timeout=10).raise_for_status()

    def _write_files(self) -> None:
        """Write the keys, the tokens and the kubeconfig of the controllers."""
        (self.folder / "sa.key").write_bytes(_key())
        with (self.folder / "tokens.csv").open("w", newline="") as file:
            rows = [[token, user, f"uid-{user}"] for token, user in self.people.items()]
            csv.writer(file).writerows([[ADMIN, "admin", "uid-admin", "system:masters"], *rows])
        config = {
            "clusters": [{"name": "c", "cluster": {"server": self.server, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": ADMIN}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (self.folder / "manager.kubeconfig").write_text(yaml.safe_dump(config))

    def _run_apiserver(self, etcd: str) -> None:
        key = self.folder / "sa.key"
        self._run(
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self.folder / 'certs'}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            *self.options,
        )

    def _run(self, program: str, *arguments: str) -> None:
        """Start one of the programs, with its output in a file.

        Debian's build of 1.20 has a JSON library (reflect2 1.0.1) that does not bear the garbage collector of the Go it
        is compiled with: after the first collection every request with a body panics. Without collections it is sound;
        it lives for minutes and takes some 150 KB for each request.
        """
        path = program if "/" in program else str(Path(os.environ["KUBEBUILDER_ASSETS"]) / program)
        with (self.folder / f"{Path(program).name}.log").open("wb") as log:
            process = subprocess.Popen(
                [path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "GOGC": "off"},
                cwd=self.folder,
            )
        self._running.append(process)

    def _wait(self, ready: Any) -> None:
        """Wait until something is so. Raises RuntimeError with the logs when that does not come, or a program died."""
        patience = time.monotonic() + START_SECONDS
        while time.monotonic() < patience and all(process.poll() is None for process in self._running):
            try:
                if ready():
                    return
            except (requests.RequestException, OSError, RuntimeError):
                pass
            time.sleep(0.05)
        logs = [f"{path.name}:\n{path.read_text(errors='replace')[-3000:]}" for path in self.folder.glob("*.log")]
        raise RuntimeError("The cluster does not start.\n" + "\n".join(logs))

    def _ca_file(self) -> Path:
        """Return a file with the CA only."""
        path = self.folder / "ca.crt"
        if not path.exists():
            path.write_text(self.ca)
        return path


@cache
def _key() -> bytes:
    """Return a private key for the tokens of service accounts; made once per process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    return key.private_bytes(*kinds)


@contextmanager
def running(people: dict[str, str] | None = None, *options: str) -> Iterator[Cluster]:
    """Run a private cluster for the length of a block."""
    cluster = Cluster(people or {}, options)
    try:
        yield cluster.start()
    finally:
        cluster.remove()
