"""The connector's own wheel: small, without Django, and a whole worker."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.journeys.stack import wait_for
from tests.platform.processes import ROOT
from tests.remote.ledger import PROVIDERS
from tests.remote.world import WorkerProcess, World, alive


def built(folder: Path) -> Path:
    """Build the wheel."""
    command = [sys.executable, str(ROOT / "script" / "lib" / "lone_wheel.py"), "connector", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return Path(done.stdout.strip())


def test_the_wheel_holds_connectors_alone_and_is_small(tmp_path: Path) -> None:
    wheel = built(tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "latchkey-connector = connectors.runners.command:main" in archive.read(entry).decode()
        (about,) = [name for name in names if name.endswith("METADATA")]
        needed = [line for line in archive.read(about).decode().splitlines() if line.startswith("Requires-Dist")]
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"connectors"}
    assert "connectors/providers/postgresql/manifest.toml" in names
    assert not [line for line in needed if "django" in line.lower() or "channels" in line.lower()]
    assert any("websockets" in line for line in needed)
    assert wheel.stat().st_size < 2 * 2**20


def installed(folder: Path, wheel: Path) -> Path:
    """Return the programs of an empty environment with the locked requirements and the wheel in it."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "pip"), "--disable-pip-version-check", "install", "--quiet"]
    locked = [*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "connector.txt")]
    done = subprocess.run(locked, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode and ("NewConnectionError" in done.stderr or "ConnectTimeout" in done.stderr):
        pytest.skip("no package index is within reach")
    assert done.returncode == 0, done.stderr[-2000:]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True, timeout=120)
    return folder / "bin"


@pytest.mark.full
def test_installed_into_an_empty_environment_it_does_the_journey_without_django(world: World, tmp_path: Path) -> None:
    programs = installed(tmp_path / "environment", built(tmp_path))
    for module, there in (("django", False), ("channels", False), ("integrations", False), ("connectors", True)):
        done = subprocess.run([programs / "python", "-c", f"import {module}"], cwd=tmp_path, check=False, timeout=60,
                              capture_output=True)  # fmt: skip
        assert (done.returncode == 0) is there, module
    connector, token = world.connector()
    log = tmp_path / "worker.log"
    told = {"LATCHKEY_URL": world.url, "LATCHKEY_CONNECTOR_TOKEN": token, "LATCHKEY_PROVIDERS": str(PROVIDERS)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [programs / "latchkey-connector"], cwd=tmp_path, env=told, stdout=output, stderr=output
        )
    world.workers.append(WorkerProcess(log, process))
    world.workers[-1].wait_for("Linked with")
    story = world.story(connector).synced()
    request = story.until(story.give("orders"), "active")
    story.hand_back(request)
    story.until(request, "revoked")
    process.terminate()
    assert process.wait(30) == 0
    wait_for("the goodbye", lambda: alive(connector) == 0, 10)
