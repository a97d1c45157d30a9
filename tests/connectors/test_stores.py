"""Secret stores: read at the moment of use, never kept, with errors that say which secret and what to do.

AWS is asked at an emulator. What stands in for Vault, Azure and Google is held against the vendors' own clients (hvac,
azure-keyvault-secrets), which have to understand it, and against Google's description, which ships with its client: it
has to allow each path and each key of an answer.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from azure.core.credentials import AccessToken
from azure.keyvault.secrets import SecretClient
from googleapiclient import discovery_cache
from hvac import Client

from connectors import stores
from connectors.contract.errors import (
    CredentialsRejected,
    LeaseLost,
    Misconfigured,
    NotPermitted,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.contract.orders import Order, SecretReference, Verb
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.registry import Registry
from connectors.runners import local
from connectors.stores.azure_key_vault import KeyVault
from connectors.stores.google_secret_manager import SecretManager
from tests import targets_kubernetes
from tests.certificates import Authority
from tests.connectors.test_rules import MANIFEST
from tests.http_server import Answer, Asked, Server, serving
from tests.targets import free_port

CANARY = "canary-9f3"


def run(**change: Any) -> Run:
    """Return what a store gets."""
    return Run(**{"alive": lambda: None, "seal": lambda details, grant_id="": "", **change})


def resolved(store: str, reference: str, key: str = "password") -> str:
    """Return the secret that a reference names."""
    found = stores.resolve({"password": SecretReference(store, reference, key)}, run())
    return found["password"].reveal()


# All of them.


def test_every_store_has_a_file_and_every_file_is_a_store() -> None:
    folder = Path(stores.__file__).parent
    shared = {"__init__", "asking", "builtin"}
    assert {path.stem for path in folder.glob("*.py")} - shared == set(stores.STORES.values())
    for id_ in stores.STORES:
        assert callable(stores.store(id_).read)


def test_an_unknown_store_is_named() -> None:
    with pytest.raises(Misconfigured, match="'drawer'"):
        resolved("drawer", "left")


def test_a_secret_is_read_once_for_all_its_fields_and_again_for_the_next_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", json.dumps({"username": "u", "password": CANARY, "port": 5432}))
    fields = {name: SecretReference("environment", "SHOP", name) for name in ("username", "password", "port")}
    found = stores.resolve(fields, run())
    assert {name: one.reveal() for name, one in found.items()} == {"username": "u", "password": CANARY, "port": "5432"}
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", json.dumps({"password": "rotated"}))
    assert resolved("environment", "SHOP") == "rotated"


def test_a_secret_that_is_no_object_is_the_value_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (CANARY, '"quoted"', "[1]", "5", "-----BEGIN KEY-----\nabc\n"):
        monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", text)
        assert resolved("environment", "SHOP") == text


def test_an_object_without_the_key_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ({"passwort": CANARY}, {"password": [CANARY]}, {"password": None}):
        monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", json.dumps(value))
        with pytest.raises(Misconfigured, match="'password'") as caught:
            resolved("environment", "SHOP")
        assert CANARY not in caught.value.message


def test_nothing_is_read_after_the_lease() -> None:
    def over() -> None:
        raise LeaseLost("over")

    with pytest.raises(LeaseLost):
        stores.resolve({"a": SecretReference("environment", "A")}, run(alive=over))


# As part of an order.

TELLING = """
from connectors.contract.orders import Finding
from connectors.contract.errors import Unreachable


class Telling:
    def check(self, order, run):
        raise Unreachable("the password is " + order.secrets["password"].reveal())

    resource_types = discover = apply = read_back = reset_credentials = rotate = clean_up = None


PROVIDER = Telling()
"""


@pytest.fixture
def telling(tmp_path: Path) -> Registry:
    """A provider that tells its secret in an error."""
    folder = tmp_path / "providers" / "telling"
    folder.mkdir(parents=True)
    (folder / "manifest.toml").write_text(MANIFEST)
    (folder / "__init__.py").touch()
    (folder / "provider.py").write_text(TELLING)
    return Registry(folder.parent)


def check(reference: str) -> Order:
    """Return an order whose password is in the environment."""
    references = {"password": SecretReference("environment", reference)}
    return Order("order", 1, Verb.CHECK, "telling", "integration", {}, references=references)


def test_a_provider_finds_the_secret_and_nobody_else_sees_it(
    telling: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", CANARY)
    report = local.run(check("SHOP"), on_page=lambda page: None, registry=telling)
    assert report.error is not None
    assert report.error.message == "the password is (secret)"


def test_a_secret_that_cannot_be_read_ends_the_order_with_its_name(telling: Registry) -> None:
    report = local.run(check("NOT_THERE"), on_page=lambda page: None, registry=telling)
    assert report.error is not None
    assert report.error.kind is TargetMissing.kind
    assert report.error.message.startswith("Secret NOT_THERE is unreachable in the store 'environment':")


# Environment and files.


@pytest.mark.parametrize("name", ["PATH", "latchkey_connector_token", "A=B", "", "A B", "../A"])
def test_only_variables_with_the_prefix_can_be_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_CONNECTOR_TOKEN", CANARY)
    with pytest.raises((Misconfigured, TargetMissing)):
        resolved("environment", name)
    with pytest.raises(TargetMissing, match="LATCHKEY_TARGET_SECRET_LATCHKEY_CONNECTOR_TOKEN is not set"):
        resolved("environment", "LATCHKEY_CONNECTOR_TOKEN")


def test_no_setting_of_ours_has_the_prefix() -> None:
    root = Path(stores.__file__).parents[2]
    code = "\n".join(path.read_text() for folder in ("config", "connectors") for path in (root / folder).rglob("*.py"))
    named = set(re.findall(r"LATCHKEY_TARGET_SECRET_\w*", code))
    assert named == {"LATCHKEY_TARGET_SECRET_"}


def test_a_file_is_read_without_its_line_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_SECRETS_FOLDER", str(tmp_path))
    (tmp_path / "deep").mkdir()
    for text in (CANARY, f"{CANARY}\n", f"{CANARY}\r\n"):
        (tmp_path / "deep" / "shop").write_bytes(text.encode())
        assert resolved("file", "deep/shop") == CANARY


def test_no_file_outside_the_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "outside").write_text(CANARY)
    (folder / "link").symlink_to(tmp_path / "outside")
    monkeypatch.setenv("LATCHKEY_SECRETS_FOLDER", str(folder))
    for name in ("../outside", "link", str(tmp_path / "outside"), ".", "a/../../outside"):
        with pytest.raises(Misconfigured, match="is not in the folder"):
            resolved("file", name)


def test_no_file_of_our_own_settings_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_SECRETS_FOLDER", str(tmp_path))
    for variable in ("LATCHKEY_CONNECTOR_TOKEN_FILE", "LATCHKEY_STORE_KEYS_FILE"):
        (tmp_path / variable).write_text(CANARY)
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(tmp_path / variable)
        monkeypatch.setenv(variable, str(tmp_path / variable))
        for name in (variable, f"./{variable}", "link"):
            with pytest.raises(Misconfigured, match="is not in the folder"):
                resolved("file", name)


def test_without_a_folder_there_are_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LATCHKEY_SECRETS_FOLDER", raising=False)
    with pytest.raises(Misconfigured, match="LATCHKEY_SECRETS_FOLDER is not set"):
        resolved("file", "shop")


def test_files_that_cannot_be_secrets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_SECRETS_FOLDER", str(tmp_path))
    (tmp_path / "large").write_bytes(b"x" * (64 * 1024 + 1))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Misconfigured, match="larger"):
        resolved("file", "large")
    with pytest.raises(Misconfigured, match="as text"):
        resolved("file", "binary")
    with pytest.raises(TargetMissing, match="There is no file"):
        resolved("file", "nothing")


# Vault.

TOKEN = "hvs.the-connectors-own"
LOGGED_IN = "hvs.for-one-reading"


class VaultStandIn:
    """A KV engine of version 2 at `kv`, and the Kubernetes auth method."""

    def __init__(self) -> None:
        self.namespace = ""
        self.revoked: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        """Answer one request."""
        if asked.path == "/v1/auth/kubernetes/login":
            return self._log_in(asked.data)
        token = asked.headers.get("X-Vault-Token")
        if token not in {TOKEN, LOGGED_IN} or token in self.revoked:
            return Answer(403, {"errors": ["permission denied", "invalid token"]})
        if asked.path == "/v1/auth/token/revoke-self":
            self.revoked.append(str(token))
            return Answer(204)
        self.namespace = asked.headers.get("X-Vault-Namespace", "")
        return self._read(asked.path)

    def _log_in(self, data: dict[str, str]) -> Answer:
        if data != {"role": "latchkey", "jwt": "service-account"}:
            return Answer(400, {"errors": ["invalid role name"]})
        auth = {"client_token": LOGGED_IN, "accessor": "a", "policies": [], "lease_duration": 60, "renewable": True}
        return Answer(data={"request_id": "r", "auth": auth, "data": None})

    def _read(self, path: str) -> Answer:
        if path == "/v1/kv/data/deep/shop":
            version = {"created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "destroyed": False, "version": 2}
            return Answer(data={"request_id": "r", "data": {"data": {"password": CANARY}, "metadata": version}})
        if path == "/v1/kv/data/deleted":
            version = {"created_time": "2026-01-01T00:00:00Z", "deletion_time": "2026-01-02T00:00:00Z", "version": 1}
            return Answer(404, {"data": {"data": None, "metadata": version}})
        if path == "/v1/kv/data/forbidden":
            return Answer(403, {"errors": ["1 error occurred: permission denied"]})
        if path.startswith("/v1/kv1/"):
            return Answer(data={"data": {"password": CANARY}})
        return (
            Answer(503, {"errors": ["Vault is sealed"]})
            if path == "/v1/kv/data/sealed"
            else Answer(404, {"errors": []})
        )


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Server, VaultStandIn]]:
    """A Vault that the environment names."""
    standing_in = VaultStandIn()
    with serving(standing_in) as server:
        monkeypatch.setenv("VAULT_ADDR", server.address)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        yield server, standing_in


def test_the_stand_in_for_vault_is_understood_by_vaults_own_client(vault: tuple[Server, VaultStandIn]) -> None:
    client = Client(url=vault[0].address, token=TOKEN)
    answer = client.secrets.kv.v2.read_secret_version(path="deep/shop", mount_point="kv", raise_on_deleted_version=True)
    assert answer["data"]["data"] == {"password": CANARY}
    logged_in = Client(url=vault[0].address).auth.kubernetes.login(role="latchkey", jwt="service-account")
    assert logged_in["auth"]["client_token"] == LOGGED_IN


def test_vault_gives_the_newest_version(vault: tuple[Server, VaultStandIn], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_NAMESPACE", "team")
    assert resolved("vault", "kv/deep/shop") == CANARY
    assert vault[1].namespace == "team"


def test_vault_is_asked_with_a_token_for_one_reading(
    vault: tuple[Server, VaultStandIn], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("service-account\n")
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("VAULT_KUBERNETES_ROLE", "latchkey")
    monkeypatch.setenv("VAULT_KUBERNETES_TOKEN_FILE", str(token))
    assert resolved("vault", "kv/deep/shop") == CANARY
    assert vault[1].revoked == [LOGGED_IN]
    monkeypatch.setenv("VAULT_KUBERNETES_ROLE", "another")
    with pytest.raises(Misconfigured, match="400"):
        resolved("vault", "kv/deep/shop")


@pytest.mark.parametrize(
    ("reference", "error", "words"),
    [
        ("kv/nothing", TargetMissing, "no such secret"),
        ("kv/deleted", TargetMissing, "deleted"),
        ("kv/forbidden", NotPermitted, "forbids"),
        ("kv/sealed", Unreachable, "503"),
        ("kv1/shop", Misconfigured, "version 2"),
        ("kv", Misconfigured, "form"),
        ("kv/../shop", Misconfigured, "path"),
    ],
)
def test_each_refusal_of_vault_is_an_instruction(
    vault: tuple[Server, VaultStandIn], reference: str, error: type[TargetError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        resolved("vault", reference)
    assert f"Secret {reference} is unreachable" in caught.value.message
    assert TOKEN not in caught.value.message


def test_a_token_that_vault_does_not_know_is_rejected(
    vault: tuple[Server, VaultStandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "hvs.other")
    with pytest.raises(CredentialsRejected):
        resolved("vault", "kv/deep/shop")
    monkeypatch.delenv("VAULT_TOKEN")
    with pytest.raises(Misconfigured, match="VAULT_TOKEN"):
        resolved("vault", "kv/deep/shop")
    monkeypatch.setenv("VAULT_ADDR", "")
    monkeypatch.setenv("VAULT_TOKEN", "x")
    with pytest.raises(Misconfigured, match="VAULT_ADDR"):
        resolved("vault", "kv/deep/shop")


# Azure.


def key_vault(asked: Asked) -> Answer:
    """Answer as a key vault does (REST API 7.4, Get Secret)."""
    token = asked.headers.get("Authorization", "")
    if not token:
        challenge = 'Bearer authorization="https://login.invalid/tenant", resource="https://vault.azure.net"'
        return Answer(401, {"error": {"code": "Unauthorized", "message": "AKV10000"}}, {"WWW-Authenticate": challenge})
    if token != "Bearer azure-token":
        return Answer(401, {"error": {"code": "Unauthorized", "message": "AKV10032"}})
    found = re.fullmatch(r"/secrets/([^/]+)(?:/([^/]*))?/?", asked.path)
    if found is None or not asked.query.get("api-version"):
        return Answer(400, {"error": {"code": "BadParameter", "message": "no"}})
    if found[1] == "forbidden":
        return Answer(403, {"error": {"code": "Forbidden", "message": "no role"}})
    if found[1] != "shop":
        return Answer(404, {"error": {"code": "SecretNotFound", "message": "no"}})
    host = asked.headers["Host"]
    value = "older" if found[2] == "v1" else CANARY
    attributes = {"enabled": True, "created": 1, "updated": 1, "recoveryLevel": "Recoverable"}
    return Answer(data={"value": value, "id": f"https://{host}/secrets/shop/v2", "attributes": attributes})


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A key vault that the connector's owner has named as one; its address."""
    authority = Authority(tmp_path)
    with serving(key_vault, certificate=authority.certify("localhost"), host="localhost") as server:
        monkeypatch.setenv("LATCHKEY_AZURE_VAULT_HOSTS", "localhost")
        monkeypatch.setenv("LATCHKEY_AZURE_CA_FILE", str(authority.path))
        yield server.address


def azure_store(scopes: list[str] | None = None, token: str = "azure-token") -> KeyVault:
    """Return the store with an identity that writes down what it is asked for."""

    def give(scope: str) -> str:
        if scopes is not None:
            scopes.append(scope)
        return token

    return KeyVault(give)


class AzureIdentity:
    """An identity for the vendor's client."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Return a token."""
        return AccessToken("azure-token", int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))


def test_the_stand_in_for_a_key_vault_is_understood_by_azures_own_client(
    azure: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = SecretClient(
        azure,
        AzureIdentity(),  # type: ignore[arg-type]  # its protocol has more than it uses
        verify_challenge_resource=False,
        connection_verify=str(tmp_path / "ca.pem"),
    )
    assert client.get_secret("shop").value == CANARY


def test_a_key_vault_gives_the_newest_version_or_the_one_that_is_named(azure: str) -> None:
    scopes: list[str] = []
    assert azure_store(scopes).read(f"{azure}/secrets/shop", run()) == CANARY
    assert azure_store(scopes).read(f"{azure}/secrets/shop/v1", run()) == "older"
    assert set(scopes) == {"https://vault.azure.net/.default"}


@pytest.mark.parametrize(
    ("name", "token", "error"),
    [
        ("nothing", "azure-token", TargetMissing),
        ("forbidden", "azure-token", NotPermitted),
        ("shop", "stale", CredentialsRejected),
    ],
)
def test_each_refusal_of_a_key_vault_is_an_instruction(
    azure: str, name: str, token: str, error: type[TargetError]
) -> None:
    with pytest.raises(error):
        azure_store(token=token).read(f"{azure}/secrets/{name}", run())


@pytest.mark.parametrize(
    "reference",
    [
        "https://evil.invalid/secrets/shop",
        "https://shop.vault.azure.net.evil.invalid/secrets/shop",
        "https://shop.vault.azure.net@evil.invalid/secrets/shop",
        "http://shop.vault.azure.net/secrets/shop",
        "https://shop.vault.azure.net/keys/shop",
        "https://shop.vault.azure.net/secrets/a/b/c",
        "shop",
    ],
)
def test_the_token_goes_to_no_other_host_than_a_vault(reference: str) -> None:
    scopes: list[str] = []
    with pytest.raises(Misconfigured, match="form"):
        azure_store(scopes).read(reference, run())
    assert scopes == []


# Google.

DESCRIPTION = json.loads(
    (Path(discovery_cache.__file__).parent / "documents" / "secretmanager.v1.json").read_text(encoding="utf-8")
)


def described() -> dict[str, Any]:
    """Return the method that the store uses, as Google describes it."""
    method: dict[str, Any] = DESCRIPTION["resources"]["projects"]["resources"]["secrets"]["resources"]["versions"][
        "methods"
    ]["access"]
    return method


def schema_keys(name: str) -> set[str]:
    """Return the keys that an object may have."""
    return set(DESCRIPTION["schemas"][name]["properties"])


def secret_manager(asked: Asked) -> Answer:
    """Answer as Secret Manager does; what its description does not allow is refused."""
    method = described()
    pattern = method["parameters"]["name"]["pattern"].strip("^$")
    found = re.fullmatch(rf"/v1/({pattern}):access", asked.path)
    if found is None or asked.method != method["httpMethod"]:
        return Answer(404, {"error": {"code": 404, "message": "no such method"}})
    if asked.headers.get("Authorization") != "Bearer google-token":
        return Answer(401, {"error": {"code": 401, "message": "no", "status": "UNAUTHENTICATED"}})
    name = found[1]
    if name == "projects/p/secrets/forbidden/versions/latest":
        return Answer(403, {"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}})
    if not name.startswith("projects/p/secrets/shop/"):
        return Answer(404, {"error": {"code": 404, "message": "no", "status": "NOT_FOUND"}})
    text = "older" if name.endswith("/1") else CANARY
    answer = {"name": name, "payload": {"data": base64.b64encode(text.encode()).decode(), "dataCrc32c": "1"}}
    assert set(answer) <= schema_keys(method["response"]["$ref"])
    assert set(answer["payload"]) <= schema_keys("SecretPayload")  # type: ignore[arg-type]
    return Answer(data=answer)


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A Secret Manager that the environment names."""
    with serving(secret_manager) as server:
        monkeypatch.setenv("LATCHKEY_GOOGLE_SECRETS_ADDRESS", server.address)
        yield server


def google_store(token: str = "google-token") -> SecretManager:
    """Return the store with this token."""
    return SecretManager(lambda: token)


def test_google_gives_the_newest_version_or_the_one_that_is_named(google: Server) -> None:
    assert google_store().read("projects/p/secrets/shop", run()) == CANARY
    assert google_store().read("projects/p/secrets/shop/versions/1", run()) == "older"


@pytest.mark.parametrize(
    ("reference", "token", "error"),
    [
        ("projects/p/secrets/nothing", "google-token", TargetMissing),
        ("projects/p/secrets/forbidden", "google-token", NotPermitted),
        ("projects/p/secrets/shop", "stale", CredentialsRejected),
        ("projects/p/../secrets/shop", "google-token", Misconfigured),
        ("shop", "google-token", Misconfigured),
    ],
)
def test_each_refusal_of_google_is_an_instruction(
    google: Server, reference: str, token: str, error: type[TargetError]
) -> None:
    with pytest.raises(error):
        google_store(token).read(reference, run())


# AWS.


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """An emulator of AWS; its address."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(lambda: requests.get(f"{address}/moto-api/", timeout=1).ok)
        yield address
    finally:
        server.terminate()
        server.wait()


def _wait(ready: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ready():
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError("it did not start in time")


@pytest.fixture
def secrets_manager(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The emulator, emptied, with an identity in the environment; a client of it."""
    requests.post(f"{aws}/moto-api/reset", timeout=5)
    for name, value in {
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "x" * 40,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    yield boto3.client("secretsmanager", region_name="eu-central-1")


def test_aws_gives_the_current_version_by_name_and_by_arn(secrets_manager: Any) -> None:
    made = secrets_manager.create_secret(Name="prod/shop", SecretString=json.dumps({"password": "older"}))
    secrets_manager.put_secret_value(SecretId="prod/shop", SecretString=json.dumps({"password": CANARY}))
    assert resolved("aws", "eu-central-1/prod/shop") == CANARY
    assert resolved("aws", made["ARN"]) == CANARY


def test_each_refusal_of_aws_is_an_instruction(secrets_manager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets_manager.create_secret(Name="binary", SecretBinary=b"x")
    with pytest.raises(TargetMissing, match="no such secret"):
        resolved("aws", "eu-central-1/nothing")
    with pytest.raises(TargetMissing):
        resolved("aws", "eu-west-1/binary")
    with pytest.raises(Misconfigured, match="binary"):
        resolved("aws", "eu-central-1/binary")
    for reference in ("shop", "arn:aws:s3:::bucket", "/shop"):
        with pytest.raises(Misconfigured, match="form"):
            resolved("aws", reference)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Misconfigured, match="no identity"):
        resolved("aws", "eu-central-1/binary")


def test_aws_that_does_not_answer_is_unreachable(secrets_manager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unreachable):
        resolved("aws", "eu-central-1/shop")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", NotPermitted),
        ("UnrecognizedClientException", CredentialsRejected),
        ("ExpiredTokenException", CredentialsRejected),
        ("ResourceNotFoundException", TargetMissing),
        ("InvalidRequestException", Misconfigured),
        ("ThrottlingException", Unreachable),
        ("InternalServiceError", Unreachable),
    ],
)
def test_each_code_of_aws_is_an_instruction(
    code: str, error: type[TargetError], secrets_manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda asked: Answer(400, {"__type": code, "message": "no"})) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
        with pytest.raises(error):
            resolved("aws", "eu-central-1/shop")
        assert len(server.asked) == 1


def test_a_secret_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_TARGET_SECRET_SHOP", CANARY)
    found = stores.resolve({"password": SecretReference("environment", "SHOP")}, run())
    assert isinstance(found["password"], Secret)
    assert CANARY not in f"{found} {found!r}"


# Kubernetes, on a real API server.

READER = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader"}}
RULES = [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["shop", "empty", "gone"], "verbs": ["get"]}]


@pytest.fixture(scope="module")
def secrets_cluster() -> Iterator[targets_kubernetes.Cluster]:
    """A cluster with secrets, and a user who may read some of them."""
    if reason := targets_kubernetes.missing():
        pytest.skip(reason)
    with targets_kubernetes.running({"connector-token": "connector"}) as cluster:
        path = f"{targets_kubernetes.RBAC}/namespaces/default"
        cluster.ask("POST", f"{path}/roles", {**READER, "rules": RULES})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
        user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "connector"}
        cluster.ask(
            "POST", f"{path}/rolebindings", {"metadata": {"name": "reader"}, "roleRef": role, "subjects": [user]}
        )
        for name, data in {"shop": {"password": CANARY, "username": "u"}, "empty": {}, "forbidden": {"a": "b"}}.items():
            body = {"metadata": {"name": name}, "stringData": data}
            cluster.ask("POST", "/api/v1/namespaces/default/secrets", body)
        yield cluster


@pytest.fixture
def kubeconfig(
    secrets_cluster: targets_kubernetes.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Let KUBECONFIG name a file with this token."""

    def write(token: str) -> None:
        ca = base64.b64encode(secrets_cluster.ca.encode()).decode()
        told = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "c", "cluster": {"server": secrets_cluster.server, "certificate-authority-data": ca}}
            ],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (tmp_path / "config").write_text(json.dumps(told))

    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    write("connector-token")
    return write


def test_kubernetes_gives_each_field_by_its_key(kubeconfig: Callable[[str], None]) -> None:
    assert resolved("kubernetes", "default/shop") == CANARY
    assert resolved("kubernetes", "default/shop", "username") == "u"


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("default/gone", TargetMissing),
        ("default/forbidden", NotPermitted),
        ("elsewhere/shop", NotPermitted),
        ("default/empty", Misconfigured),
        ("shop", Misconfigured),
    ],
)
def test_each_refusal_of_kubernetes_is_an_instruction(
    kubeconfig: Callable[[str], None], reference: str, error: type[TargetError]
) -> None:
    with pytest.raises(error):
        resolved("kubernetes", reference)


def test_a_token_that_the_cluster_does_not_know_is_rejected(kubeconfig: Callable[[str], None]) -> None:
    kubeconfig("another")
    with pytest.raises(CredentialsRejected):
        resolved("kubernetes", "default/shop")


def test_outside_a_cluster_and_without_a_file_there_is_no_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    with pytest.raises(Misconfigured, match="KUBECONFIG"):
        resolved("kubernetes", "default/shop")
