"""Which program uses which access, and how it gets the credentials: by files of its own or its environment, never argv.

What the server says is only ever a value: a program's options are chosen here, and no command of the server is run.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from latchkey_cli.problems import Code, Problem
from latchkey_cli.text import unsafe

Details = Mapping[str, Any]
MASKED = "********"
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}


@dataclass(frozen=True, slots=True)
class Command:
    """What is run: the words after the program's name, what is added to its environment, what is taken out of it."""

    words: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    without: tuple[str, ...] = ()


Prepare = Callable[[Details, Path], Command]


@dataclass(frozen=True, slots=True)
class Program:
    """How one kind of access is used. `names`: programs that can, the first that is installed is run.

    `opens_shell`: without further words a shell is opened in which the program knows the access.
    """

    names: tuple[str, ...]
    prepare: Prepare
    opens_shell: bool = False

    def find(self) -> str:
        """Return the path of the program. Raises Problem where it is not installed."""
        for name in self.names:
            if path := shutil.which(name):
                return path
        raise Problem(
            f"{self.names[0]} is not installed.",
            then="Install it, or see how to connect by hand: latchkey creds",
            code=Code.NO_PROGRAM,
        )


def write(file: Path, text: str) -> Path:
    """Write a file that nobody else can read, and return its path."""
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(text)
    return file


def value(details: Details, name: str, default: str = "") -> str:
    """Return a detail as one line. Raises Problem for one with signs in it that no name or address has."""
    found = details.get(name, default)
    text = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else default
    if any(unsafe(sign) for sign in text):
        raise Problem(f"The server says a {name} with signs in it that none has; it is not used.")
    return text


def host(details: Details) -> str:
    """Return the host. Raises Problem for what a program could take for an option or a path."""
    text = value(details, "host")
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if not _HOST.fullmatch(text):
            raise Problem(f"The server says “{text}” where a host should be; it is not used.") from None
    return text


def port(details: Details) -> str:
    """Return the port. Raises Problem."""
    text = value(details, "port")
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Problem(f"The server says “{text}” where a port should be; it is not used.")
    return text


def secret(details: Details, name: str) -> str:
    """Return a secret; nothing while it is not there."""
    text = details.get(name)
    return text if isinstance(text, str) and text != MASKED else ""


def postgresql(details: Details, folder: Path) -> Command:
    """psql: everything by libpq's environment, the password in a file for this one server and user."""
    wanted = {
        "PGHOST": host(details),
        "PGPORT": port(details),
        "PGDATABASE": value(details, "database", "postgres"),
        "PGUSER": value(details, "username"),
        "PGSSLMODE": value(details, "sslmode", "prefer"),
    }
    if wanted["PGSSLMODE"] not in _SSL_MODES:
        raise Problem("The server says a kind of encryption that psql does not know; it is not used.")
    parts = (wanted["PGHOST"], wanted["PGPORT"], "*", wanted["PGUSER"], one_line(secret(details, "password")))
    line = ":".join(part.replace("\\", "\\\\").replace(":", "\\:") for part in parts)
    file = write(folder / "pgpass", line + "\n")
    return Command(env=wanted | {"PGPASSFILE": str(file)}, without=("PGPASSWORD", "PGSERVICE", "PGHOSTADDR"))


def one_line(text: str) -> str:
    """Return a secret that goes into a line of a file. Raises Problem for one that would make two of it."""
    if any(sign in text for sign in "\r\n\0"):
        raise Problem("The credentials have a line end in them, which this program's file cannot hold.")
    return text


def mysql(details: Details, folder: Path) -> Command:
    """The clients of MySQL and MariaDB: everything in an option file of their own."""
    lines = [
        "[client]",
        f"host={_quoted(host(details))}",
        f"port={port(details)}",
        f"user={_quoted(value(details, 'username'))}",
        f"password={_quoted(one_line(secret(details, 'password')))}",
        "protocol=tcp",
        *_encryption(value(details, "encryption", "prefer")),
    ]
    roles = details.get("roles")
    if isinstance(roles, list) and len(roles) > 1 and _is_mariadb():
        role = value({"role": roles[0]}, "role").replace("`", "``")
        lines += ["[mysql]", f"init-command={_quoted(f'SET ROLE `{role}`')}"]
    file = write(folder / "options.cnf", "\n".join(lines) + "\n")
    database = value(details, "database")
    # The person's own files would come after an extra one, and their kept logins after any.
    words = (f"--defaults-file={file}", *([f"--database={database}"] if database else []))
    return Command(words, {"MYSQL_TEST_LOGIN_FILE": str(folder / "none")}, without=("MYSQL_PWD",))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_mariadb() -> bool:
    """Whether the client that would be run is MariaDB's, whatever it is called."""
    path = shutil.which("mysql") or shutil.which("mariadb") or "mysql"
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - our own word
    return "MariaDB" in told.stdout


def _encryption(kind: str) -> list[str]:
    """Return the lines for a choice of encryption, in the words of the client that is installed."""
    words = {
        "disable": (["skip-ssl"], ["ssl-mode=DISABLED", "get-server-public-key"]),
        "require": (["ssl"], ["ssl-mode=REQUIRED"]),
        "verify-full": (["ssl", "ssl-verify-server-cert"], ["ssl-mode=VERIFY_IDENTITY"]),
    }
    if kind not in words:
        return []
    return words[kind][0 if _is_mariadb() else 1]


def redis(details: Details, folder: Path) -> Command:
    """redis-cli: the password in its environment, which only its own user can read."""
    words = ["-h", host(details), "-p", port(details), "--user", value(details, "username")]
    words += ["--tls"] if details.get("tls") is True else []
    return Command(tuple(words), {"REDISCLI_AUTH": one_line(secret(details, "password"))})


def ssh(details: Details, folder: Path) -> Command:
    """ssh: key, certificate and known hosts in files; keys of the person's own are not offered."""
    user, at = value(details, "username"), host(details)
    if not _HOST.fullmatch(user):
        raise Problem(f"The server says “{user}” where a user should be; it is not used.")
    words = ["-p", port(details), "-l", user]
    if key := secret(details, "private_key"):
        file = write(folder / "key", key if key.endswith("\n") else key + "\n")
        words += ["-i", str(file), "-o", "IdentitiesOnly=yes"]
        if certificate := value(details, "certificate"):
            words += ["-o", f"CertificateFile={write(folder / 'key-cert.pub', certificate + chr(10))}"]
    hosts = details.get("known_hosts")
    if isinstance(hosts, str) and hosts.strip():
        known = write(folder / "known_hosts", hosts + "\n")
        words += ["-o", f"UserKnownHostsFile={known}", "-o", "GlobalKnownHostsFile=/dev/null"]
        words += ["-o", "StrictHostKeyChecking=yes"]
    return Command((*words, at))


def kubernetes(details: Details, folder: Path) -> Command:
    """kubectl: a kubeconfig of its own, made of what may stand in one; where people sign in themselves, their own."""
    text = secret(details, "kubeconfig")
    if text:
        file = write(folder / "kubeconfig", kubeconfig(text))
        return Command(env={"KUBECONFIG": str(file)})
    if details.get("sign_in"):
        name = value(details, "cluster")
        if not _HOST.fullmatch(name):
            raise Problem(f"The server says “{name}” where a cluster should be; it is not used.")
        return Command(("--context", name))
    return Command()


_KEPT = {
    "cluster": {"server", "certificate-authority-data", "tls-server-name", "insecure-skip-tls-verify"},
    "user": {"token", "client-certificate-data", "client-key-data"},
    "context": {"cluster", "user", "namespace"},
}


def kubeconfig(text: str) -> str:
    """Return a kubeconfig with nothing in it but places, tokens and certificates. Raises Problem.

    A kubeconfig can name a program to run and files to read: whoever has taken the server over would run it here.
    """
    try:
        told = YAML(typ="safe", pure=True).load(text)
        found: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": str(told["current-context"])}
        for kind, kept in _KEPT.items():
            found[f"{kind}s"] = [{"name": str(one["name"]), kind: _only(one[kind], kept)} for one in told[f"{kind}s"]]
    except (YAMLError, KeyError, TypeError, AttributeError, RecursionError, ValueError):
        raise Problem("The server's kubeconfig is none that can be used.") from None
    if not all(str(one["cluster"].get("server", "")).startswith("https://") for one in found["clusters"]):
        raise Problem("The server's kubeconfig leads to a cluster without encryption; it is not used.")
    return json.dumps(found)


def _only(told: Mapping[str, Any], kept: set[str]) -> dict[str, Any]:
    if other := sorted(map(str, set(told) - kept)):
        raise Problem(f"The server's kubeconfig has {other[0]} in it, which is not used.")
    return {str(name): one if isinstance(one, bool) else str(one) for name, one in told.items()}


def aws(details: Details, folder: Path) -> Command:
    """aws: the key in its environment; the person's own profiles have no part in it."""
    region = value(details, "region")
    if not _REGION.fullmatch(region):
        raise Problem(f"The server says “{region}” where a region should be; it is not used.")
    env = {
        "AWS_ACCESS_KEY_ID": one_line(secret(details, "access_key_id")),
        "AWS_SECRET_ACCESS_KEY": one_line(secret(details, "secret_access_key")),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }
    return Command(env=env, without=("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"))


# By the type of the integration.
PROGRAMS: dict[str, Program] = {
    "postgresql": Program(("psql",), postgresql),
    "mysql": Program(("mysql", "mariadb"), mysql),
    "mariadb": Program(("mysql", "mariadb"), mysql),
    "redis": Program(("redis-cli", "valkey-cli"), redis),
    "ssh": Program(("ssh",), ssh),
    "kubernetes": Program(("kubectl",), kubernetes, opens_shell=True),
    "aws-account": Program(("aws",), aws, opens_shell=True),
}
