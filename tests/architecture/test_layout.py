"""What lies in the root, and that every tool knows all of it."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.architecture.source import FLOORS, IN_WHEEL, PACKAGES, PROJECT, ROOT

TOOL = PROJECT["tool"]
# Not installed: they serve the checkout.
UNINSTALLED = {"tests", "script", "manage"}
NO_CODE = {"templates", "static", "requirements", "docs", "deploy", "requests", "data", "data-demo", "build", "dist"}


def root_names() -> set[str]:
    """Return what could be imported from the root folder."""
    names = {path.stem for path in ROOT.glob("*.py")}
    return names | {path.name for path in ROOT.iterdir() if path.is_dir() and list(path.glob("*.py"))}


def test_the_root_has_these_packages_and_no_others() -> None:
    assert root_names() == set(PACKAGES) - {"access_requests"} | UNINSTALLED
    assert [path.name for path in (ROOT / "requests").iterdir() if path.name != "__pycache__"] == ["access_requests"]
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert folders - {"__pycache__"} - set(PACKAGES) - UNINSTALLED <= NO_CODE


def test_every_tool_knows_every_package() -> None:
    assert set(TOOL["importlinter"]["root_packages"]) == set(PACKAGES)
    assert set(TOOL["mypy"]["packages"]) == set(PACKAGES)
    wheel = {name.removeprefix("requests/") for name in TOOL["hatch"]["build"]["targets"]["wheel"]["only-include"]}
    assert wheel == set(IN_WHEEL) | {"templates", "static"}


def test_the_floors_of_the_linter_are_the_floors_of_the_house() -> None:
    contract = next(each for each in TOOL["importlinter"]["contracts"] if each["id"] == "floors")
    assert contract["layers"] == [" | ".join(floor) for floor in FLOORS]
    assert all("ignore_imports" not in each for each in TOOL["importlinter"]["contracts"])


def test_no_root_name_hides_an_installed_distribution() -> None:
    """`csp.py` once hid django-csp. `requests/` is no package, so it hides nothing (see test_requests_library)."""
    installed = {
        name for name, owners in importlib.metadata.packages_distributions().items() if set(owners) != {"latchkey"}
    }
    assert "django" in installed
    assert (root_names() | {"access_requests"}) & installed == set()


def test_the_wheel_holds_the_packages_at_its_top(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert tops == set(IN_WHEEL) | {"templates", "static"}
    assert "access_requests/models/requests.py" in names
    assert "config/management/commands/up.py" in names
