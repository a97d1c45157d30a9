"""`import requests` is the HTTP library everywhere, and `access_requests` is ours.

A `requests/__init__.py` would hide the library from allauth, pywinrm, google-auth, msal and hvac, in every process
that has the root folder on its path.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.platform.processes import environment

PROCESSES = {
    "manage.py": ["manage.py", "shell", "--no-imports", "-c", "import tests.architecture.asks"],
    "celery": ["-m", "celery", "-A", "tests.architecture.asks", "report"],
    "uvicorn": ["-m", "uvicorn", "tests.architecture.asks:application", "--port", "0"],
    "pytest": ["-m", "pytest", "-q", "-s", "-p", "tests.architecture.asks", "--collect-only",
               "tests/platform/test_doorbell.py"],
}  # fmt: skip


@pytest.mark.parametrize("process", PROCESSES)
def test_requests_is_the_library_in_every_process(process: str, tmp_path: Path) -> None:
    env = environment(LATCHKEY_DATA=str(tmp_path), **({"LATCHKEY_TEST_LEAVE": "1"} if process == "uvicorn" else {}))
    ended = subprocess.run(
        [sys.executable, *PROCESSES[process]],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    line = next(line for line in ended.stdout.splitlines() if line.startswith("LIBRARY "))
    _, library, has_get, _, ours = line.split()
    assert "site-packages/requests/" in library
    assert has_get == "True"
    assert Path(ours) == ROOT / "requests" / "access_requests" / "__init__.py"


def test_requests_is_the_library_here() -> None:
    import requests

    assert "site-packages" in str(requests.__file__)


def test_the_folder_is_no_package() -> None:
    assert (ROOT / "requests").is_dir()
    assert [path.name for path in (ROOT / "requests").iterdir() if path.suffix == ".py"] == []


def test_a_package_there_would_hide_the_library(tmp_path: Path) -> None:
    """Shows that the test above guards something."""
    (tmp_path / "requests").mkdir()
    code = "import requests; print(hasattr(requests, 'get'))"

    def library_is_found() -> str:
        return subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, env=environment(), text=True).strip()

    assert library_is_found() == "True"
    (tmp_path / "requests" / "__init__.py").touch()
    assert library_is_found() == "False"
