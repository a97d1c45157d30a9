"""Typed readers of the environment. Every setting `X` may also come from the file named in `X_FILE` (for secrets)."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = "LATCHKEY_"
# Every name that somebody asked for: what else begins with the prefix is a mistake, and a system check says so.
asked: set[str] = set()


class BadSetting(SystemExit):
    """A setting without which nothing can start. It ends the process, whichever it is, with one line on stderr.

    A SystemExit and not an Exception, for the settings are read by processes that are not ours (celery, uvicorn) and
    that would print a traceback instead of the sentence.
    """

    def __init__(self, number: str, problem: str, hint: str) -> None:
        super().__init__(f"latchkey.{number}: {problem} {hint}")
        self.number, self.problem, self.hint = number, problem, hint


def is_set(name: str) -> bool:
    """Whether `name` or `<name>_FILE` is in the environment."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def text(name: str, default: str = "") -> str:
    """Return `name` from the environment, or the stripped content of the file in `<name>_FILE`, or `default`.

    Raises BadSetting when both are set or the file cannot be read.
    """
    asked.add(name)
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and path:
        raise BadSetting("E001", f"Both {name} and {name}_FILE are set.", "Unset one of them.")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise BadSetting(
                "E002", f"{name}_FILE names {path}, which cannot be read: {reason}.", "Correct the path or its rights."
            ) from error
    return default if value is None else value


def pairs(name: str) -> list[tuple[str, str]]:
    """Return `name` as comma-separated `key=value`. Raises BadSetting for anything else."""
    found = []
    for one in words(name, ""):
        key, sign, value = (part.strip() for part in one.partition("="))
        if not (key and sign and value):
            raise BadSetting("E003", f"{name} has {one!r}.", "It must be tags like env=production, comma-separated.")
        found.append((key, value))
    return found


def boolean(name: str, default: bool) -> bool:
    """Return `name` as a truth value. Raises BadSetting for anything but true/false, yes/no, on/off, 1/0."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"true", "yes", "on", "1"}:
        return True
    if value in {"false", "no", "off", "0"}:
        return False
    raise BadSetting("E003", f"{name} is {value!r}.", "It must be true or false.")


def integer(name: str, default: int, least: int = 1) -> int:
    """Return `name` as a whole number of at least `least`. Raises BadSetting for anything else."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise BadSetting("E003", f"{name} is {value!r}.", "It must be a whole number.") from None
    if number < least:
        raise BadSetting("E003", f"{name} is {value}.", f"It must be at least {least}.")
    return number


def words(name: str, default: str = "") -> list[str]:
    """Return `name` split at commas, without empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def one_of(name: str, *allowed: str) -> str:
    """Return `name` as one of the allowed words, the first when it is not set. Raises BadSetting for anything else."""
    value = text(name).lower() or allowed[0]
    if value not in allowed:
        raise BadSetting("E003", f"{name} is {value!r}.", f"It must be {', '.join(allowed[:-1])} or {allowed[-1]}.")
    return value
