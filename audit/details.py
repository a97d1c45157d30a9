"""What an entry may carry: plain JSON, and nothing that smells of a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_SMELLS = frozenset(
    {
        *("authorization", "cookie", "cookies", "credential", "credentials", "otp", "passcode", "passphrase"),
        *("passwd", "password", "passwords", "pin", "pwd", "secret", "secrets", "token", "tokens", "totp", "verifier"),
    }
)
_SMELLING_PAIRS = ("api key", "access key", "private key", "secret key", "signing key", "session key", "apikey")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


class BadDetails(ValueError):
    """Details that must not be written: not JSON, or under a name that smells of a secret."""


def checked(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plain copy of `details`, fit for both databases. Raises BadDetails.

    Nothing is converted for the caller: what is not JSON (a date, a UUID, a connector's Secret) is refused.
    """
    _refuse_smells(details, "details")
    try:
        text = json.dumps(dict(details), allow_nan=False, ensure_ascii=True)
    except (TypeError, ValueError) as error:
        raise BadDetails(f"Audit details must be plain JSON: {error}.") from error
    copy: dict[str, Any] = _clean(json.loads(text))
    return copy


def clean_text(value: str) -> str:
    """Return `value` without what PostgreSQL cannot store (NUL, half a surrogate pair): no entry fails for it."""
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _refuse_smells(value: Any, where: str) -> None:
    """Raise BadDetails for a mapping key, at any depth, that names a secret."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise BadDetails(f"Audit details need text as keys; {where} has {type(key).__name__}.")
            if _smells(key):
                raise BadDetails(f"Audit details must not carry secrets; {where} has the key {key!r}.")
            _refuse_smells(inner, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_smells(inner, where)


def _smells(key: str) -> bool:
    """Whether a key, in snake_case, camelCase or kebab-case, names a secret."""
    found = [word.lower() for word in _WORD.findall(key)]
    joined = " ".join(found)
    return any(word in _SMELLS for word in found) or any(pair in joined for pair in _SMELLING_PAIRS)


def _clean(value: Any) -> Any:
    """Return `value` with clean_text applied to every text in it."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return value
