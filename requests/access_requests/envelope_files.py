"""An envelope as a file, locked with a passphrase: scrypt makes the key, AES-256-GCM locks. Opened without a database.

The file is JSON. Everything but `locked` is readable and authenticated with it: whoever changes a word of it, the
parameters of scrypt among them, makes it a file that does not open.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

FORMAT = 1
PASSPHRASE_MIN = 14
# 128 MB and about half a second for one guess; a file that asks for more than four times that is none of ours.
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**17, 8, 1
SCRYPT_N_MAX = 2**19


class CannotOpen(ValueError):
    """A file that does not open; the message says what to look at."""


def lock(content: dict[str, Any], head: dict[str, str], passphrase: str) -> str:
    """Return the text of a file that holds `content`; `head` stays readable. Raises ValueError for a short one."""
    if len(passphrase) < PASSPHRASE_MIN:
        raise ValueError(f"A passphrase has at least {PASSPHRASE_MIN} characters: five words will do.")
    salt, nonce = os.urandom(16), os.urandom(12)
    told: dict[str, Any] = {
        "latchkey_envelope": FORMAT,
        **head,
        "key": {"by": "scrypt", "n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P, "salt": _text(salt)},
        "cipher": {"by": "AES-256-GCM", "nonce": _text(nonce)},
    }
    key = _key(passphrase, salt, SCRYPT_N)
    locked = AESGCM(key).encrypt(nonce, json.dumps(content).encode(), _bound(told))
    return json.dumps(told | {"locked": _text(locked)}, indent=1) + "\n"


def unlock(text: str, passphrase: str) -> dict[str, Any]:
    """Return what `lock` was given. Raises CannotOpen."""
    try:
        told = json.loads(text)
        locked = base64.b64decode(told.pop("locked"), validate=True)
        salt = base64.b64decode(told["key"]["salt"], validate=True)
        nonce = base64.b64decode(told["cipher"]["nonce"], validate=True)
        known = told["latchkey_envelope"] == FORMAT
        n, rest = told["key"]["n"], (told["key"]["r"], told["key"]["p"])
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise CannotOpen("This is no envelope's file, or it is not whole.") from error
    if not known:
        raise CannotOpen("This file was made by a newer Latchkey: open it with that.")
    if not isinstance(n, int) or not 2 <= n <= SCRYPT_N_MAX or n & (n - 1) or rest != (SCRYPT_R, SCRYPT_P):
        raise CannotOpen("This is no envelope's file: its key would be made in a way that Latchkey never does.")
    try:
        opened = AESGCM(_key(passphrase, salt, n)).decrypt(nonce, locked, _bound(told))
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("It does not open: another passphrase, or the file was changed.") from error
    found: dict[str, Any] = json.loads(opened)
    return found


def words_of(found: dict[str, Any]) -> list[str]:
    """Return what was in a file as lines to read: what it opens, how to connect, the secret last but one."""
    lines = [f"{found.get('envelope', '')}: {found.get('what', '')}", f"For: {found.get('for', '')}"]
    lines += [f"{label}: {value}" for label, value in found.get("connect", {}).items()]
    lines += [f"Command: {found['command']}"] if found.get("command") else []
    lines += [f"{name}: {value}" for name, value in found.get("secret", {}).items()]
    return [*lines, str(found.get("afterwards", ""))]


def _key(passphrase: str, salt: bytes, n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase.encode())


def _bound(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
