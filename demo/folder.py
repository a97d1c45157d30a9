"""The folder of a demo: refused unless it is new or a demo's own, and never shared with real data.

A file in it says that it is a demo, and how far its making came. Read before the settings are, so with the standard
library alone; everything that can be wrong is told in one sentence (BadSetting).
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from config import keys, start
from config.env import BadSetting, is_set

DEFAULT = Path(__file__).resolve().parent.parent / "data-demo"
MARKER = "demo.json"
# The first entry of a demo's audit trail: nothing else begins with it.
FIRST_ACTION = "demo.begun"
# Set by whoever runs Latchkey for others; a demo is for whoever sits at this machine.
NOT_FOR_DEMOS = ("LATCHKEY_DATABASE_URL", "LATCHKEY_REDIS_URL", "LATCHKEY_EMAIL_HOST")
_ELSEWHERE = "Leave --data out, and the demo lives in data-demo beside the code; or name an empty folder."


@dataclass(frozen=True, slots=True)
class Note:
    """What the marker says. `ready`: the history is complete. `port` and `home` are those of the real target."""

    ready: bool = False
    port: int = 0
    home: str = ""


def read(folder: Path) -> Note | None:
    """Return what the marker says; None where there is none. Raises BadSetting for a damaged one."""
    path = folder / MARKER
    try:
        return Note(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        raise BadSetting(
            "E090", f"{path} is damaged.", "Delete the folder, if it was a demo's; it is made anew."
        ) from error


def write(folder: Path, note: Note) -> None:
    """Keep the marker, whole or not at all."""
    draft = folder / f".{MARKER}.{os.getpid()}"
    draft.write_text(json.dumps(asdict(note)), encoding="utf-8")
    draft.replace(folder / MARKER)


def prepare(arguments: list[str]) -> None:
    """Take folder, keys and port for `up`, as config.start does, after refusing what a demo must not be given."""
    parser = argparse.ArgumentParser(add_help=False)
    start.add_arguments(parser)
    options, _ = parser.parse_known_args(arguments)
    refuse_strangers(options.host)
    folder = (Path(os.environ.get("LATCHKEY_HERE", "")) / (options.data or os.environ["LATCHKEY_DATA"])).absolute()
    refuse_real_data(folder)
    start.prepare(arguments)
    if start.prepared is not None:
        note = read(folder) or Note()
        if not note.ready and (folder / keys.DATABASE).exists():
            sys.stdout.write("The demo was not finished; it is made anew.\n")
            begin_again(folder)
        write(folder, note if note.ready else replace(note, port=0))


def refuse_strangers(host: str) -> None:
    """Raise BadSetting for an address, or a setting, by which others than this machine's people could come in."""
    if not is_loopback(host):
        raise BadSetting(
            "E091",
            f"A demo listens on this machine only, not on {host}: whoever reaches it is signed in by one button.",
            "Leave --host out.",
        )
    for name in NOT_FOR_DEMOS:
        if is_set(name):
            raise BadSetting(
                "E092",
                f"{name} is set, and a demo uses nothing of yours: it has a database of its own and sends no mail.",
                f"Unset {name} for the demo.",
            )


def is_loopback(host: str) -> bool:
    """Whether this is an address of the machine itself, as people write it in an address bar or after --host."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def refuse_real_data(folder: Path) -> None:
    """Raise BadSetting when the folder holds data that no demo made."""
    database, note = folder / keys.DATABASE, read(folder)
    if note is None and (database.exists() or (folder / keys.FILE).exists()):
        raise BadSetting("E093", f"{folder} has real data in it, and a demo never mixes with that.", _ELSEWHERE)
    if database.exists() and first_action(database) not in {"", FIRST_ACTION}:
        raise BadSetting("E093", f"{folder} calls itself a demo, but its database was not made by one.", _ELSEWHERE)


def first_action(database: Path) -> str:
    """Return the action of the oldest audit entry; nothing when there is none yet. Raises BadSetting if unreadable."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit_auditentry'").fetchone():
                return ""
            row = connection.execute("SELECT action FROM audit_auditentry ORDER BY id LIMIT 1").fetchone()
    except sqlite3.Error as error:
        raise BadSetting("E093", f"{database} cannot be read: {error}.", _ELSEWHERE) from error
    return str(row[0]) if row else ""


def begin_again(folder: Path) -> None:
    """Remove the database of an unfinished making: `refuse_real_data` has seen that it is a demo's."""
    for path in folder.glob(f"{keys.DATABASE}*"):
        path.unlink()
