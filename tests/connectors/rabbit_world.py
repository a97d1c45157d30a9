"""A private RabbitMQ, one for a test process because it takes its time, and the cast of the provider's tests."""

from __future__ import annotations

import atexit
import itertools
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import amqp
import psutil
import requests

from connectors.contract.orders import Desired, Ending, Grant, Order, Page, Person, Report, Unit, Verb
from connectors.contract.secret import Secret
from connectors.providers.rabbitmq.names import source_id
from connectors.registry import PROVIDERS
from connectors.runners.local import run
from connectors.toolkit.sealing import new_private_key, open_sealed, public_key
from tests import children
from tests.targets import free_port

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
EPMD = shutil.which("epmd") or ""
SETUP = PROVIDERS / "rabbitmq" / "setup" / "1_connector.sh"
ADMIN, ADMIN_PASSWORD = "root", "admin-secret"
CONNECTOR, CONNECTOR_PASSWORD = "latchkey", "connector-secrét"
KEY = new_private_key()
_numbers = itertools.count(1)
_shared: list[RabbitServer] = []


def missing() -> str:
    """Return why there can be no broker here, or nothing."""
    if not PROGRAM.is_file() or not EPMD:
        return "There is no RabbitMQ (Debian's package rabbitmq-server)."
    return ""


class RabbitServer:
    """A private broker. Its user `root` is the admin; the connector's user is made by the set-up."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="latchkey-rabbit-", dir="/tmp"))
        self.port, self.amqp_port = free_port(), free_port()
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        """Return the address of the management API."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> RabbitServer:
        """Start the port mapper and the broker; a second time with the same data."""
        as_root = os.geteuid() == 0
        user = "rabbitmq" if as_root else None
        environment = self._environment()
        for name in ("home", "mnesia", "log"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.amqp_port}\n"
            "management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self.port}\n"
            f"default_user = {ADMIN}\n"
            f"default_pass = {ADMIN_PASSWORD}\n"
        )
        if as_root:
            owner = pwd.getpwnam("rabbitmq")
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        log = self.folder / "out"
        mapper = [EPMD, "-address", "127.0.0.1", "-port", environment["ERL_EPMD_PORT"]]
        self._processes = [children.start(mapper, log, lambda: True, user=user, environment=environment)]
        broker = children.start([str(PROGRAM)], log, self._answers, user=user, environment=environment)
        self._processes.append(broker)
        return self

    def stop(self) -> None:
        """Stop both. The broker is the child of a shell, which would take long to stop it in its own way."""
        for process in reversed(self._processes):
            if process.poll() is None:
                below = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                for child in below:
                    with suppress(psutil.NoSuchProcess):
                        child.kill()
            children.stop(process)
        self._processes = []

    def stop_gently(self) -> None:
        """Stop as an admin would, so that everything is on disk."""
        below = psutil.Process(self._processes[-1].pid).children(recursive=True)
        (beam,) = [child for child in below if child.name() == "beam.smp"]
        beam.terminate()
        beam.wait(30)
        self.stop()

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def set_up(self) -> RabbitServer:
        """Run the set-up file as the admin would."""
        subprocess.run(
            ["sh", str(SETUP), self.url, "--user", f"{ADMIN}:{ADMIN_PASSWORD}"],
            env={**os.environ, "LATCHKEY_PASSWORD": CONNECTOR_PASSWORD},
            check=True,
            capture_output=True,
        )
        return self

    def admin(self, method: str, path: str, body: Any = None, *, who: tuple[str, str] = (ADMIN, ADMIN_PASSWORD)) -> Any:
        """Send one request, as the admin if nobody else is named; raise for a refusal."""
        auth = (who[0].encode().decode("latin-1"), who[1].encode().decode("latin-1"))
        answer = requests.request(method, f"{self.url}/api{path}", json=body, auth=auth, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def amqp(self, vhost: str, login: str, password: str, **options: Any) -> amqp.Connection:
        """Connect as a person would."""
        connection = amqp.Connection(
            f"127.0.0.1:{self.amqp_port}", login, password, virtual_host=vhost, connect_timeout=10, **options
        )
        connection.connect()
        return connection

    def make(self, vhost: str, *, queues: tuple[str, ...] = (), exchanges: tuple[str, ...] = ()) -> None:
        """Make a vhost with queues and exchanges."""
        here = quote(vhost, safe="")
        self.admin("PUT", f"/vhosts/{here}")
        self.admin("PUT", f"/permissions/{here}/{ADMIN}", {"configure": ".*", "write": ".*", "read": ".*"})
        for queue in queues:
            self.admin("PUT", f"/queues/{here}/{quote(queue, safe='')}", {"durable": True})
        for exchange in exchanges:
            self.admin("PUT", f"/exchanges/{here}/{quote(exchange, safe='')}", {"type": "topic", "durable": True})

    def snapshot(self) -> object:
        """Return all users and permissions."""
        users = [(one["name"], one["password_hash"], sorted(one["tags"])) for one in self.admin("GET", "/users")]
        permissions = [sorted(one.items()) for one in self.admin("GET", "/permissions")]
        return sorted(users), sorted(permissions)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "RABBITMQ_NODENAME": "latchkey@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(self._port("distribution")),
            "ERL_EPMD_PORT": str(self._port("mapper")),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def _port(self, name: str) -> int:
        path = self.folder / f"{name}.port"
        if not path.exists():
            path.write_text(str(free_port()))
        return int(path.read_text())

    def _answers(self) -> bool:
        with suppress(requests.RequestException):
            return bool(self.admin("GET", "/whoami"))
        return False


def shared() -> RabbitServer:
    """Return the broker of this process, which ends with it."""
    if not _shared:
        server = RabbitServer()
        atexit.register(server.remove)
        _shared.append(server.start().set_up())
    return _shared[0]


@dataclass
class RabbitWorld:
    """A broker with a vhost, a person, and orders about them."""

    server: RabbitServer
    vhost: str
    person: Person = field(default_factory=lambda: Person(f"person-{next(_numbers)}", "nobody.in.particular"))
    integration: str = "integration-1"
    config: dict[str, Any] = field(default_factory=dict)
    password: str = CONNECTOR_PASSWORD

    def unit(self, permission: str = "READ", *names: str, kind: str = "") -> Unit:
        """Return a unit on the vhost, or on a queue in it."""
        return Unit(kind or ("queue" if names else "vhost"), source_id(self.vhost, *names), permission)

    def grant(self, *units: Unit, login: str = "", wants: bool = True) -> Grant:
        """Return a grant."""
        number = next(_numbers)
        return Grant(f"grant-{number}", login or f"lk_ada_{number}", units or (self.unit(),), time.time() + 3600, wants)

    def order(self, verb: Verb, desired: Desired | None = None, **changes: Any) -> Order:
        """Return an order to this broker."""
        config = {"url": self.server.url, "username": CONNECTOR, "amqp_url": "", **self.config}
        order = Order("order-1", 1, verb, "rabbitmq", self.integration, config, {"password": Secret(self.password)})
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

    @contextmanager
    def signed_in(self, grant: Grant, report: Report) -> Iterator[amqp.Connection]:
        """Connect with the credentials of a report."""
        connection = self.server.amqp(self.vhost, grant.login, credentials(report, grant)["password"])
        try:
            yield connection
        finally:
            with suppress(OSError, amqp.AMQPError):
                connection.close()


def credentials(report: Report, grant: Grant) -> dict[str, str]:
    """Return the credentials that a report has for a grant."""
    sealed = next(entry.sealed_credentials for entry in report.grants if entry.grant_id == grant.grant_id)
    opened = json.loads(open_sealed(KEY, sealed, grant.grant_id.encode()))
    return {str(name): str(value) for name, value in opened.items()}


def may(work: Callable[[amqp.Channel], Any], connection: amqp.Connection) -> bool:
    """Say whether a piece of work on a new channel is allowed."""
    try:
        work(connection.channel())
    except amqp.AccessRefused:
        return False
    return True
