"""Programs get the credentials, and nobody else: not on the argument list, nor in files others read, nor later."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import BUILT_IN
from latchkey_cli.problems import Problem
from latchkey_cli.programs import PROGRAMS, kubeconfig
from tests.command_line.calling import Said, Terminal, ended
from tests.command_line.servers import holding
from tests.http_server import serving

PASSWORD = 'p:a\\s"s #%$ö'
TOKEN = "lk_a-secret-that-stays-here"
# Stands in for every program: it writes down what it was given, and what is in the files that it was told of.
WITNESS = """#!{python}
import json, os, stat, sys, time
told = [*sys.argv[1:], *os.environ.values()]
names = [word.partition("=")[2] or word for word in told] + told
files = {{}}
for name in names:
    if name.startswith("{home}/latchkey-") and os.path.isfile(name):
        mode = os.stat(os.path.dirname(name)).st_mode & 0o777, os.stat(name).st_mode & 0o777
        files[os.path.basename(name)] = [open(name).read(), *mode]
with open("{home}/seen.json", "w") as out:
    json.dump({{"argv": sys.argv, "env": dict(os.environ), "files": files}}, out)
time.sleep(float(os.environ.get("LASTS", "0")))
sys.exit(7)
"""
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example", "certificate-authority-data": "QQ=="}}],
    "users": [{"name": "u", "user": {"token": "tok"}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
    "current-context": "x",
}
SERVER = {"host": "db.example.com", "port": 5432, "username": "lk_rita", "database": "or ders", "sslmode": "require"}
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "postgresql": ("psql", SERVER, {"password": PASSWORD}),
    "mysql": ("mysql", {**SERVER, "encryption": "require"}, {"password": PASSWORD}),
    "mariadb": ("mysql", {**SERVER, "encryption": "disable"}, {"password": PASSWORD}),
    "redis": ("redis-cli", {**SERVER, "tls": True}, {"password": PASSWORD}),
    "ssh": (
        "ssh",
        {**SERVER, "certificate": "ssh-ed25519-cert-v01 AAAA", "known_hosts": "db.example.com ssh-ed25519 AAAA"},
        {"private_key": "-----BEGIN KEY-----\nabc\n-----END KEY-----"},
    ),
    "kubernetes": ("kubectl", {"cluster": "c", "username": "u"}, {"kubeconfig": json.dumps(KUBECONFIG)}),
    "aws-account": ("aws", {"region": "eu-central-1"}, {"access_key_id": "AKIA", "secret_access_key": "s3cret"}),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with a witness for every program."""
    (tmp_path / "bin").mkdir()
    for name in {program for program, *_ in KINDS.values()}:
        file = tmp_path / "bin" / name
        file.write_text(WITNESS.format(python=sys.executable, home=tmp_path))
        file.chmod(0o755)
    return tmp_path


def at(url: str, home: Path, **env: str) -> Terminal:
    """Return a terminal at which the witnesses are the programs."""
    own = {
        "LATCHKEY_URL": url,
        "LATCHKEY_TOKEN": TOKEN,
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "XDG_RUNTIME_DIR": str(home),
    }
    return Terminal(home, own | env)


def seen(home: Path) -> dict[str, Any]:
    """Return what the witness saw."""
    found: dict[str, Any] = json.loads((home / "seen.json").read_text())
    return found


def left(home: Path) -> list[str]:
    """Return what lies about."""
    return [one.name for one in home.glob("latchkey-*")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_gets_the_credentials_and_nobody_else(kind: str, home: Path) -> None:
    program, details, secrets = KINDS[kind]
    with serving(holding(kind, details, secrets)) as server:
        said: Said = at(server.address, home, PGPASSWORD="old").try_("connect", "Shop", "--", "more", "-words")
    assert said.code == 7, said
    told = seen(home)
    assert Path(told["argv"][0]).name == program
    assert told["argv"][-2:] == ["more", "-words"]
    for text in (*secrets.values(), TOKEN, "tok"):
        assert not [word for word in told["argv"] if text in word and text != "tok"]
    assert TOKEN not in told["env"].values()
    assert {tuple(modes) for _, *modes in told["files"].values()} <= {(0o700, 0o600)}
    assert given(kind, told), told
    assert left(home) == []
    assert not [text for text in secrets.values() if text in said.out + said.err]


def given(kind: str, told: dict[str, Any]) -> bool:
    """Whether the program has got what it needs, where it looks for it."""
    env, files, argv = told["env"], told["files"], told["argv"]
    return {
        "postgresql": lambda: (
            files["pgpass"][0] == 'db.example.com:5432:*:lk_rita:p\\:a\\\\s"s #%$ö\n'
            and (env["PGHOST"], env["PGDATABASE"], env["PGSSLMODE"]) == ("db.example.com", "or ders", "require")
            and "PGPASSWORD" not in env
        ),
        "mysql": lambda: (
            'password="p:a\\\\s\\"s #%$ö"\n' in files["options.cnf"][0] and argv[1].startswith("--defaults-file=")
        ),
        "mariadb": lambda: "protocol=tcp" in files["options.cnf"][0] and "--database=or ders" in argv,
        "redis": lambda: env["REDISCLI_AUTH"] == PASSWORD and "--tls" in argv,
        "ssh": lambda: (
            set(files) == {"key", "key-cert.pub", "known_hosts"}
            and files["key"][0].endswith("END KEY-----\n")
            and "StrictHostKeyChecking=yes" in argv
            and argv[-3] == "db.example.com"
        ),
        "kubernetes": lambda: json.loads(files["kubeconfig"][0]) == KUBECONFIG,
        "aws-account": lambda: (env["AWS_SECRET_ACCESS_KEY"], env["AWS_REGION"]) == ("s3cret", "eu-central-1"),
    }[kind]()


def test_without_words_a_shell_knows_the_access(home: Path) -> None:
    shell = home / "bin" / "kubectl"
    with serving(holding("kubernetes", *KINDS["kubernetes"][1:])) as server:
        said = at(server.address, home, SHELL=str(shell)).try_("connect")
    assert said.code == 7
    assert "Leave it with exit" in said.err
    assert json.loads(seen(home)["files"]["kubeconfig"][0])["users"][0]["user"] == {"token": "tok"}


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.full)])
def test_whatever_ends_it_nothing_is_left(number: int, home: Path) -> None:
    with serving(holding("postgresql", SERVER, {"password": PASSWORD})) as server:
        process = at(server.address, home, LASTS="30").begin("connect", "Shop")
        children = _wait_for_child(process, home)
        assert left(home) != []
        # Ctrl-C goes to all that the terminal runs; other signals come to us alone.
        os.kill(children if number == signal.SIGINT else process.pid, number)
        assert ended(process).code == 128 + number
    assert left(home) == []


def _wait_for_child(process: subprocess.Popen[str], home: Path) -> int:
    for _ in range(600):
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if listed and (home / "seen.json").exists() and (home / "seen.json").stat().st_size:
            return int(listed[0])
        time.sleep(0.05)
    raise AssertionError("the program was not run")


def test_what_a_killed_command_left_behind_goes_with_the_next(home: Path) -> None:
    for name in ("latchkey-999999999-abc", f"latchkey-{os.getpid()}-abc", "latchkey-notes"):
        (home / name).mkdir()
    with serving(holding("postgresql", SERVER, {"password": PASSWORD})) as server:
        at(server.address, home).try_("connect")
    assert set(left(home)) == {f"latchkey-{os.getpid()}-abc", "latchkey-notes"}


def test_credentials_that_were_handed_out_are_made_anew_only_if_wanted(home: Path) -> None:
    with serving(holding("redis", SERVER, {"password": PASSWORD}, "VIEWED")) as server:
        rita = at(server.address, home)
        said = rita.try_("connect", "Shop")
        assert (said.code, "latchkey connect --reset" in said.err) == (6, True)
        assert not [one for one in server.asked if one.method == "POST"]
        assert rita.try_("connect", "Shop", "--reset").code == 7
        assert seen(home)["env"]["REDISCLI_AUTH"] == PASSWORD


def test_without_the_program_no_credentials_are_used_up(home: Path) -> None:
    with serving(holding("postgresql", SERVER, {"password": PASSWORD})) as server:
        said = at(server.address, home, PATH=str(home)).try_("connect", "Shop")
        assert (said.code, "psql is not installed" in said.err) == (127, True)
        assert not [one for one in server.asked if "consumed_by" in one.query]
    with serving(holding("github", {}, {})) as server:
        assert at(server.address, home).try_("connect", "Shop").code == 4


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("postgresql", {"host": "-h", "port": 1}),
    ("postgresql", {"host": "/tmp/evil.sock", "port": 1}),
    ("postgresql", {"host": "x", "port": "1 host=evil"}),
    ("postgresql", {"host": "x", "port": 1, "sslmode": "none"}),
    ("mysql", {"host": "x", "port": 1, "username": 'a"\npager=evil'}),
    ("redis", {"host": "--eval", "port": 1}),
    ("ssh", {"host": "-oProxyCommand=evil", "port": 22, "username": "u"}),
    ("ssh", {"host": "x", "port": 22, "username": "-oProxyCommand=evil"}),
    ("ssh", {"host": "x;evil", "port": 22, "username": "u"}),
    ("kubernetes", {"cluster": "--kubeconfig=/tmp/evil", "sign_in": "yes"}),
    ("aws-account", {"region": "eu/../evil"}),
]


@pytest.mark.parametrize(("kind", "details"), WRONG)
def test_what_could_be_taken_for_an_option_is_refused(kind: str, details: dict[str, Any], home: Path) -> None:
    with serving(holding(kind, {"username": "u", **details}, {"password": PASSWORD})) as server:
        said = at(server.address, home).try_("connect", "Shop")
        assert (said.code, "is not used" in said.err) == (1, True), said
        assert not [one for one in server.asked if "consumed_by" in one.query]
    assert not (home / "seen.json").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"users": [{"name": "u", "user": {"exec": {"command": "evil"}}}]},
        {"users": [{"name": "u", "user": {"tokenFile": "/etc/passwd"}}]},
        {"users": [{"name": "u", "user": {"auth-provider": {"name": "evil"}}}]},
        {"clusters": [{"name": "c", "cluster": {"server": "http://evil.example"}}]},
        {"clusters": [{"name": "c", "cluster": {"server": "https://x", "proxy-url": "http://evil"}}]},
        {"clusters": "x"},
        {"contexts": None},
    ],
)
def test_a_kubeconfig_that_runs_or_reads_something_is_refused(change: dict[str, Any]) -> None:
    assert json.loads(kubeconfig(json.dumps(KUBECONFIG))) == KUBECONFIG
    with pytest.raises(Problem):
        kubeconfig(json.dumps(KUBECONFIG | change))


def test_every_program_is_one_that_a_provider_has() -> None:
    assert set(PROGRAMS) <= set(BUILT_IN.manifests())
