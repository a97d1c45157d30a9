"""Starts Latchkey's processes for tests, as an operator would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of a machine where nothing of Latchkey is set but `settings`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LATCHKEY_", "DJANGO_"))}
    return kept | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'requests'}"} | settings


def probe(**settings: str) -> dict[str, str]:
    """Return the same, with the probe app in it."""
    return environment(DJANGO_SETTINGS_MODULE="tests.platform.probe.settings", **settings)


def manage(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip


@dataclass
class Up:
    """A running `manage.py up`."""

    process: subprocess.Popen[str]
    port: int
    data: Path
    output: Path

    def get(self, path: str, timeout: float = 120) -> tuple[int, str]:
        """Return status and body of a page."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def said(self) -> str:
        """Return all it printed so far."""
        return self.output.read_text()

    def wait_for(self, text: str, seconds: float = 600) -> None:
        """Wait until it printed `text`; fail with all it printed when it ends before or does not."""
        deadline = time.monotonic() + seconds
        while text not in self.said():
            assert self.process.poll() is None, f"ended: {self.said()}"
            assert time.monotonic() < deadline, f"{text!r} did not come: {self.said()}"
            time.sleep(0.02)

    def wait_until_ready(self, seconds: float = 600) -> None:
        """Wait until /readyz says yes."""
        deadline = time.monotonic() + seconds
        while (answer := self.get("/readyz"))[0] != 200:
            assert time.monotonic() < deadline, f"{answer}: {self.said()}"
            time.sleep(0.05)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Send the signal and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(600)


@contextmanager
def up(data: Path, *arguments: str, env: dict[str, str] | None = None) -> Iterator[Up]:
    """Start `manage.py up` on a folder and a free port and wait until it says it is ready; stop it at the end."""
    port, output = free_port(), data.parent / f"{data.name}.{time.monotonic_ns()}.log"
    command = [sys.executable, "manage.py", "up", "--port", str(port), "--data", str(data), *arguments]
    with output.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=env or probe(), stdout=file, stderr=file, text=True)
    running = Up(process, port, data, output)
    try:
        running.wait_for("Its data is in")
        yield running
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
