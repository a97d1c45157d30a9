"""A sealed box: anybody can close it with the public key, only the holder of the private key can open it.

X25519 with a fresh key pair for every box, HKDF-SHA256, AES-256-GCM. The key of a box is used for that box only, so its
nonce may be constant. The context is authenticated but not stored: a box opened in another context does not open.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
KEY_BYTES = 32
NONCE = bytes(12)
PURPOSE = b"latchkey sealed box 1"


class SealBroken(ValueError):
    """The box was not sealed to this key in this context, or was changed since."""


def new_private_key() -> str:
    """Return a new private key: 32 bytes, hex."""
    return X25519PrivateKey.generate().private_bytes_raw().hex()


def public_key(private_hex: str) -> str:
    """Return the public key that belongs to a private key: 32 bytes, hex."""
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(private_hex)).public_key().public_bytes_raw().hex()


def seal(public_hex: str, plaintext: bytes, context: bytes) -> str:
    """Seal `plaintext` to a public key, bound to `context`; return hex. Raises ValueError for a key that is none."""
    recipient = bytes.fromhex(public_hex)
    once = X25519PrivateKey.generate()
    sender = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(recipient))
    box = AESGCM(_box_key(shared, sender, recipient)).encrypt(NONCE, plaintext, context)
    return (VERSION + sender + box).hex()


def open_sealed(private_hex: str, sealed_hex: str, context: bytes) -> bytes:
    """Return what was sealed. Raises SealBroken for a wrong key, another context or a changed box."""
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(private_hex))
    try:
        sealed = bytes.fromhex(sealed_hex)
    except ValueError as error:
        raise SealBroken("A sealed box is written in hex.") from error
    sender, box = sealed[1 : 1 + KEY_BYTES], sealed[1 + KEY_BYTES :]
    if sealed[:1] != VERSION or len(sender) != KEY_BYTES:
        raise SealBroken("This is no sealed box of a known version.")
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(sender))
        key = _box_key(shared, sender, private.public_key().public_bytes_raw())
        return AESGCM(key).decrypt(NONCE, box, context)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("The box does not open with this key in this context.") from error


def _box_key(shared: bytes, sender: bytes, recipient: bytes) -> bytes:
    """Derive the key of one box; both public keys go in, so that a box belongs to exactly this pair."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=sender + recipient, info=PURPOSE).derive(shared)
