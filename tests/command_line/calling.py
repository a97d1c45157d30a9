"""Somebody's terminal: a home folder of their own, and the command in this process or as one of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from accounts.actions import issue_token
from accounts.models import User
from audit.actor import person
from audit.choices import Source
from latchkey_cli.command import app
from tests.architecture.source import ROOT

RUNNER = CliRunner()
COMMAND = [sys.executable, "-m", "latchkey_cli"]


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What stdout says as JSON."""
        return json.loads(self.out)


@dataclass
class Terminal:
    """Somebody's terminal. `env` is what their shell has set."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What the command sees: nothing of whoever runs the tests."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        own = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "PYTHONPATH": str(ROOT)}
        return {**kept, **own, "TMPDIR": str(self.home), "TZ": "UTC", **self.env}

    @property
    def kept(self) -> Path:
        """The file of profiles."""
        return self.home / "config" / "latchkey" / "profiles.json"

    def profile(self, name: str = "default") -> dict[str, Any]:
        """Return one profile as it is kept."""
        found: dict[str, Any] = json.loads(self.kept.read_text())["profiles"][name]
        return found

    def change(self, **change: Any) -> None:
        """Change the default profile's file by hand."""
        told = json.loads(self.kept.read_text())
        told["profiles"]["default"] |= change
        self.kept.write_text(json.dumps(told))

    def try_(self, *words: str, typed: str = "") -> Said:
        """Run the command in this process, and return how it ended."""
        hidden: Mapping[str, str | None] = {name: None for name in os.environ if name not in {"PATH", "LANG"}}
        found = RUNNER.invoke(app, list(words), input=typed, env={**hidden, **self.environment}, prog_name="latchkey")
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Said(found.exit_code, found.stdout, found.stderr)

    def run(self, *words: str, typed: str = "") -> Said:
        """Run it, and hold that it ends well."""
        said = self.try_(*words, typed=typed)
        assert said.code == 0, said
        return said

    def data(self, *words: str) -> Any:
        """Return what it prints as JSON."""
        return self.run(*words, "--output", "json").data

    def begin(self, *words: str, typed: bool = False) -> subprocess.Popen[str]:
        """Begin it as a process of its own."""
        feed = subprocess.PIPE if typed else subprocess.DEVNULL
        return subprocess.Popen(
            [*COMMAND, *words],
            env=self.environment,
            stdin=feed,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
        )


def ended(process: subprocess.Popen[str], typed: str | None = None) -> Said:
    """Wait until a process ends, and return how."""
    out, err = process.communicate(typed, timeout=60)
    return Said(process.returncode, out, err)


def signed_in(user: User, url: str, home: Path) -> Terminal:
    """Return somebody's terminal with a personal token in its environment, as in CI."""
    home.mkdir()
    _, text = issue_token(user, "ci", scopes=None, actor=person(user, Source.PORTAL))
    return Terminal(home, {"LATCHKEY_URL": url, "LATCHKEY_TOKEN": text})


def plain(text: str) -> str:
    """Return a text in one line."""
    return re.sub(r"\s+", " ", text)
