"""Builds the connector's wheel: pyproject.toml's extra "connector" as its dependencies, connectors/ as all its code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "latchkey-connector"


def project() -> str:
    """Return the connector's pyproject.toml, made from Latchkey's: nothing is said twice, so nothing can differ."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    command = whole["scripts"][NAME]
    needs = json.dumps(whole["optional-dependencies"]["connector"])
    return f"""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{NAME}"
version = "{whole["version"]}"
description = "Latchkey's connector: runs beside your targets, dials out, does what its owner allows."
requires-python = "{whole["requires-python"]}"
license = "{whole["license"]}"
dependencies = {needs}

[project.scripts]
{NAME} = "{command}"

[tool.hatch.build.targets.wheel]
packages = ["connectors"]
"""


def build(folder: Path) -> Path:
    """Build the wheel into `folder` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(ROOT / "connectors", Path(scratch) / "connectors", ignore=shutil.ignore_patterns("__pycache__"))
        (Path(scratch) / "pyproject.toml").write_text(project())
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.resolve())]
        told = subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True)
    return folder / Path((told.stdout + told.stderr).split()[-1]).name


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
