"""The command line's own wheel: small, without Django, and a whole command."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import PROJECT, ROOT


def built(folder: Path) -> Path:
    """Build the wheel."""
    command = [sys.executable, str(ROOT / "script" / "lib" / "lone_wheel.py"), "cli", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return Path(done.stdout.strip())


def test_the_wheel_holds_the_command_line_alone_and_is_small(tmp_path: Path) -> None:
    wheel = built(tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "latchkey = latchkey_cli.command:main" in archive.read(entry).decode()
        (about,) = [name for name in names if name.endswith("METADATA")]
        lines = archive.read(about).decode().splitlines()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"latchkey_cli"}
    assert "Name: latchkey-cli" in lines
    needed = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist")]
    assert len(needed) == len(PROJECT["project"]["optional-dependencies"]["cli"])
    assert not [line for line in needed if "django" in line.lower()]
    assert wheel.stat().st_size < 200_000


def furnished(folder: Path) -> Path:
    """Return a folder with what requirements/cli.txt names, out of our own environment, and nothing else."""
    folder.mkdir()
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "cli.txt").read_text(), re.M)
    for name in locked:
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # only for other platforms
        for file in found.files or ():
            source, target = Path(str(found.locate_file(file))), folder / file
            if ".." not in file.parts and source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
    return folder


@pytest.mark.full
def test_installed_alone_it_answers_without_django(tmp_path: Path) -> None:
    folder = furnished(tmp_path / "environment")
    with zipfile.ZipFile(built(tmp_path)) as archive:
        archive.extractall(folder)
    # -S and -I: nothing of our own environment is on the path.
    begin = f"import sys; sys.path.append({str(folder)!r}); "

    def python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", begin + code, *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=60,
            env={"HOME": str(tmp_path), "TERM": "dumb"},
        )

    for module in ("django", "rest_framework", "connectors", "accounts"):
        assert "ModuleNotFoundError" in python(f"import {module}").stderr
    run = "from latchkey_cli.command import main; main()"
    told = python(run, "--help")
    assert told.returncode == 0, told.stderr
    assert "why-not" in told.stdout
    assert python(run, "--version").stdout.startswith("latchkey ")
    assert python(run, "whoami").returncode == 3
    every = "import pkgutil, importlib, latchkey_cli as l; [importlib.import_module(f'latchkey_cli.{m.name}') for m in "
    every += "pkgutil.iter_modules(l.__path__) if m.name != '__main__']"
    assert python(every).returncode == 0
