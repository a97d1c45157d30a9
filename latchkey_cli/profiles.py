"""Where sign-ins are kept: one file that only its owner can read, with a lock that several processes heed."""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from latchkey_cli.problems import Problem, Usage

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", re.ASCII)
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1", re.ASCII)
DEFAULT = "default"
BROWSER, TOKEN = "browser", "token"


@dataclass
class Profile:
    """One sign-in at one server. `kind` BROWSER has a refresh token; it is empty while one is being used."""

    url: str
    kind: str = TOKEN
    access: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)
    expires_at: float = 0.0
    who: str = ""


@dataclass
class Profiles:
    """All sign-ins, and which of them is used where none is named."""

    current: str = DEFAULT
    named: dict[str, Profile] = field(default_factory=dict)


def folder() -> Path:
    """Return the folder of our configuration."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "latchkey"


def checked_name(name: str) -> str:
    """Return the name of a profile. Raises Usage for one that cannot be told at a glance."""
    if not _NAME.fullmatch(name):
        raise Usage("A profile is named with letters, digits, dots and dashes, sixty at most.")
    return name


def address(text: str) -> str:
    """Return the address of a server, without a slash at its end.

    Raises Usage for one to which no token may go: in clear over a network, or with something in it that is no place.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
        parts = urlsplit("")
    if parts.scheme not in {"https", "http"} or not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise Usage("The address of the server is written like https://latchkey.example.com.")
    if parts.scheme == "http" and not _LOOPBACK.fullmatch(host):
        raise Usage(f"No token is sent to {host} in clear: use https://.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


class Store:
    """The file of profiles."""

    def __init__(self, place: Path | None = None) -> None:
        """Use a folder, the configuration's own by default."""
        self.folder = place or folder()
        self.file, self.lock = self.folder / "profiles.json", self.folder / "lock"

    def load(self) -> Profiles:
        """Return what is kept. Raises Problem for a file that others could read, or that is none of ours."""
        try:
            with self.file.open("rb") as opened:
                mode = os.fstat(opened.fileno())
                if mode.st_uid != os.getuid() or stat.S_IMODE(mode.st_mode) & 0o077:
                    raise Problem(
                        f"{self.file} can be read by others, and it holds tokens.", then=f"chmod 600 {self.file}"
                    )
                told = json.loads(opened.read())
        except FileNotFoundError:
            return Profiles()
        except (OSError, ValueError, RecursionError) as wrong:
            raise Problem(f"{self.file} cannot be read.", then="Move it away and sign in again.") from wrong
        return _profiles(told, self.file)

    def save(self, profiles: Profiles) -> None:
        """Write all of it, so that a crash leaves either the old file or the new one."""
        self._make()
        number, name = tempfile.mkstemp(prefix=".profiles-", dir=self.folder)
        try:
            with os.fdopen(number, "w") as opened:
                told = {"current": profiles.current, "profiles": {n: asdict(p) for n, p in profiles.named.items()}}
                json.dump(told, opened, indent=1)
                opened.flush()
                os.fsync(opened.fileno())
            Path(name).replace(self.file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextmanager
    def locked(self) -> Iterator[Profiles]:
        """Hold the lock, and yield what is kept as it is now."""
        self._make()
        number = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            yield self.load()
        finally:
            os.close(number)

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _profiles(told: Any, file: Path) -> Profiles:
    """Return what the file says. Raises Problem."""
    try:
        known = set(Profile.__dataclass_fields__)
        named = {
            str(name): Profile(**{key: value for key, value in one.items() if key in known})
            for name, one in told["profiles"].items()
        }
        return Profiles(str(told["current"]), named)
    except (KeyError, TypeError, AttributeError) as wrong:
        raise Problem(f"{file} is not as this version writes it.", then="Move it away and sign in again.") from wrong
