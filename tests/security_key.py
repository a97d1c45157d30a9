"""A security key in software: it answers as a browser does, so that what the server checks can be got wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core import context
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory
from fido2 import cbor

ORIGIN = "http://localhost"


def text(data: bytes) -> str:
    """Write bytes as WebAuthn's JSON does."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SecurityKey:
    """One key with one credential. Each of its numbers may be changed to make it lie."""

    def __init__(self) -> None:
        """Make its secret."""
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.counter = 0

    def create(self, options: dict[str, Any], origin: str = ORIGIN) -> dict[str, Any]:
        """Return what a browser makes of creation options."""
        public = json.loads(json.dumps(options))["creation_options"]["publicKey"]
        numbers = self.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor.encode(cose)
        data = self._data(public["rp"]["id"], 0x41) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", public["challenge"], origin)
        answer = {"clientDataJSON": text(client), "attestationObject": text(attestation)}
        return self._answer(answer)

    def get(self, options: dict[str, Any], origin: str = ORIGIN) -> dict[str, Any]:
        """Return what a browser makes of request options."""
        public = json.loads(json.dumps(options))["request_options"]["publicKey"]
        self.counter += 1
        data = self._data(public["rpId"], 0x01)
        client = self._client("webauthn.get", public["challenge"], origin)
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        answer = {"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature)}
        return self._answer(answer)

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.counter)

    def _client(self, kind: str, challenge: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": text(self.id),
            "rawId": text(self.id),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }


@contextmanager
def at_the_browser() -> Iterator[HttpRequest]:
    """Be in a request at http://localhost with a session, as allauth's checks of keys want it."""
    request = RequestFactory().get("/", headers={"host": "localhost"})
    request.session = SessionStore()
    with context.request_context(request):
        yield request
