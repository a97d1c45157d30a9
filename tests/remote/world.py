"""A real server, real workers and a target that all of them can reach, for the tests of the link."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.utils import timezone

from access_requests.models import AccessRequest
from audit.actor import system
from integrations import actions, queries
from integrations.models import Connector, Integration
from tests.cast import Cast
from tests.journeys.stack import Stack, wait_for
from tests.platform.processes import ROOT, environment
from tests.remote.ledger import PROVIDERS, Ledger
from tests.remote.line import Line
from tests.simulated import Target
from tests.story import Story, flow, put_into

# With a lease of six seconds (tests.journeys.stack) a beat a second leaves five of them to work in.
SETTINGS = {"LATCHKEY_HEARTBEAT_SECONDS": "1", "LATCHKEY_PROVIDERS": str(PROVIDERS), "LATCHKEY_LOG_LEVEL": "INFO"}


@dataclass
class WorkerProcess:
    """One instance of a connector, as an operator starts it."""

    log: Path
    process: subprocess.Popen[bytes]

    def said(self) -> str:
        """Return its log so far."""
        return self.log.read_text()

    def wait_for(self, text: str, seconds: float = 30, times: int = 1) -> None:
        """Wait until its log has the text."""
        wait_for(f"{text!r} in: {self.said()[-2000:]}", lambda: self.said().count(text) >= times, seconds)

    def kill(self) -> None:
        """SIGKILL."""
        self.send(signal.SIGKILL)
        self.process.wait(10)

    def send(self, number: int) -> None:
        """Send a signal, if it lives."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def end(self) -> None:
        """Make sure that it is gone."""
        self.send(signal.SIGCONT)
        self.kill()


@dataclass
class World:
    """What one module of tests has."""

    stack: Stack
    cast: Cast
    folder: Path
    workers: list[WorkerProcess] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    count: int = 0

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://127.0.0.1:{self.stack.port}"

    def connector(self) -> tuple[Connector, str]:
        """Make a remote connector and a token for it."""
        self.count += 1
        row = actions.create_connector(f"Site {self.count}", actor=system())
        return row, actions.make_token(row, actor=system())

    def line(self) -> Line:
        """Return a line to the server that the test holds in its hands."""
        self.lines.append(Line(self.stack.port))
        return self.lines[-1]

    def worker(self, token: str, url: str = "", *, wait: bool = True, **settings: str) -> WorkerProcess:
        """Start an instance."""
        log = self.folder / f"worker-{time.monotonic_ns()}.log"
        told = {"LATCHKEY_URL": url or self.url, "LATCHKEY_CONNECTOR_TOKEN": token, **settings}
        told.setdefault("LATCHKEY_PROVIDERS", str(PROVIDERS))
        kept = {name: value for name, value in environment().items() if not name.lower().endswith("_proxy")}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "connectors.runners.worker"],
                cwd=ROOT, env={**kept, **told}, stdout=output, stderr=output,
            )  # fmt: skip
        self.workers.append(WorkerProcess(log, process))
        if wait:
            self.workers[-1].wait_for("Linked with")
        return self.workers[-1]

    def story(self, connector: Connector, *databases: str, password: str = "", **columns: int) -> RemoteStory:
        """Connect a ledger through a remote connector, with a flow over its databases, and wait for the first sync."""
        self.count += 1
        ledger = Ledger(self.folder / f"ledger-{self.count}.sqlite3")
        ledger.password = password or ledger.password
        ledger.create(*(databases or ("orders", "stock")))
        integration = actions.connect(
            f"Ledger {self.count}",
            "ledger",
            config={"path": str(ledger.path)},
            secrets={"password": ledger.password},
            connector=connector,
            actor=system(),
        )
        flow(integration, f"Ledger {self.count}", columns=columns)
        return RemoteStory(self.cast, integration, Target(), timezone.now(), ledger)

    def tidy(self) -> None:
        """End what one test started."""
        for worker in self.workers:
            worker.end()
        for line in self.lines:
            line.close()
        self.workers.clear()
        self.lines.clear()


@dataclass
class RemoteStory(Story):
    """The story in short words, told at the real time: the server does the work, the test waits for it."""

    ledger: Ledger = field(default_factory=lambda: Ledger(Path(os.devnull)))

    def synced(self) -> RemoteStory:
        """Wait until the first sync is in."""
        wait_for("the first sync", lambda: Integration.objects.get(pk=self.integration.pk).synced_at is not None)
        return self

    def give(self, *names: str, **more: object) -> AccessRequest:
        """Ask and have it approved, now."""
        self.now = timezone.now()
        request = self.ask(*names, **more)
        self.now = timezone.now()
        self.approve(request)
        return request

    def until(self, request: AccessRequest, state: str, seconds: float = 60) -> AccessRequest:
        """Wait until the request is in a state."""
        wait_for(f"{state}; it is {self.fresh(request).state}", lambda: self.fresh(request).state == state, seconds)
        return self.fresh(request)

    def hand_back(self, request: AccessRequest) -> None:
        """End it, as the grantee does."""
        from access_requests import actions as lifecycle

        user = request.grantee
        lifecycle.hand_back(self.fresh(request), user=user, actor=self.by(user))


def alive(connector: Connector) -> int:
    """Return how many instances the server takes for alive."""
    return queries.alive_instances(connector, timezone.now()).count()


def holds(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether something stays true for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            return False
        time.sleep(0.1)
    return True


def people(cast: Cast) -> None:
    """Put the cast into the groups that flows name."""
    put_into("engineers", cast.requester)
    put_into("approvers", cast.approver)
