"""The sample function of docs/custom-function: over HTTP, behind a stub of Lambda, behind a gate like Google's.

The stub of Lambda is made from botocore's own description of Invoke, and checks the signature of a request as AWS does.
The gate takes identity tokens of a token endpoint of its own, and looks at signature, audience and time.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.loaders
import google.auth.crypt
import google.auth.jwt
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from connectors.contract.orders import Person, Unit
from tests.connectors.http_stub import Handler, listening
from tests.targets import free_port

SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "custom-function" / "function.py"
KEY = "a signing key of more than 24 characters"
START_SECONDS = 20


def sample() -> ModuleType:
    """Return the sample function's module."""
    spec = importlib.util.spec_from_file_location("sample_function", SAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Reports:
    """What connectors.vet.live asks of a target, for all three ways to the sample function."""

    person = Person("person-live", "Ada Live", ("ada.live@example.org",))
    units = (Unit("resource", "sales", "read"), Unit("resource", "payroll", "publish"))

    def __init__(self, data: Path, config: dict[str, Any], secrets: dict[str, str]) -> None:
        """Look into the function's file from the side."""
        self.module = sample()
        self.store = self.module.Store(data)
        self.config, self.secrets = {"resource_types": "resource", "custom_parameters": "{}", **config}, secrets

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Ask as the reports' own web server does."""
        return bool(
            self.store.may(details["username"], credentials.get("password", ""), unit.resource, unit.permission)
        )

    def snapshot(self) -> object:
        """Return all users and what they may."""
        with self.store._change() as database:
            users = database.execute("SELECT username, grant_id, hash FROM users ORDER BY username").fetchall()
            held = database.execute("SELECT * FROM access ORDER BY username, resource, permission").fetchall()
        return [tuple(row) for row in users], [tuple(row) for row in held]

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> None:
        """The reports ask at every request."""
        return

    def give_standing(self, unit: Unit) -> bool:
        """Make an account of the person's own."""
        self.store.make_user("ada.live", "", "", "")
        self.store.give("ada.live", "", [(unit.resource, unit.permission)], None)
        return True

    def take_standing(self, unit: Unit) -> None:
        """Remove it."""
        self.store.drop_user("ada.live", "")


class Web(Reports):
    """The same, asked over HTTP as a grantee does."""

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Open a report with what was shown."""
        login = (details["username"], credentials.get("password", ""))
        address = f"{details['uri']}{unit.resource}?{unit.permission}"
        return requests.get(address, auth=login, timeout=10).status_code == 200


@contextmanager
def over_http() -> Iterator[Web]:
    """Run the sample as a process."""
    with tempfile.TemporaryDirectory() as folder:
        data, port = Path(folder) / "reports.db", free_port()
        address = f"http://127.0.0.1:{port}"
        process = subprocess.Popen(
            [sys.executable, str(SAMPLE), "--port", str(port), "--data", str(data)],
            env={**os.environ, "SIGNING_KEY": KEY, "REPORTS_ADDRESS": address},
        )
        try:
            _wait(address, process)
            yield Web(data, {"address": f"{address}/"}, {"signing_key": KEY})
        finally:
            process.terminate()
            process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(address, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the sample function did not start")


class Aws:
    """Functions at AWS, by name. `says` is an error's code to answer with instead."""

    region = "eu-west-1"
    credentials = Credentials("AKIALATCHKEYTEST", "a secret access key")

    def __init__(self) -> None:
        """Read the description of Invoke."""
        model = botocore.loaders.Loader().load_service_model("lambda", "service-2")
        self.shapes, self.invoke = model["shapes"], model["operations"]["Invoke"]
        path = self.invoke["http"]["requestUri"].replace("{FunctionName}", "(?P<function>[^/]+)")
        self.path = re.compile(path)
        self.functions: dict[str, Any] = {}
        self.says = ""

    def where(self, shape: str, member: str) -> str:
        """Return the header in which a member travels."""
        return str(self.shapes[shape]["members"][member]["locationName"])

    def signed(self, handler: Handler, body: bytes) -> bool:
        """Say whether a request was signed with our key, for this service and region."""
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/lambda/aws4_request,"
            r" SignedHeaders=(\S+), Signature=(\w+)",
            handler.headers.get("Authorization", ""),
        )
        if found is None or found[1] != self.region:
            return False
        headers = {name: handler.headers[name] for name in found[2].split(";")}
        url = f"http://{handler.headers['Host']}{handler.path}"
        request = AWSRequest(handler.command, url, headers, body)
        request.context["timestamp"] = handler.headers["X-Amz-Date"]
        auth = SigV4Auth(self.credentials, "lambda", self.region)
        return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request) == found[3]


class _Invoke(Handler):
    """AWS's endpoint."""

    world: Aws

    def do_POST(self) -> None:
        body = self.body()
        found = self.world.path.fullmatch(unquote(self.path))
        kind = self.headers.get(self.world.where("InvocationRequest", "InvocationType"))
        if not self.world.signed(self, body):
            self._error("InvalidSignatureException")
        elif self.world.says:
            self._error(self.world.says)
        elif found is None or found["function"] not in self.world.functions:
            self._error("ResourceNotFoundException")
        elif kind != "RequestResponse":
            self._error("InvalidParameterValueException")
        else:
            self._run(found["function"], body)

    def _run(self, name: str, body: bytes) -> None:
        try:
            answer = self.world.functions[name](json.loads(body), None)
        except RuntimeError as error:
            header = self.world.where("InvocationResponse", "FunctionError")
            self.reply(200, {"errorMessage": str(error), "errorType": "RuntimeError"}, {header: "Unhandled"})
            return
        self.reply(200, answer)

    def _error(self, code: str) -> None:
        status = self.world.shapes.get(code, {}).get("error", {}).get("httpStatusCode", 403)
        self.reply(status, {"Message": "So it is.", "Type": "User"}, {"x-amzn-errortype": code})


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def on_aws() -> Iterator[tuple[Reports, Aws]]:
    """Run the sample behind the stub of Lambda."""
    aws = Aws()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        data = Path(folder) / "reports.db"
        address = stack.enter_context(listening(_Invoke, aws))
        stack.enter_context(
            environment(
                AWS_ENDPOINT_URL_LAMBDA=address,
                AWS_ACCESS_KEY_ID=aws.credentials.access_key,
                AWS_SECRET_ACCESS_KEY=aws.credentials.secret_key,
                DATA=str(data),
            )
        )
        reports = Reports(data, {"region": aws.region, "function_name": "reports"}, {})
        aws.functions["reports"] = reports.module.lambda_handler
        yield reports, aws


def _pem(key: rsa.RSAPrivateKey) -> tuple[str, str]:
    """Return a key pair as PEM."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Google:
    """Google's token endpoint, its metadata server, and the gate before a function."""

    account = "connector@project.iam.gserviceaccount.com"

    def __init__(self, function: Any) -> None:
        """Make the keys of Google and of the service account."""
        self.private, self.public = _pem(rsa.generate_private_key(65537, 2048))
        self.account_private, self.account_public = _pem(rsa.generate_private_key(65537, 2048))
        self.function, self.status, self.seconds = function, 200, 3600

    def token(self, audience: str) -> str:
        """Return an identity token of the service account."""
        now = int(time.time())
        told = {"iss": "https://accounts.google.com", "aud": audience, "email": self.account, "iat": now}
        signer = google.auth.crypt.RSASigner.from_string(self.private, key_id="1")
        return str(google.auth.jwt.encode(signer, {**told, "exp": now + self.seconds}).decode())

    def key_file(self, address: str) -> str:
        """Return the service account's key file."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "project",
                "private_key_id": "1",
                "private_key": self.account_private,
                "client_email": self.account,
                "token_uri": f"{address}/token",
            }
        )


class _Gate(Handler):
    """All of Google at one address."""

    world: Google

    def do_POST(self) -> None:
        body = self.body()
        if self.path == "/token":
            self._token(body)
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        address = f"http://{self.headers['Host']}{self.path}"
        try:
            google.auth.jwt.decode(token, certs=self.world.public, audience=address)
        except ValueError:
            self.reply(401, b"unauthorized")
            return
        status = 404 if self.path != "/reports" else 200
        data, _ = self.world.function(_Request(body))
        self.reply(status, data if status == 200 else b"no such function")

    def _token(self, body: bytes) -> None:
        """Give a token for an assertion that the service account signed."""
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        try:
            told = google.auth.jwt.decode(asked["assertion"], certs=self.world.account_public)
        except ValueError:
            self.reply(400, {"error": "invalid_grant"})
            return
        if self.world.status != 200:
            self.reply(self.world.status, {"error": "invalid_grant"})
            return
        self.reply(200, {"id_token": self.world.token(told["target_audience"])})

    def do_GET(self) -> None:
        """Answer as the metadata server of a machine."""
        if self.headers.get("Metadata-Flavor") != "Google":
            self.reply(403, b"")
            return
        path, _, query = self.path.partition("?")
        flavour = {"Metadata-Flavor": "Google", "Content-Type": "text/plain"}
        if path.endswith("/identity"):
            self.reply(200, self.world.token(parse_qs(query)["audience"][0]).encode(), flavour)
        elif path.rstrip("/").endswith(("default", "service-accounts")):
            told = {"email": self.world.account, "scopes": [], "aliases": ["default"]}
            self.reply(200, told, {"Metadata-Flavor": "Google"})
        else:
            self.reply(200, b"ok", flavour)


class _Request:
    """What the framework of Google's functions hands over."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def get_json(self, *, silent: bool) -> Any:
        return json.loads(self._body)


@contextmanager
def on_google() -> Iterator[tuple[Reports, Google]]:
    """Run the sample behind the gate."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        data = Path(folder) / "reports.db"
        stack.enter_context(environment(DATA=str(data)))
        google_ = Google(sample().cloud_function)
        address = stack.enter_context(listening(_Gate, google_))
        config = {"project_id": "p", "region": "r", "function_name": "reports", "address": f"{address}/reports"}
        yield Reports(data, config, {"service_account_key": google_.key_file(address)}), google_
