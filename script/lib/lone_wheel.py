"""Builds the wheel of a part that is installed alone: an extra of pyproject.toml as its dependencies, one package."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Part:
    """A part: the name of its wheel, of its program, of its package, and what it is."""

    name: str
    script: str
    package: str
    description: str


# By the extra that has its dependencies.
PARTS = {
    "connector": Part(
        "latchkey-connector",
        "latchkey-connector",
        "connectors",
        "Latchkey's connector: runs beside your targets, dials out, does what its owner allows.",
    ),
    "cli": Part(
        "latchkey-cli",
        "latchkey",
        "latchkey_cli",
        "Latchkey's command line: ask for access, approve it, and use it.",
    ),
}


def project(extra: str) -> str:
    """Return the part's pyproject.toml, made from Latchkey's: nothing is said twice, so nothing can differ."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    part = PARTS[extra]
    needs = json.dumps(whole["optional-dependencies"][extra])
    return f"""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{part.name}"
version = "{whole["version"]}"
description = "{part.description}"
requires-python = "{whole["requires-python"]}"
license = "{whole["license"]}"
dependencies = {needs}

[project.scripts]
{part.script} = "{whole["scripts"][part.script]}"

[tool.hatch.build.targets.wheel]
packages = ["{part.package}"]
"""


def build(extra: str, folder: Path) -> Path:
    """Build the wheel of a part into `folder` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    package = PARTS[extra].package
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(ROOT / package, Path(scratch) / package, ignore=shutil.ignore_patterns("__pycache__"))
        (Path(scratch) / "pyproject.toml").write_text(project(extra))
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.resolve())]
        told = subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True)
    return folder / Path((told.stdout + told.stderr).split()[-1]).name


if __name__ == "__main__":
    print(build(sys.argv[1], Path(sys.argv[2])))
