"""Each contract of import-linter passes where it should and fails where it should, with the settings we ship."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, PROJECT, ROOT

CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]


@dataclass(frozen=True)
class Example:
    """An import that keeps a contract and one that breaks it: (file, import statement)."""

    contract: str
    keeps: tuple[str, str]
    breaks: tuple[str, str]


EXAMPLES = [
    Example("floors", ("flows/a.py", "import accounts.b"), ("accounts/a.py", "import flows.b")),
    Example("floors", ("demo/a.py", "import config.b"), ("config/a.py", "import demo.b")),
    Example("floors", ("config/a.py", "import audit.b"), ("audit/a.py", "import connectors.contract")),
    Example("floors", ("access_requests/a.py", "import flows.b"), ("flows/a.py", "import access_requests.b")),
    Example(
        "connectors-know-no-django",
        ("connectors/toolkit/a.py", "import connectors.contract"),
        ("connectors/toolkit/a.py", "from django.db import models"),
    ),
    Example(
        "connectors-know-no-django",
        ("connectors/toolkit/a.py", "import json"),
        ("connectors/toolkit/a.py", "import celery"),
    ),
    Example(
        "the-command-line-stands-alone",
        ("latchkey_cli/a.py", "import latchkey_cli.b"),
        ("latchkey_cli/a.py", "import connectors.contract"),
    ),
    Example(
        "the-command-line-stands-alone",
        ("latchkey_cli/a.py", "import requests"),
        ("latchkey_cli/a.py", "from django.utils import timezone"),
    ),
    Example(
        "providers-stand-alone",
        ("connectors/providers/one/a.py", "import connectors.toolkit.b"),
        ("connectors/providers/one/a.py", "import connectors.providers.two"),
    ),
    Example(
        "one-door-to-connectors",
        ("integrations/a.py", "import connectors.contract"),
        ("access_requests/a.py", "import connectors.contract"),
    ),
    Example(
        "audit-owns-its-models",
        ("audit/a.py", "import audit.models"),
        ("integrations/a.py", "from audit.models import AuditEntry"),
    ),
]
MODULES = ("__init__", "a", "b", "models")
INNER = ("connectors/contract", "connectors/toolkit", "connectors/providers", "connectors/providers/one",
         "connectors/providers/two")  # fmt: skip


def build(folder: Path, file: str, statement: str) -> None:
    """Make a small tree with all root packages in it and one import."""
    for package in (*PACKAGES, *INNER):
        (folder / package).mkdir(parents=True, exist_ok=True)
        for module in MODULES:
            (folder / package / f"{module}.py").touch()
    (folder / file).write_text(statement + "\n")
    text = (ROOT / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(text[text.index("[tool.importlinter]") :])


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    """Run the linter with one of our contracts in the folder."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--contract", contract, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.contract}: {example.breaks[1]}")
def test_a_contract_passes_and_fails_where_it_should(example: Example, tmp_path: Path) -> None:
    build(tmp_path / "keeps", *example.keeps)
    kept = lint(tmp_path / "keeps", example.contract)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert "1 kept, 0 broken" in kept.stdout
    build(tmp_path / "breaks", *example.breaks)
    broken = lint(tmp_path / "breaks", example.contract)
    assert broken.returncode == 1
    assert "0 kept, 1 broken" in broken.stdout


def test_every_contract_has_an_example() -> None:
    assert {contract["id"] for contract in CONTRACTS} == {example.contract for example in EXAMPLES}
