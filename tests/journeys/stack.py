"""The whole stack as a process of its own, to be killed at any moment and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from tests import databases
from tests.platform.processes import ROOT, Up, environment
from tests.servers import free_port

KEYS = ("LATCHKEY_SECRET_KEY", "LATCHKEY_STORE_KEYS", "LATCHKEY_SEALING_KEYS", "LATCHKEY_SIGNING_KEYS")
# Short, so that work of a killed process is taken over within a test's patience.
LEASE_SECONDS = 6


@dataclass
class Stack:
    """`manage.py up` on the test's own database. The test reads and writes the same database beside it."""

    folder: Path
    port: int = field(default_factory=free_port)
    starts: int = 0
    up: Up | None = None
    # Further settings.
    more: dict[str, str] = field(default_factory=dict)

    def move_in(self) -> None:
        """Put the test's SQLite database where the stack will look for it; PostgreSQL is reached by its address."""
        if databases.is_postgresql():
            return
        connection.close()
        place = self.folder / "latchkey.sqlite3"
        shutil.move(connection.settings_dict["NAME"], place)
        databases.point_at(str(place))

    def start(self) -> None:
        """Start it; returns at once."""
        self.starts += 1
        output = self.folder / f"output-{self.starts}"
        settings = {name: os.environ[name] for name in KEYS} | {
            "LATCHKEY_EMBEDDED": "true",
            "LATCHKEY_LEASE_SECONDS": str(LEASE_SECONDS),
            # A lease outlasts three beats.
            "LATCHKEY_HEARTBEAT_SECONDS": "1",
        }
        settings |= self.more
        if databases.is_postgresql():
            settings["LATCHKEY_DATABASE_URL"] = databases.current_url()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--data", str(self.folder), "--port", str(self.port)],
            cwd=ROOT,
            env=environment(**settings),
            stdout=output.open("w"),
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.up = Up(process, self.port, self.folder, output)

    def wait_until_ready(self) -> None:
        """Wait until it serves."""
        assert self.up is not None
        self.up.wait_for("Latchkey is ready")

    def kill(self) -> None:
        """SIGKILL everything it is."""
        assert self.up is not None
        os.killpg(self.up.process.pid, signal.SIGKILL)
        self.up.process.wait()

    def stop(self) -> None:
        """Stop it cleanly, if it runs."""
        if self.up is not None and self.up.process.poll() is None:
            self.up.process.send_signal(signal.SIGTERM)
            self.up.process.wait(60)

    def said(self) -> str:
        """Return what all starts printed."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("output-*")))


def wait_for(what: str, condition, seconds: float = 300) -> None:
    """Wait until the condition holds; fail with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.2)
