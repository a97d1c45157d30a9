"""An envelope as a file: opened with its passphrase, by nobody else, and without a database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from access_requests import envelope_files
from access_requests.envelope_files import CannotOpen, lock, unlock

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "five words will surely do"
CONTENT = {"envelope": "Envelope 7", "what": "READ", "secret": {"password": "s3cr3t–ß"}, "connect": {"Host": "db"}}


@pytest.fixture(scope="module")
def text() -> str:
    """A file with a key that is made quickly; how long it takes is in the file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelope_files, "SCRYPT_N", 2**12)
        return lock(CONTENT, {"envelope": "Envelope 7"}, PASSPHRASE)


def test_a_guess_takes_128_mb() -> None:
    assert (envelope_files.SCRYPT_N, envelope_files.SCRYPT_R) == (2**17, 8), "128 MB of memory for each guess"


def test_it_opens_with_its_passphrase_and_says_nothing_before(text: str) -> None:
    assert unlock(text, PASSPHRASE) == CONTENT
    assert "s3cr3t" not in text
    assert json.loads(text)["envelope"] == "Envelope 7"


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE + " ", PASSPHRASE.upper()])
def test_another_passphrase_opens_nothing(text: str, passphrase: str) -> None:
    with pytest.raises(CannotOpen, match="another passphrase"):
        unlock(text, passphrase)


def test_whoever_changes_a_word_of_it_makes_it_open_no_more(text: str) -> None:
    told = json.loads(text)
    told["envelope"] = "Envelope 8"
    with pytest.raises(CannotOpen, match="was changed"):
        unlock(json.dumps(told), PASSPHRASE)


@pytest.mark.parametrize("n", [1, 3, 2**30, "x", None])
def test_a_key_that_would_take_for_ever_is_not_made(text: str, n: object) -> None:
    told = json.loads(text)
    told["key"]["n"] = n
    with pytest.raises(CannotOpen, match="no envelope's file"):
        unlock(json.dumps(told), PASSPHRASE)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"latchkey_envelope": 1}', "null"])
def test_what_is_no_file_of_ours_is_said_so(text: str) -> None:
    with pytest.raises(CannotOpen, match="no envelope's file"):
        unlock(text, PASSPHRASE)


def test_a_short_passphrase_locks_nothing() -> None:
    with pytest.raises(ValueError, match="at least 14"):
        lock(CONTENT, {}, "short")


def test_the_command_opens_it_where_no_database_is_to_be_had(text: str, tmp_path: Path) -> None:
    file = tmp_path / "envelope-7.json"
    file.write_text(text)
    away = {"LATCHKEY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "LATCHKEY_DATA": str(tmp_path / "data")}
    command = [sys.executable, "manage.py", "access", "open-envelope", str(file)]
    run = subprocess.run(
        command, cwd=ROOT, input=f"{PASSPHRASE}\n", env=os.environ | away, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "password: s3cr3t–ß" in run.stdout
    assert "Host: db" in run.stdout
