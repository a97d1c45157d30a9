"""The public conformance client against a server process of ours: everything it checks holds."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from accounts.models import PushedGroup, PushedPerson
from tests import children
from tests.databases import current_url, is_postgresql
from tests.scim.directory import new_token
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


@pytest.mark.full
def test_the_conformance_client_finds_nothing_wrong(fresh_database: str, tmp_path: Path) -> None:
    port, token = free_port(), new_token()
    address = f"http://127.0.0.1:{port}"
    told = {"LATCHKEY_DATABASE_URL": current_url(), "LATCHKEY_PUBLIC_URL": address, "LATCHKEY_DATA": str(tmp_path)}
    environment = os.environ | told | {"PYTHONPATH": f"{ROOT}:{ROOT / 'requests'}"}
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port)]
    if not is_postgresql():
        (tmp_path / "latchkey.sqlite3").symlink_to(fresh_database)
    log = tmp_path / "server.log"
    server = children.start(command, log, lambda: _answers(f"{address}/healthz"), environment=environment)
    try:
        client = Path(sys.executable).with_name("scim")
        run = subprocess.run(
            [str(client), "--url", f"{address}/scim/v2", "test"],
            env=os.environ | {"SCIM_CLI_HEADERS": f"Authorization: Bearer {token}"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    finally:
        children.stop(server)
    assert run.returncode == 0, run.stdout
    assert run.stdout.count("SUCCESS") > 100
    assert not {"ERROR", "CRITICAL", "SKIPPED", "DEVIATION"} & set(run.stdout.split())
    # It tidies up, so nothing of it is left but the people it disabled.
    assert not PushedPerson.objects.exists()
    assert not PushedGroup.objects.exists()
