"""Prepared servers, a person who asks for them, and the orders about that person."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

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
from connectors.contract.provider import remember
from connectors.contract.secret import Secret
from connectors.runners import local
from connectors.toolkit.sealing import new_private_key, open_sealed, public_key
from tests import hosts
from tests.hosts import Host, Keys

INTEGRATION = "integration-1"
_numbers = itertools.count(1)


def login_on(host: Host) -> Unit:
    """Return the unit of a plain login."""
    return Unit("server", json.dumps([host.name]), "LOGIN")


def sudo_on(host: Host) -> Unit:
    """Return the unit of a login that may become root."""
    return Unit("server", json.dumps([host.name]), "SUDO")


def group_on(host: Host, permission: str = "MEMBER", group: str = "deploy") -> Unit:
    """Return the unit of a group."""
    return Unit("group", json.dumps([host.name, group], separators=(",", ":")), permission)


def outcomes(report: Report, grant: Grant) -> list[UnitOutcome]:
    """Return what became of the units of a grant."""
    assert report.error is None, report.error
    return [one.outcome for one in of(report, grant).units]


def of(report: Report, grant: Grant) -> GrantReport:
    """Return what a report says of a grant."""
    (found,) = [one for one in report.grants if one.grant_id == grant.grant_id]
    return found


@dataclass
class Shown:
    """What a grantee was shown."""

    login: str
    private_key: str
    certificate: str


def somebody() -> Person:
    """Return a person nobody has heard of."""
    number = next(_numbers)
    return Person(f"person-{number}", "Ada", (f"ada{number}@example.com", f"ada{number}"))


@dataclass
class Servers:
    """Some servers of one integration, and one person."""

    hosts: list[Host]
    made: Keys
    person: Person = field(default_factory=somebody)
    key: str = field(default_factory=new_private_key)
    memory: dict[Unit, bool] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Grant] = field(default_factory=dict)
    # How the person signs in with an account of their own.
    own: Shown | None = None

    @property
    def one(self) -> Host:
        """Return the first server."""
        return self.hosts[0]

    def grant(self, *units: Unit, seconds: float = 3600.0) -> Grant:
        """Return a grant of these units."""
        number = next(_numbers)
        id_ = f"00000000-0000-4000-8000-{number:012d}"
        return Grant(id_, f"lk_ada_{number:06d}", units or (login_on(self.one),), time.time() + seconds, True)

    def order(self, verb: Verb, holds: tuple[Grant, ...] = (), gone: tuple[Grant, ...] = (), **change: Any) -> Order:
        """Return an order."""
        about = verb not in (Verb.CHECK, Verb.DISCOVER)
        config = {
            "servers": json.dumps([{"name": one.name, "host": "127.0.0.1", "port": one.port} for one in self.hosts]),
            "known_hosts": "".join(one.known_hosts for one in self.hosts),
            **self.config,
        }
        order = Order(
            order_id="order-1",
            epoch=1,
            verb=verb,
            provider="ssh",
            integration_id=INTEGRATION,
            config=config,
            secrets={"base64_private_key": Secret(self.made.connector), "ca_private_key": Secret(self.made.ca)},
            desired=Desired(self.person, holds, tuple(Ending(one.grant_id, one.login, one.units) for one in gone))
            if about
            else None,
            seal_to=public_key(self.key),
            resource_types=("server", "group"),
        )
        return replace(order, **change)

    def run(self, order: Order, on_page: Callable[[Page], None] = lambda page: None) -> Report:
        """Run an order."""
        return local.run(order, on_page=on_page, baseline=remember(self.memory))

    def apply(self, *holds: Grant, gone: tuple[Grant, ...] = (), **change: Any) -> Report:
        """Make the person hold these grants and end the others."""
        return self.run(self.order(Verb.APPLY, holds, gone, **change))

    def give(self, *units: Unit, seconds: float = 3600.0) -> tuple[Grant, Shown]:
        """Give a grant, whole, beside those that were given so before; return what the grantee is shown."""
        grant = self.grant(*units, seconds=seconds)
        report = self.apply(*self.given.values(), grant)
        assert set(outcomes(report, grant)) == {UnitOutcome.HELD}, report
        self.given[grant.grant_id] = replace(grant, wants_credentials=False)
        return self.given[grant.grant_id], self.shown(report, grant)

    def end(self, *grants: Grant) -> Report:
        """End grants and clean up after them."""
        for grant in grants:
            self.given.pop(grant.grant_id, None)
        report = self.apply(*self.given.values(), gone=grants)
        for grant in grants:
            assert set(outcomes(report, grant)) <= {UnitOutcome.GONE}, report
        assert report.read_back is not None
        assert not {one.grant_id for one in report.read_back.ours} & {grant.grant_id for grant in grants}
        self.run(self.order(Verb.CLEAN_UP, (), grants))
        return report

    def shown(self, report: Report, grant: Grant) -> Shown:
        """Open what was sealed."""
        told = of(report, grant)
        secret = json.loads(open_sealed(self.key, told.sealed_credentials, grant.grant_id.encode()))
        assert set(secret) == {"private_key"}
        return Shown(told.details["username"], secret["private_key"], told.details["certificate"])


@contextmanager
def way_in(host: Host, shown: Shown, *options: str, login: str = "") -> Iterator[list[str]]:
    """Return the command with which a grantee signs in; what they run there is put behind it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "known").write_text(host.known_hosts)
        key = folder / "key"
        key.touch(mode=0o600)
        key.write_text(shown.private_key)
        command = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={folder / 'known'}"]
        command += ["-o", "ConnectTimeout=5", "-o", "IdentitiesOnly=yes", "-i", str(key), "-p", str(host.port)]
        if shown.certificate:
            (folder / "key-cert.pub").write_text(shown.certificate + "\n")
            command += ["-o", f"CertificateFile={key}-cert.pub"]
        yield [*command, *options, f"{login or shown.login}@127.0.0.1"]


def ssh(host: Host, shown: Shown, *words: str, login: str = "", given: str = "") -> subprocess.CompletedProcess[str]:
    """Sign in and run a command, as the grantee would."""
    with way_in(host, shown, login=login) as command:
        return subprocess.run(
            [*command, *words], capture_output=True, text=True, check=False, timeout=30, input=given or None
        )


def enters(host: Host, shown: Shown, login: str = "") -> bool:
    """Say whether somebody gets in."""
    return ssh(host, shown, "true", login=login).returncode == 0


@contextmanager
def signed_in(host: Host, shown: Shown) -> Iterator[subprocess.Popen[str]]:
    """Keep a shell open; it answers a line with a line."""
    with way_in(host, shown) as command:
        shell = subprocess.Popen([*command, "sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            # Signed in, or refused: what a test does next must not overtake the handshake.
            says(shell, "echo here")
            yield shell
        finally:
            shell.kill()
            shell.communicate()


def says(shell: subprocess.Popen[str], line: str) -> str:
    """Give a shell a line and return what it answers; nothing when it is gone."""
    assert shell.stdin is not None and shell.stdout is not None
    try:
        shell.stdin.write(line + "\n")
        shell.stdin.flush()
        return shell.stdout.readline().strip()
    except OSError:
        return ""


def own_key() -> tuple[str, str]:
    """Return a key pair of a person."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "own"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        return path.read_text(), path.with_suffix(".pub").read_text()


@contextmanager
def servers(*names: str, **choices: str) -> Iterator[Servers]:
    """Run prepared servers."""
    made = hosts.keys()
    with hosts.running(*names, made=made, **choices) as running:
        yield Servers(running, made)
