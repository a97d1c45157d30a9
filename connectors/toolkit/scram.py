"""Passwords for logins, and the SCRAM-SHA-256 verifier that a server may know instead of the password (RFC 5802, 7677).

A server that is sent the verifier never sees the password, and neither does its log.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import string

# PostgreSQL's own default (scram_iterations); a generated password of 190 bits needs no stretching beyond it.
ITERATIONS = 4096
SALT_BYTES = 16
PASSWORD_LENGTH = 32
# No quotes, slashes or signs: the password survives URLs, shells and double-click selection.
ALPHABET = string.ascii_letters + string.digits


def new_password() -> str:
    """Return a random password of 32 ASCII letters and digits (190 bits)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(PASSWORD_LENGTH))


def verifier(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """Return the verifier in PostgreSQL's spelling: SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey.

    The password must be printable ASCII, which SASLprep leaves as it is. Raises ValueError else.
    """
    if not password.isascii() or not password.isprintable():
        raise ValueError("Only printable ASCII passwords are supported.")
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def _text(data: bytes) -> str:
    """Return base64 as text."""
    return base64.b64encode(data).decode()
