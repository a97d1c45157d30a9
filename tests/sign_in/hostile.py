"""A provider in the test's own process that says anything, for what the certified one cannot be made to say.

Its ID tokens are signed with a key of the tests, unless a test says otherwise.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from config.single_sign_on import Oidc

KEPT = object()


@dataclass
class Hostile:
    """What it answers; `answers` replaces whole answers by path: (status, headers, body)."""

    port: int = 0
    id_claims: dict[str, Any] = field(default_factory=dict)
    userinfo: Any = None
    configuration: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    slow: float = 0
    # The nonce is what the product asked with last.
    nonce: str | None = None
    keys: list[dict[str, Any]] | None = None
    # Makes a token of claims.
    sign: Any = None
    last_form: dict[str, str] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}/realm"

    def settings(self, **changes: Any) -> Oidc:
        """Return the product's settings for it."""
        return Oidc(self.issuer, **{"client_id": "latchkey", "client_secret": "s", "name": "Acme", **changes})

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body."""
        self.asked[path] += 1
        time.sleep(self.slow)
        if path in self.answers:
            return self.answers[path]
        said = {
            "/realm/.well-known/openid-configuration": self._configuration,
            "/token": self._tokens,
            "/jwks": lambda: {"keys": [public("k1")] if self.keys is None else self.keys},
            "/userinfo": lambda: self.userinfo if self.userinfo is not None else {"sub": "rita"},
        }.get(path)
        if said is None:
            return 404, {}, b""
        return 200, {"Content-Type": "application/json"}, json.dumps(said()).encode()

    def _configuration(self) -> dict[str, Any]:
        here = f"http://127.0.0.1:{self.port}"
        return without({
            "issuer": self.issuer,
            "authorization_endpoint": f"{here}/auth",
            "token_endpoint": f"{here}/token",
            "userinfo_endpoint": f"{here}/userinfo",
            "jwks_uri": f"{here}/jwks",
            **self.configuration,
        })  # fmt: skip

    def _tokens(self) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "latchkey", "sub": "rita", "iat": now, "exp": now + 60}
        claims |= {"nonce": self.nonce, **self.id_claims}
        made = (self.sign or token)(without(claims)) if "id_token" not in self.tokens else None
        return without({"access_token": "at", "token_type": "Bearer", "id_token": made, **self.tokens})

    def begun(self, address: str) -> str:
        """Note what the product asks for; return the state."""
        said = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.nonce = said["nonce"]
        return said["state"]


def without(said: dict[str, Any]) -> dict[str, Any]:
    """Return what is said, without what is None."""
    return {name: value for name, value in said.items() if value is not None}


@cache
def private(kind: str) -> Any:
    """Return a private key of the tests: k1 and k2 on an elliptic curve, rsa, and one too small."""
    if kind.startswith("k"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 1024 if kind == "small" else 2048)


def public(kind: str) -> dict[str, Any]:
    """Return the public half as a JWK."""
    family = jwt.algorithms.ECAlgorithm if kind.startswith("k") else jwt.algorithms.RSAAlgorithm
    made: dict[str, Any] = family.to_jwk(private(kind).public_key(), as_dict=True)
    return {**made, "kid": kind, "use": "sig"}


def token(claims: Any, kind: str = "k1", **head: Any) -> str:
    """Return claims as a signed token. They may be anything, so what a library would refuse to sign is signed too."""
    algorithm = head.pop("alg", "ES256" if kind.startswith("k") else "RS256")
    headers = without({"kid": kind, **head})
    body = json.dumps(claims).encode()
    return str(jwt.PyJWS().encode(body, private(kind), algorithm=algorithm, headers=headers))


@contextmanager
def speaking() -> Iterator[Hostile]:
    """Serve until the block is left."""
    hostile = Hostile()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            hostile.last_form = {n: v[0] for n, v in parse_qs(self.rfile.read(length).decode()).items()}
            status, headers, body = hostile.answer(self.path.partition("?")[0])
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *arguments: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hostile.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hostile
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
