"""The built-in secret store, its cryptography: AES-256-GCM, each value bound to the row and field it was written for.

Where the rows are kept is the business of whoever calls. A key ring is newest first: the first key encrypts, all
decrypt.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class SecretUnreadable(ValueError):
    """A stored secret does not open: its key is not in the ring, or it was moved or changed."""


class Encrypted(NamedTuple):
    """A secret at rest."""

    key_id: str
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a ring. The id is derived from the key and says nothing about it."""

    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError for a key of the wrong length."""
        if len(self.value) != KEY_BYTES:
            raise ValueError(f"A key of the built-in store is {KEY_BYTES} bytes, 64 hex digits.")

    @property
    def id(self) -> str:
        """Return the name under which ciphertexts remember this key."""
        return hashlib.sha256(b"latchkey key id" + self.value).hexdigest()[:16]


def new_key() -> str:
    """Return a new key as hex."""
    return secrets.token_hex(KEY_BYTES)


def key_ring(keys: Iterable[str]) -> tuple[Key, ...]:
    """Return the ring of these keys (hex, newest first). Raises ValueError when one is none or there is none."""
    ring = tuple(Key(bytes.fromhex(key.strip())) for key in keys)
    if not ring:
        raise ValueError("The built-in store needs at least one key.")
    return ring


def encrypt(keys: Sequence[Key], plaintext: str, row: str, field: str) -> Encrypted:
    """Encrypt with the newest key, for this row and field only."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = AESGCM(keys[0].value).encrypt(nonce, plaintext.encode(), _place(row, field))
    return Encrypted(keys[0].id, nonce, ciphertext)


def decrypt(keys: Sequence[Key], encrypted: Encrypted, row: str, field: str) -> str:
    """Return the plaintext. Raises SecretUnreadable for an unknown key and for a value moved or changed."""
    key = next((key for key in keys if key.id == encrypted.key_id), None)
    if key is None:
        raise SecretUnreadable(f"The key {encrypted.key_id} is not in the ring.")
    try:
        return AESGCM(key.value).decrypt(encrypted.nonce, encrypted.ciphertext, _place(row, field)).decode()
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadable("The value was changed, or written for another row or field.") from error


def needs_rotation(keys: Sequence[Key], key_id: str) -> bool:
    """Say whether a value encrypted with `key_id` should be encrypted again with the newest key."""
    return keys[0].id != key_id


def _place(row: str, field: str) -> bytes:
    """Return the place a value is bound to; JSON keeps ("a", "bc") apart from ("ab", "c")."""
    return json.dumps([row, field]).encode()
