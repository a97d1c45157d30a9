"""What MySQL and MariaDB may know instead of a password: a server that is sent this never sees the password.

Neither does its log, its replication log, nor whoever listens on the way.
"""

from __future__ import annotations

import hashlib
import secrets
import string

# MySQL's own: caching_sha2_password with 5000 rounds and a salt of 20 characters.
ROUNDS = 5000
SALT_LENGTH = 20
SALT_ALPHABET = string.ascii_letters + string.digits
DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# The order in which SHA-crypt writes the bytes of its digest, three at a time.
TRIPLES = ((0, 10, 20), (21, 1, 11), (12, 22, 2), (3, 13, 23), (24, 4, 14), (15, 25, 5), (6, 16, 26), (27, 7, 17),
           (18, 28, 8), (9, 19, 29))  # fmt: skip


def native(password: str) -> str:
    """Return what mysql_native_password stores: * and the hex of SHA-1 of SHA-1.

    Without a salt: only for passwords that were made at random.
    """
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def caching_sha2(password: str, *, salt: str = "") -> str:
    """Return what caching_sha2_password stores: $A$005$, the salt, and SHA-crypt (SHA-256) of the password."""
    salt = salt or "".join(secrets.choice(SALT_ALPHABET) for _ in range(SALT_LENGTH))
    return f"$A${ROUNDS // 1000:03X}${salt}{sha256_crypt(password.encode(), salt.encode())}"


def sha256_crypt(password: bytes, salt: bytes, rounds: int = ROUNDS) -> str:
    """Return the digest part of SHA-crypt with SHA-256 (https://www.akkadia.org/drepper/SHA-crypt.txt)."""
    inner = hashlib.sha256(password + salt + password).digest()
    outer = hashlib.sha256(password + salt + _stretched(inner, len(password)))
    bits = len(password)
    while bits:
        outer.update(inner if bits & 1 else password)
        bits >>= 1
    digest = outer.digest()
    secret = _stretched(hashlib.sha256(password * len(password)).digest(), len(password))
    spice = _stretched(hashlib.sha256(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(rounds):
        odd = number % 2
        mixed = secret if odd else digest
        mixed += spice if number % 3 else b""
        mixed += secret if number % 7 else b""
        digest = hashlib.sha256(mixed + (digest if odd else secret)).digest()
    groups = [_digits(digest[a] << 16 | digest[b] << 8 | digest[c], 4) for a, b, c in TRIPLES]
    return "".join(groups) + _digits(digest[31] << 8 | digest[30], 3)


def _stretched(data: bytes, length: int) -> bytes:
    """Return `data`, repeated to so many bytes."""
    return (data * (length // len(data) + 1))[:length]


def _digits(number: int, count: int) -> str:
    """Return a number in SHA-crypt's base 64, lowest digit first."""
    return "".join(DIGITS[number >> 6 * place & 63] for place in range(count))
