"""What a demo is never given: real data, a door to the outside, the product's own code paths."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config import keys
from config.env import BadSetting
from demo import folder
from tests.platform.processes import ROOT, environment
from tests.servers import free_port


def demo(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m demo` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT, env=environment(**settings), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def up(*arguments: str, **settings: str) -> str:
    """Start a demo that is refused, and return the one sentence it says."""
    ended = demo("up", "--port", str(free_port()), *arguments, **settings)
    lines = ended.stderr.strip().splitlines()
    assert ended.returncode != 0
    assert len(lines) == 1, ended.stderr
    return lines[0]


def database(path: Path, *actions: str) -> None:
    """Make a database with an audit trail of these actions."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE audit_auditentry (id INTEGER PRIMARY KEY, action TEXT)")
        connection.executemany("INSERT INTO audit_auditentry (action) VALUES (?)", [(one,) for one in actions])
        connection.commit()


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that must be left as it is."""
    made = tmp_path / "data"
    made.mkdir()
    yield made


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "latchkey.example.com"])
def test_a_demo_listens_on_no_address_that_others_reach(host: str, data: Path) -> None:
    assert "this machine only" in up("--host", host, "--data", str(data))
    assert list(data.iterdir()) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_this_machine_has_several_names(host: str) -> None:
    assert folder.is_loopback(host)


@pytest.mark.parametrize("host", ["", "127.0.0.1.example.com", "localhost.example.com", "2130706433", "0", "10.0.0.1"])
def test_what_only_looks_like_this_machine_is_not(host: str) -> None:
    assert not folder.is_loopback(host)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LATCHKEY_DATABASE_URL", "postgresql://somebody@db.example.com/latchkey", "E092"),
        ("LATCHKEY_REDIS_URL", "redis://127.0.0.1:6379/0", "E092"),
        ("LATCHKEY_EMAIL_HOST", "smtp.example.com", "E092"),
        ("LATCHKEY_PUBLIC_URL", "https://latchkey.example.com", "E094"),
        ("LATCHKEY_ALLOWED_HOSTS", "127.0.0.1,latchkey.example.com", "E094"),
        ("LATCHKEY_BEHIND_PROXY", "true", "E094"),
    ],
)
def test_settings_that_serve_others_are_refused(name: str, value: str, said: str, tmp_path: Path) -> None:
    assert said in up("--data", str(tmp_path / "new"), **{name: value})


def test_real_data_is_refused_and_left_alone(data: Path) -> None:
    database(data / keys.DATABASE, "user.created")
    before = (data / keys.DATABASE).read_bytes()
    assert "has real data in it" in up("--data", str(data))
    assert sorted(path.name for path in data.iterdir()) == [keys.DATABASE]
    assert (data / keys.DATABASE).read_bytes() == before


def test_keys_without_a_database_are_somebodys_too(data: Path) -> None:
    (data / keys.FILE).touch()
    assert "has real data in it" in up("--data", str(data))


@pytest.mark.parametrize("ready", [True, False])
def test_a_marker_put_beside_real_data_opens_nothing(ready: bool, data: Path) -> None:
    """Above all, an unfinished demo is begun again by deleting its database: never one that a demo did not make."""
    database(data / keys.DATABASE, "user.created", folder.FIRST_ACTION)
    folder.write(data, folder.Note(ready=ready))
    assert "was not made by one" in up("--data", str(data))
    assert (data / keys.DATABASE).exists()


def test_a_database_that_cannot_be_read_is_not_deleted(data: Path) -> None:
    (data / keys.DATABASE).write_bytes(b"not a database at all, but somebody's")
    folder.write(data, folder.Note())
    assert "cannot be read" in up("--data", str(data))
    assert (data / keys.DATABASE).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"made": 1}', "null"])
def test_a_damaged_marker_is_told(content: str, data: Path) -> None:
    (data / folder.MARKER).write_text(content)
    with pytest.raises(BadSetting, match="is damaged"):
        folder.read(data)


def test_the_past_is_not_made_by_hand(tmp_path: Path) -> None:
    ended = demo("make_demo", LATCHKEY_DATA=str(tmp_path))
    assert "There is no demo being made here" in ended.stderr


@pytest.mark.parametrize("way", ["--data", "--data=", "LATCHKEY_DATA", "relative"])
def test_the_product_is_not_started_on_a_demos_folder(way: str, data: Path) -> None:
    folder.write(data, folder.Note(ready=True))
    arguments = {
        "--data": ["--data", str(data)],
        "--data=": [f"--data={data}"],
        "LATCHKEY_DATA": [],
        "relative": ["--data", data.name],
    }[way]
    settings = {"LATCHKEY_DATA": str(data)} if way == "LATCHKEY_DATA" else {}
    ended = subprocess.run(
        [ROOT / "script" / "up", *arguments],
        cwd=data.parent, env=environment(**settings), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "is a demo's" in ended.stderr
    assert [path.name for path in data.iterdir()] == [folder.MARKER]


def test_nothing_of_the_demo_is_in_the_product() -> None:
    """Not an address, not a template, not a provider: only its own settings bring them."""
    code = (
        "import django; django.setup()\n"
        "import sys\n"
        "from django.template.loader import get_template\n"
        "from django.urls import get_resolver\n"
        "from connectors.registry import BUILT_IN\n"
        "names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}\n"
        "assert not [name for name in names if 'demo' in name], names\n"
        "assert 'simulated' not in BUILT_IN.manifests()\n"
        "assert 'demo' not in sys.modules\n"
        "assert get_template('_guide.html').render({}).strip() == ''\n"
        "assert get_template('account/_ways.html').render({}).strip() == ''\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(DJANGO_SETTINGS_MODULE="config.settings", LATCHKEY_DATA=os.devnull),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
