"""The real programs take what they are given: MariaDB's client, redis-cli, ssh and kubectl."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import targets_mysql
from tests.command_line.calling import Said, Terminal, ended
from tests.command_line.servers import holding
from tests.command_line.test_connecting import KINDS, PASSWORD
from tests.connectors import redis_world
from tests.http_server import serving

pytestmark = pytest.mark.full


def connected(home: Path, kind: str, details: dict[str, Any], secrets: dict[str, str], *words: str) -> Said:
    """Run the real program through the command."""
    (home / ".my.cnf").write_text("[client]\nuser=somebody-else\npassword=wrong\nport=1\n")
    with serving(holding(kind, details, secrets)) as server:
        env = {"LATCHKEY_URL": server.address, "LATCHKEY_TOKEN": "lk_a-token", "PATH": os.environ["PATH"]}
        said = ended(Terminal(home, {**env, "XDG_RUNTIME_DIR": str(home)}).begin("connect", "Shop", "--", *words))
    assert [one.name for one in home.glob("latchkey-*")] == []
    return said


def needs(program: str) -> None:
    """Skip where the machine has no such program."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def test_mysql_signs_in_whatever_the_persons_own_file_says(tmp_path: Path) -> None:
    needs("mysql")
    if why := targets_mysql.missing("mariadb"):
        pytest.skip(why)
    with targets_mysql.running("mariadb") as server:
        quoted = PASSWORD.replace("\\", "\\\\").replace("'", "''")
        server.run_sql("CREATE DATABASE `or ders`", f"CREATE USER lk_rita IDENTIFIED BY '{quoted}'")
        server.run_sql("GRANT SELECT ON `or ders`.* TO lk_rita")
        details = {"host": "127.0.0.1", "port": server.port, "username": "lk_rita", "database": "or ders"}
        secrets, query = {"password": PASSWORD}, ("-N", "-e", "SELECT DATABASE(), CURRENT_USER()")
        said = connected(tmp_path, "mariadb", {**details, "encryption": "disable"}, secrets, *query)
        assert (said.code, said.out.split("\t")) == (0, ["or ders", "lk_rita@%\n"]), said
        wrong = connected(tmp_path, "mariadb", details, {"password": "other"}, *query)
        assert wrong.code == 1


def test_redis_cli_signs_in(tmp_path: Path) -> None:
    needs("redis-cli")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with redis_world.running(program) as server:
        server.client().execute_command("ACL", "SETUSER", "lk_rita", "on", f">{PASSWORD}", "+@all", "~*")
        details = {"host": "127.0.0.1", "port": server.port, "username": "lk_rita", "tls": False}
        said = connected(tmp_path, "redis", details, {"password": PASSWORD}, "ACL", "WHOAMI")
        assert (said.code, said.out.strip()) == (0, "lk_rita"), said
        assert PASSWORD not in said.err


def test_ssh_takes_every_option(tmp_path: Path) -> None:
    needs("ssh")
    said = connected(tmp_path, "ssh", *KINDS["ssh"][1:], "-G")
    told = dict(line.split(" ", 1) for line in said.out.splitlines() if " " in line)
    assert said.code == 0, said
    assert (told["user"], told["hostname"], told["port"]) == ("lk_rita", "db.example.com", "5432")
    assert (told["identitiesonly"], told["stricthostkeychecking"]) == ("yes", "true")
    assert told["certificatefile"].endswith("/key-cert.pub")
    assert told["userknownhostsfile"].endswith("/known_hosts")


def test_kubectl_reads_the_kubeconfig(tmp_path: Path) -> None:
    needs("kubectl")
    _, details, secrets = KINDS["kubernetes"]
    said = connected(tmp_path, "kubernetes", details, secrets, "config", "view", "--raw", "--minify", "-o", "json")
    assert said.code == 0, said
    told = json.loads(said.out)
    assert (told["users"][0]["user"]["token"], told["contexts"][0]["context"]["namespace"]) == ("tok", "shop")
