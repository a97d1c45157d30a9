"""The secrets that second factors rest on, kept as ciphertext under the keys of the built-in store.

Written as "key id:nonce:ciphertext" in hex, with AES-256-GCM; the newest key of LATCHKEY_STORE_KEYS seals, all open.
"""

from __future__ import annotations

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE = 12
# A ciphertext of ours opens as nothing else of ours.
_ABOUT = b"accounts: second factor"


class Unreadable(ValueError):
    """No key opens it; the message names the key it was sealed with."""


def _ring() -> dict[str, bytes]:
    """Return the keys by their ids, newest first. Raises ValueError when there is none."""
    keys = [bytes.fromhex(one.rpartition(":")[2].strip()) for one in settings.STORE_KEYS]
    if not keys:
        raise ValueError("LATCHKEY_STORE_KEYS is not set.")
    return {hashlib.sha256(key).hexdigest()[:16]: key for key in keys}


def seal(text: str) -> str:
    """Return `text` as ciphertext, under the newest key."""
    key_id, key = next(iter(_ring().items()))
    nonce = secrets.token_bytes(_NONCE)
    return f"{key_id}:{nonce.hex()}:{AESGCM(key).encrypt(nonce, text.encode(), _ABOUT).hex()}"


def unseal(sealed: str) -> str:
    """Return what was sealed. Raises Unreadable."""
    key_id, _, rest = sealed.partition(":")
    nonce, _, ciphertext = rest.partition(":")
    key = _ring().get(key_id)
    if key is None:
        raise Unreadable(f"It was encrypted with the key {key_id[:16]}, which is not in LATCHKEY_STORE_KEYS.")
    try:
        return AESGCM(key).decrypt(bytes.fromhex(nonce), bytes.fromhex(ciphertext), _ABOUT).decode()
    except (InvalidTag, ValueError) as error:
        raise Unreadable(f"The key {key_id} does not open it.") from error


def is_newest(sealed: str) -> bool:
    """Whether it lies under the newest key."""
    return sealed.partition(":")[0] == next(iter(_ring()))
