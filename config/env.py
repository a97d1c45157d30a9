"""Typed readers of the environment. Every setting `X` may also come from the file named in `X_FILE` (for secrets)."""

from __future__ import annotations

import os
from pathlib import Path


class BadSetting(Exception):
    """A setting that cannot be read; the message is one sentence for a person."""


def text(name: str, default: str = "") -> str:
    """Return `name` from the environment, or the stripped content of the file in `<name>_FILE`, or `default`.

    Raises BadSetting when both are set or the file cannot be read.
    """
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and path:
        raise BadSetting(f"Both {name} and {name}_FILE are set: unset one of them.")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE names {path}, which cannot be read: {error.strerror}.") from error
    return default if value is None else value


def boolean(name: str, default: bool) -> bool:
    """Return `name` as a truth value. Raises BadSetting for anything but true/false, yes/no, on/off, 1/0."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"true", "yes", "on", "1"}:
        return True
    if value in {"false", "no", "off", "0"}:
        return False
    raise BadSetting(f"{name} must be true or false, not {value!r}.")


def integer(name: str, default: int) -> int:
    """Return `name` as a whole number. Raises BadSetting for anything else."""
    value = text(name)
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise BadSetting(f"{name} must be a whole number, not {value!r}.") from None


def words(name: str, default: str = "") -> list[str]:
    """Return `name` split at commas, without empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]
