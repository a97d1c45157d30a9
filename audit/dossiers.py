"""Dossiers: a record about one thing as a signed file that is checked without the platform.

A file is JSON: `{"dossier": {…}, "signature": {"algorithm", "key", "public_key", "value"}}`. What is signed is the
canonical form of `dossier` (UTF-8, keys sorted, no spaces, no numbers but whole ones) behind a fixed prefix, so a file
may be laid out anew and is the same dossier. The public key in it says which key to look for; it is no reason to
believe it: that is the key which one got from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "Ed25519"
_PREFIX = b"latchkey dossier v1\n"
# Larger ones are not ours.
SIZE_MAX = 32 * 1024 * 1024
DEPTH_MAX = 60


class BadDossier(ValueError):
    """The file is no dossier, or not what was signed; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key: its id and its 32 bytes."""

    id: str
    seed: bytes

    @property
    def public(self) -> str:
        """The public key, hex."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw().hex()


def keys_of(listed: Iterable[str]) -> list[Key]:
    """Return keys from "id:64 hex digits", as settings list them, newest first. Raises ValueError."""
    pairs = [one.partition(":") for one in listed]
    return [Key(name, bytes.fromhex(digits)) for name, _, digits in pairs]


def canonical(dossier: Mapping[str, Any]) -> bytes:
    """Return the form that is signed. Raises ValueError for what no dossier holds: fractions, other types."""
    _check(dossier, 0)
    return json.dumps(dossier, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _check(value: Any, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise ValueError("A dossier is not nested that deep.")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise ValueError("A dossier names everything by text.")
            _check(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth + 1)
    elif value is not None and not isinstance(value, str | bool | int):
        raise ValueError(f"A dossier holds no {type(value).__name__}.")


def sign(dossier: Mapping[str, Any], key: Key) -> str:
    """Return the file. Raises ValueError as `canonical` does."""
    private = Ed25519PrivateKey.from_private_bytes(key.seed)
    signature = {
        "algorithm": ALGORITHM,
        "key": key.id,
        "public_key": key.public,
        "value": private.sign(_PREFIX + canonical(dossier)).hex(),
    }
    return json.dumps({"dossier": dossier, "signature": signature}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return dossier and signature of a file, unchecked. Raises BadDossier."""
    if len(text) > SIZE_MAX:
        raise BadDossier("The file is too large to be a dossier.")
    try:
        file = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_no_fraction)
    except RecursionError:
        raise BadDossier("The file is nested too deep to be a dossier.") from None
    except json.JSONDecodeError as error:
        raise BadDossier(f"The file is no JSON: {error.msg} in line {error.lineno}. Was it cut off?") from None
    if not isinstance(file, dict) or set(file) != {"dossier", "signature"}:
        raise BadDossier("The file is no dossier: it has not exactly the parts “dossier” and “signature”.")
    dossier, signature = file["dossier"], file["signature"]
    wanted = {"algorithm", "key", "public_key", "value"}
    if not isinstance(dossier, dict) or not isinstance(signature, dict) or set(signature) != wanted:
        raise BadDossier("The file is no dossier: its signature is not as it should be.")
    if not all(isinstance(one, str) for one in signature.values()) or signature["algorithm"] != ALGORITHM:
        raise BadDossier(f"The file is not signed by {ALGORITHM}.")
    return dossier, signature


def verify(text: str, trusted: Iterable[str]) -> dict[str, Any]:
    """Return the dossier of a file that one of the trusted public keys (hex) signed. Raises BadDossier."""
    dossier, signature = read(text)
    known = {one.strip().lower() for one in trusted}
    if signature["public_key"].lower() not in known:
        raise BadDossier(
            f"It is signed with the key {signature['key']} ({signature['public_key']}), which is none that you trust."
        )
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["public_key"]))
        public.verify(bytes.fromhex(signature["value"]), _PREFIX + canonical(dossier))
    except (InvalidSignature, ValueError):
        raise BadDossier("It is not what was signed: something in it was changed.") from None
    return dossier


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadDossier("Something in it is said twice, so that two readers could read two things.")
    return found


def _no_constant(word: str) -> Any:
    raise BadDossier(f"It holds {word}, which no dossier does.")


def _no_fraction(word: str) -> Any:
    raise BadDossier(f"It holds the fraction {word}, which no dossier does.")
