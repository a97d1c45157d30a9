"""A provider in the test's own process that says anything, for what the certified one cannot be made to say.

Its ID tokens are not signed: taken straight from the provider, the signature is not what they are trusted for.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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
        claims = {"iss": self.issuer, "aud": "latchkey", "sub": "rita", "iat": now, "exp": now + 60, **self.id_claims}
        return without(
            {"access_token": "at", "token_type": "Bearer", "id_token": token(without(claims)), **self.tokens}
        )


def without(said: dict[str, Any]) -> dict[str, Any]:
    """Return what is said, without what is None."""
    return {name: value for name, value in said.items() if value is not None}


def token(claims: Any) -> str:
    """Return claims as a token."""
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "RS256"}, claims)
    )
    return f"{head}.{body}.c2lnbmF0dXJl"


@contextmanager
def speaking() -> Iterator[Hostile]:
    """Serve until the block is left."""
    hostile = Hostile()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
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
