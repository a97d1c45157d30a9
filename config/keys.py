"""The keys of an embedded Latchkey: made once into its data folder, read from there by the settings.

Production sets them in the environment instead. Run with the standard library alone, before any setting is read.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from config.env import BadSetting, is_set

FILE = "keys.env"
DATABASE = "latchkey.sqlite3"
NAMES = ("LATCHKEY_SECRET_KEY", "LATCHKEY_STORE_KEYS", "LATCHKEY_SEALING_KEYS")
# Came later: a file without it is whole, and gets one at the next start.
SIGNING = "LATCHKEY_SIGNING_KEYS"
_HEADER = """\
# Made at the first start of Latchkey. Whoever has these opens every secret in the database beside them, and without
# them nobody does: keep a copy somewhere else, and never show them.
"""


def new() -> dict[str, str]:
    """Return fresh keys. Any 32 random bytes are a key for AES-256, for X25519 and for Ed25519."""
    return {
        "LATCHKEY_SECRET_KEY": secrets.token_urlsafe(64),
        "LATCHKEY_STORE_KEYS": f"k1:{secrets.token_hex(32)}",
        "LATCHKEY_SEALING_KEYS": f"s1:{secrets.token_hex(32)}",
        SIGNING: f"d1:{secrets.token_hex(32)}",
    }


def read(data: Path) -> dict[str, str]:
    """Return the keys kept in the data folder; none before the first start. Raises BadSetting for a damaged file."""
    path = data / FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BadSetting("E006", f"{path} cannot be read: {error.strerror}.", "Correct its rights.") from error
    pairs = [line.partition("=") for line in lines if line.strip() and not line.startswith("#")]
    found = {name: value for name, _, value in pairs}
    if set(found) - {SIGNING} != set(NAMES) or not all(found.values()):
        raise BadSetting("E006", f"{path} is damaged.", f"It must have one line NAME=value for {', '.join(NAMES)}.")
    return found


def ensure(data: Path) -> None:
    """Make keys into the data folder unless there are some, in it or in the environment.

    Never overwrites, and never makes new ones beside a database that was written with others. Raises BadSetting.
    """
    path = data / FILE
    if path.exists():
        _complete(path, read(data))
        return
    if all(is_set(name) for name in NAMES):
        return
    if (data / DATABASE).exists():
        raise BadSetting(
            "E006",
            f"{data} has a database but its {FILE} is gone.",
            "Put the file back: its secrets open with no other.",
        )
    _write(path, _HEADER + "".join(f"{name}={value}\n" for name, value in new().items()))


def _complete(path: Path, found: dict[str, str]) -> None:
    """Add the key that came later to a file that is older than it."""
    if SIGNING not in found:
        draft = path.with_name(f".{path.name}.{os.getpid()}.new")
        _write(draft, path.read_text(encoding="utf-8").rstrip("\n") + f"\n{SIGNING}={new()[SIGNING]}\n")
        draft.replace(path)


def _write(path: Path, content: str) -> None:
    """Write the file whole or not at all, for the owner only; if somebody else made it meanwhile, theirs stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
