"""The scripts a person types."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.platform.processes import ROOT, environment
from tests.servers import free_port

SHIPPED = ("config", "accounts", "audit", "connectors", "flows", "integrations", "requests", "script", "requirements",
           "templates", "static", "manage.py", "pyproject.toml", "README.md")  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the code in which nothing is installed."""
    folder = tmp_path / "latchkey"
    folder.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def tools(folder: Path, **programs: str) -> str:
    """Return a PATH with the system's plain tools, no uv and no Python but those given as scripts."""
    folder.mkdir()
    for name in ("bash", "cat", "sha256sum", "cut", "dirname", "rm", "mkdir", "pwd"):
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    for name, script in programs.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return str(folder)


def run(checkout: Path, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run script/up to its end."""
    return subprocess.run(
        [str(checkout / "script" / "up"), *arguments],
        cwd=checkout.parent,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_an_old_python_is_told_in_one_sentence(checkout: Path, tmp_path: Path) -> None:
    old = '#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n'
    ended = run(checkout, env=environment(PATH=tools(tmp_path / "bin", python3=old)))
    assert ended.returncode != 0
    assert ended.stderr == (
        "Latchkey needs Python 3.11 or newer; found Python 3.9.2. Install it, or set LATCHKEY_PYTHON.\n"
    )


def test_no_network_at_install_is_told_in_one_sentence(checkout: Path, tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/simple"
    env = environment(
        PATH=tools(tmp_path / "bin"),
        LATCHKEY_PYTHON=os.path.realpath(sys.executable),
        PIP_INDEX_URL=nowhere,
        PIP_NO_CACHE_DIR="1",
        PIP_FIND_LINKS="",
    )
    ended, log = run(checkout, env=env), checkout / ".venv-base" / "install.log"
    assert ended.returncode != 0
    assert ended.stderr.splitlines() == [
        "Installing the locked requirements (base) …",
        f"Could not install the requirements: is there a network? The details are in {log}.",
    ]
    assert not (checkout / ".venv-base" / ".stamp").exists()


@pytest.mark.full
def test_a_fresh_machine_needs_only_python_and_a_network_once(checkout: Path, tmp_path: Path) -> None:
    """Runs script/up twice on a copy: the second start must be ready in less than five seconds."""
    port, seconds = free_port(), []
    command = [str(checkout / "script" / "up"), "--port", str(port), "--data", "mine"]
    for start in ("first", "second"):
        began = time.monotonic()
        with (tmp_path / f"{start}.log").open("w") as output:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=output, stderr=output)
        seconds.append(_ready(process, port, tmp_path / f"{start}.log") - began)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert (tmp_path / "mine" / "keys.env").exists()
    assert re.search(r"/sign-in/\S+/", (tmp_path / "first.log").read_text())
    assert seconds[1] < 5


def _ready(process: subprocess.Popen[bytes], port: int, log: Path) -> float:
    """Wait until the server answers and return when."""
    while True:
        if process.poll() is not None:
            if "is there a network?" in log.read_text():
                pytest.skip("There is no network to install from.")
            pytest.fail(log.read_text())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=300):
                return time.monotonic()
        except OSError:
            time.sleep(0.05)


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*")), ids=lambda path: path.name)
def test_requirement_files_name_no_host(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host)\b", text, re.M)


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes(path: Path) -> None:
    entries = re.split(r"\n(?=\S)", path.read_text().strip())
    assert len(entries) > 3
    for entry in entries:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_ci_runs_check_and_test() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if line.startswith("script/")] == ["script/check", "script/test"]


@pytest.mark.parametrize("path", sorted(p for p in (ROOT / "script").iterdir() if p.is_file() and not p.suffix))
def test_scripts_can_be_run_and_stop_at_the_first_error(path: Path) -> None:
    assert os.access(path, os.X_OK)
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env ")
    assert "set -euo pipefail" in text
