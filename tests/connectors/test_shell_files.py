"""Shell programs are static: values reach them through the environment, and vet finds what would make text of them."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.providers.ssh import programs as ssh_programs
from connectors.registry import PROVIDERS
from connectors.toolkit.shell_files import ShellFile, unquoted
from connectors.vet import vet
from tests.connectors.test_vet import add, drop, edit

SHELLS = [name for name in ("sh", "dash", "bash") if shutil.which(name)]
SSH = PROVIDERS / "ssh"
SCRIPTS = sorted([*PROVIDERS.glob("*/programs/*.sh"), *PROVIDERS.glob("*/setup/*.sh")])


def file(tmp_path: Path, text: str, *slots: str) -> ShellFile:
    """Return a program with this text."""
    path = tmp_path / "program.sh"
    path.write_text(text)
    return ShellFile(path, *slots)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_shell_that_there_is_can_read_every_script(path: Path, shell: str) -> None:
    options = ["--posix"] if shell == "bash" else []
    done = subprocess.run([shell, *options, "-n", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_files_that_the_set_up_writes_can_be_read_too(shell: str) -> None:
    text = (SSH / "setup" / "2_server.sh").read_text()
    (inner,) = re.findall(r"latchkey-run\.new <<'END'\n(.*?)\nEND\n", text, re.DOTALL)
    done = subprocess.run([shell, "-n"], input=inner, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, inner[:10]) == (0, "", "#!/bin/sh\n")


def test_the_set_up_allows_exactly_the_programs_that_there_are() -> None:
    text = (SSH / "setup" / "2_server.sh").read_text()
    (listed,) = re.findall(r"here/programs\" <<'END'\n(.*?)\nEND\n", text, re.DOTALL)
    files = sorted((SSH / "programs").glob("*.sh"))
    assert listed.splitlines() == [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in files]
    assert {one.name for one in ssh_programs.ALL} == {path.stem for path in files}


def test_values_go_in_the_order_of_the_file_and_never_into_its_text(tmp_path: Path) -> None:
    program = file(tmp_path, "#!/bin/sh\n# Does it.\n# takes: B A\nset -eu\n", "A", "B")
    lines = program.parcel({"A": Secret("$(id)\n'x'"), "B": ["one", "two"]}, 12.9).splitlines()
    assert lines[0] == b"12"
    assert [base64.b64decode(line).decode() for line in lines[1:]] == [program.text, "one\ntwo", "$(id)\n'x'"]


def test_there_is_always_a_second_left_because_none_would_mean_no_limit(tmp_path: Path) -> None:
    program = file(tmp_path, "#!/bin/sh\n# Does it.\n")
    assert [program.parcel({}, seconds).splitlines()[0] for seconds in (-3.0, 0.0, 0.4)] == [b"1", b"1", b"1"]


def test_a_dry_run_shows_values_quoted_and_no_secret(tmp_path: Path) -> None:
    program = file(tmp_path, "#!/bin/sh\n# Does it.\n# takes: A B\n", "A", "B")
    shown = program.in_words({"A": "it's; id", "B": Secret("canary")})
    assert shown.startswith("A='it'\"'\"'s; id'\nB='(secret)'\n#!/bin/sh\n")


@pytest.mark.parametrize(
    "values", [{}, {"A": "x", "B": "y"}, {"A": "a\0b"}, {"A": ["a\nb"]}, {"A": "x" * 100_001}, {"A": Secret("\0")}]
)
def test_values_that_no_variable_can_hold_are_refused(tmp_path: Path, values: dict[str, object]) -> None:
    program = file(tmp_path, "#!/bin/sh\n# Does it.\n# takes: A\n", "A")
    with pytest.raises(Misconfigured):
        program.compose(values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "takes",
    ["PATH", "IFS", "ENV", "LD_PRELOAD", "LC_ALL", "BASH_ENV", "HOME", "PS4", "SUDO_USER", "a", "A-B", "A A", "1A"],
)
def test_names_that_mean_something_to_a_shell_are_refused(tmp_path: Path, takes: str) -> None:
    with pytest.raises(Misconfigured):
        _ = file(tmp_path, f"#!/bin/sh\n# Does it.\n# takes: {takes}\n").names


def test_a_file_says_once_what_it_takes(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        _ = file(tmp_path, "#!/bin/sh\n# takes: A\n# takes: B\n").names


@pytest.mark.parametrize("line", ["rm $A", "rm -- ${A}", 'x="a" $A', "[ $A = x ]", "for x in $A; do", 'echo "$B" $A'])
def test_a_value_outside_of_quotes_is_found(line: str) -> None:
    assert unquoted(f"true\n{line}\n", frozenset({"A", "B"})) == [2]


@pytest.mark.parametrize(
    "line", ['rm "$A"', "case $A in", "x=$A", 'y="a$A"', "awk '$A'", 'printf "%s" "${A%x}"', "rm $C"]
)
def test_a_value_that_stays_whole_is_not(line: str) -> None:
    assert unquoted(line, frozenset({"A", "B"})) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the provider, with tests of its name beside it."""
    (tmp_path / "tests" / "connectors").mkdir(parents=True)
    (tmp_path / "tests" / "connectors" / "test_ssh.py").touch()
    copy = tmp_path / "providers" / "ssh"
    shutil.copytree(SSH, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


SHUT = "programs/shut_login.sh"
WRONG = {
    "program without code": (add("programs/extra.sh", "#!/bin/sh\n# Extra.\nset -eu\n"), "no code declares it"),
    "code without program": (drop(SHUT), "'shut_login' is declared, but there is no file"),
    "value too many": (edit(SHUT, "takes: LOGIN", "takes: MORE LOGIN"), "the code declares ['LOGIN', 'MARKER']"),
    "value missing": (edit(SHUT, "takes: LOGIN MARKER", "takes: LOGIN"), "the slots ['LOGIN']"),
    "value not used": (edit("programs/open_login.sh", '"$EXPIRES"', "9"), "takes EXPIRES, and does nothing with it"),
    "value that is split": (edit(SHUT, 'chage -E 1 "$LOGIN"', "chage -E 1 $LOGIN"), "outside of quotes"),
    "value with a meaning": (edit(SHUT, "takes: LOGIN", "takes: PATH LOGIN"), "'PATH' is no name for a value"),
    "goes on after a failure": (edit(SHUT, "set -eu\n", "set -u\n"), "does not stop"),
    "says not what it does": (edit(SHUT, "#!/bin/sh\n# Shuts", "#!/bin/sh\nset -x\n# Shuts"), "does not begin"),
    "says not what it needs": (edit(SHUT, "# needs: ", "# wants: "), "does not begin"),
    "commands of text": (edit(SHUT, "chage", "eval chage"), "makes commands of text"),
    "no counterpart": (drop("programs/revoke_own_group.sh"), "'grant_own_group' has no counterpart"),
}


@pytest.mark.parametrize("change", WRONG, ids=lambda name: name.replace(" ", "-"))
def test_vet_finds(folder: Path, change: str) -> None:
    assert vet(folder) == []
    break_it, words = WRONG[change]
    run: Callable[[Path], object] = break_it
    run(folder)
    assert any(words in complaint for complaint in vet(folder)), vet(folder)
