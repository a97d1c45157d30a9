"""Private Redis and Valkey servers, and the cast of the provider's tests."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import (
    Desired,
    Ending,
    Grant,
    GrantReport,
    Order,
    Page,
    Person,
    Report,
    Unit,
    UnitOutcome,
    Verb,
)
from connectors.contract.secret import Secret
from connectors.registry import PROVIDERS
from connectors.runners.local import run
from connectors.toolkit.sealing import new_private_key, open_sealed, public_key
from tests import children
from tests.targets import free_port

# Where script/optional-servers puts a Valkey.
VALKEY = Path(__file__).parents[2] / "build" / "valkey" / "valkey-server"
SETUP = PROVIDERS / "redis" / "setup" / "1_connector.sh"
ADMIN_PASSWORD = "admin-secret"
CONNECTOR, CONNECTOR_PASSWORD = "latchkey", "connector-secret"
KEY = new_private_key()
_numbers = itertools.count(1)


def redis_program() -> str:
    """Return Debian's server, or nothing."""
    return shutil.which("redis-server") or ""


def missing(program: str) -> str:
    """Return why this server program cannot be run here, or nothing."""
    if program and Path(program).is_file() and shutil.which("redis-cli"):
        return ""
    return "There is no such server (Debian's package redis-server; script/optional-servers valkey)."


@dataclass
class RedisServer:
    """A private server. Its user `default` is the admin, with a password; the set-up makes the connector's."""

    program: str
    options: tuple[str, ...] = ()
    acl_file: bool = True
    port: int = field(default_factory=free_port)
    tls_port: int = 0
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="latchkey-redis-", dir="/tmp")))
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> RedisServer:
        """Start; a second time on the same port with the same files."""
        acl = self.folder / "users.acl"
        settings = self.folder / "redis.conf"
        if not settings.exists():
            lines = [f"port {self.port}", "bind 127.0.0.1", "save ''", "enable-debug-command no"]
            lines += [f"aclfile {acl}"] if self.acl_file else [f"user default on >{ADMIN_PASSWORD} ~* &* +@all"]
            settings.write_text("\n".join([*lines, *self.options, ""]))
            acl.write_text(f"user default on >{ADMIN_PASSWORD} ~* &* +@all\n")
        command = [self.program, str(settings), "--dir", str(self.folder)]
        self.process = children.start(command, self.folder / "log", self._answers)
        return self

    def stop(self) -> None:
        """Stop, if it runs."""
        if self.process is not None:
            children.stop(self.process)
            self.process = None

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def set_up(self, persistence: str = "acl_file") -> RedisServer:
        """Run the set-up file as the admin would."""
        subprocess.run(
            ["sh", str(SETUP), "-h", "127.0.0.1", "-p", str(self.port)],
            env={
                **os.environ,
                "LATCHKEY_PASSWORD": CONNECTOR_PASSWORD,
                "LATCHKEY_PERSISTENCE": persistence,
                "REDISCLI_AUTH": ADMIN_PASSWORD,
            },
            check=True,
            capture_output=True,
        )
        return self

    def client(self, username: str = "default", password: str = ADMIN_PASSWORD, **options: Any) -> redis.Redis:
        """Return a client; the admin's without arguments."""
        return redis.Redis(
            host="127.0.0.1",
            port=self.port,
            username=username,
            password=password,
            **{
                "decode_responses": True,
                "socket_timeout": 10,
                "protocol": 2,
                "retry": Retry(NoBackoff(), 0),
                **options,
            },
        )

    def admin(self, *command: str) -> Any:
        """Send one command as the admin."""
        with self.client() as client:
            return client.execute_command(*command)

    def user(self, name: str) -> list[Any] | None:
        """Return a user as the server has it, in RESP2's plain shape."""
        with self.client() as client:
            client.response_callbacks.pop("ACL GETUSER", None)
            found = client.execute_command("ACL GETUSER", name)
        return list(found) if found else None

    def users(self) -> list[str]:
        """Return what the server says of its users; the order of the commands in a rule is the server's own whim."""
        with self.client() as client:
            lines = client.acl_list()
        return sorted(" ".join(sorted(line.split())) for line in lines)

    def _answers(self) -> bool:
        with suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False


@contextmanager
def running(program: str, *options: str, acl_file: bool = True) -> Iterator[RedisServer]:
    """Run a private server that is set up, for the length of a block."""
    server = RedisServer(program, options, acl_file)
    try:
        yield server.start().set_up("acl_file" if acl_file else "memory")
    finally:
        server.remove()


@dataclass
class RedisWorld:
    """A server, a person, and orders about them."""

    server: RedisServer
    person: Person = field(default_factory=lambda: Person(f"person-{next(_numbers)}", "nobody.in.particular"))
    integration: str = "integration-1"
    config: dict[str, Any] = field(default_factory=dict)
    password: str = CONNECTOR_PASSWORD

    def unit(self, permission: str = "READ_ONLY", pattern: str = "app:*", kind: str = "key-pattern") -> Unit:
        """Return a unit; without arguments, reading the keys of one pattern."""
        return Unit(kind, pattern, permission)

    def grant(self, *units: Unit, login: str = "", wants: bool = True) -> Grant:
        """Return a grant."""
        number = next(_numbers)
        return Grant(f"grant-{number}", login or f"lk_ada_{number}", units or (self.unit(),), time.time() + 3600, wants)

    def order(self, verb: Verb, desired: Desired | None = None, **changes: Any) -> Order:
        """Return an order to this server."""
        config = {
            "hostname": "127.0.0.1",
            "port": self.server.port,
            "tls": "false",
            "username": CONNECTOR,
            "persistence": "acl_file" if self.server.acl_file else "memory",
            "key_patterns": "app:*\ncache:*\ngröße:*",
            "channel_patterns": "news:*",
            **self.config,
        }
        order = Order("order-1", 1, verb, "redis", self.integration, config, {"password": Secret(self.password)})
        return replace(order, desired=desired, seal_to=public_key(KEY), **changes)

    def do(self, verb: Verb, holds: tuple[Grant, ...] = (), gone: tuple[Grant, ...] = (), **changes: Any) -> Report:
        """Run an order; about the person where the verb is about one."""
        endings = tuple(Ending(one.grant_id, one.login, one.units) for one in gone)
        about = Desired(self.person, holds, endings) if verb not in (Verb.CHECK, Verb.DISCOVER) else None
        return run(self.order(verb, about, **changes), on_page=lambda page: None)

    def apply(self, *holds: Grant, gone: tuple[Grant, ...] = (), **changes: Any) -> Report:
        """Make the person hold these grants."""
        return self.do(Verb.APPLY, holds, gone, **changes)

    def end(self, *grants: Grant, **changes: Any) -> Report:
        """End these grants."""
        return self.apply(gone=grants, **changes)

    def discover(self, *types: str, page_size: int = 5000) -> list[Page]:
        """Return the inventory."""
        pages: list[Page] = []
        report = run(self.order(Verb.DISCOVER, resource_types=types, page_size=page_size), on_page=pages.append)
        assert report.error is None, report.error
        return pages

    def sign_in(self, grant: Grant, report: Report) -> redis.Redis:
        """Return a client with the credentials of a report."""
        return self.server.client(grant.login, credentials(report, grant)["password"])


def credentials(report: Report, grant: Grant) -> dict[str, str]:
    """Return the credentials that a report has for a grant."""
    sealed = next(entry.sealed_credentials for entry in report.grants if entry.grant_id == grant.grant_id)
    opened = json.loads(open_sealed(KEY, sealed, grant.grant_id.encode()))
    return {str(name): str(value) for name, value in opened.items()}


def told(report: Report, grant_id: str) -> GrantReport:
    """Return what a report says of a grant."""
    assert report.error is None, report.error
    return next(one for one in report.grants if one.grant_id == grant_id)


def outcomes(report: Report, grant_id: str) -> list[UnitOutcome]:
    """Return what became of a grant's units."""
    return [one.outcome for one in told(report, grant_id).units]


def kind(report: Report) -> ErrorKind | None:
    """Return the kind of error of a report."""
    return report.error.kind if report.error else None


def refused(client: redis.Redis, *command: str) -> bool:
    """Say whether a command is refused for want of a right."""
    try:
        client.execute_command(*command)
    except redis.exceptions.NoPermissionError:
        return True
    except redis.ResponseError:
        return False
    return False
