"""The remote worker: dials out to the server, takes orders under leases, runs them here, reports.

`python -m connectors.runners.worker`, or the console script `latchkey-connector`. It needs no inbound port, keeps
nothing on disk, and knows no Django.
"""

from __future__ import annotations

import logging
import os
import platform
import random
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from connectors import VERSION
from connectors.contract import wire
from connectors.contract.errors import Misconfigured
from connectors.contract.wire import BadMessage, Goodbye, Heartbeat, Hello
from connectors.registry import BUILT_IN, Registry
from connectors.runners import health, local
from connectors.runners.clock import LeaseClock
from connectors.runners.functions import digests
from connectors.runners.link import Link, LinkEnded, Refused, open_link
from connectors.runners.rules import Rules
from connectors.runners.rules_file import rules_from_environment
from connectors.runners.settings import BadSettings, Settings, read
from connectors.runners.underway import UnderWay
from connectors.toolkit.sealing import new_private_key, public_key

log = logging.getLogger("latchkey.connector")
# After this many beats without a word from the server the line is given up.
BEATS = 3
TICK_SECONDS = 0.25
FIRST_WAIT, LONGEST_WAIT, UNWANTED_WAIT = 0.5, 15.0, 60.0
# A link that lived for so many beats was a good one: the next try comes soon again.
GOOD_BEATS = 2


class Worker:
    """One instance of a connector."""

    def __init__(
        self,
        settings: Settings,
        *,
        registry: Registry = BUILT_IN,
        rules: Rules = local.NO_RULES,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Prepare; `run` begins. The key that secrets are sealed to is made here and never leaves memory."""
        private = new_private_key()
        self.settings, self._clock = settings, clock or LeaseClock()
        self.work = UnderWay(settings.slots, private, self._clock, registry, rules)
        self.hello = _hello(settings, public_key(private), registry, rules)
        self._stop = threading.Event()
        self._linked = False
        self._wait = FIRST_WAIT
        self._drained_by = 0.0

    def run(self) -> None:
        """Work until asked to stop, and then until what is under way is reported, or its time to drain is over."""
        while not self._is_done():
            try:
                link = open_link(self.settings.current(), self.hello, self._beat, log.warning)
            except LinkEnded as error:
                self._log_trouble(error)
            else:
                begun = time.monotonic()
                self._keep(link)
                if time.monotonic() - begun > link.welcome.heartbeat_seconds * GOOD_BEATS:
                    self._wait = FIRST_WAIT
            if not self._is_done():
                self._pause()

    def stop(self) -> None:
        """Ask it to stop."""
        self._drained_by = time.monotonic() + self.settings.drain_seconds
        self._stop.set()
        self.work.drain()

    def problem(self) -> str:
        """Return why the worker is not well, or nothing."""
        if self._stop.is_set():
            return "It is stopping."
        return "" if self._linked else f"It is not linked with {self.settings.url}."

    def _is_done(self) -> bool:
        """Whether it was asked to stop and nothing is left to do, or no time."""
        return self._stop.is_set() and (time.monotonic() >= self._drained_by or not self.work.working())

    def _pause(self) -> None:
        """Wait before the next try: longer and longer, and never all instances at once."""
        self._stop.wait(random.uniform(self._wait / 2, self._wait))  # noqa: S311 - jitter, no secret
        if self._stop.is_set():
            time.sleep(FIRST_WAIT)
        self._wait = min(max(self._wait, FIRST_WAIT) * 2, LONGEST_WAIT)

    def _log_trouble(self, error: LinkEnded) -> None:
        if isinstance(error, Refused):
            log.error("The server refuses this connector: %s", error)
            self._wait = LONGEST_WAIT if error.again else UNWANTED_WAIT
        else:
            log.warning("No link with %s: %s", self.settings.url, error)

    def _keep(self, link: Link) -> None:
        """Speak over a link until it ends."""
        how = "a web socket" if link.beats else "polling"
        log.warning("Linked with %s over %s as instance %s.", self.settings.url, how, self.hello.instance)
        if link.welcome.latest and link.welcome.latest != VERSION:
            log.warning("The server is version %s, this connector is %s.", link.welcome.latest, VERSION)
        self._linked = True
        try:
            self.work.attach(link.send, asks=link.beats)
            self._serve(link)
        except LinkEnded as error:
            log.warning("The link with %s ended: %s", self.settings.url, error)
        finally:
            self._linked = False
            self.work.attach(None)
            link.close()

    def _serve(self, link: Link) -> None:
        """Carry messages. Raises LinkEnded; returns when all is done, or when a web socket may be tried again."""
        beat = link.welcome.heartbeat_seconds
        opened = heard = time.monotonic()
        # When a beat was said last, and whether one has said that we stop.
        said, told = float("-inf"), False
        while not self._is_done():
            now = time.monotonic()
            if link.beats and now - said >= (0.0 if self._stop.is_set() and not told else beat):
                link.send(wire.write(self._beat()))
                said, told = now, self._stop.is_set()
            message = link.receive(min(TICK_SECONDS, beat))
            now = time.monotonic()
            if message is not None:
                heard = now
                if isinstance(message, Goodbye):
                    raise Refused(message.reason, again=message.again)
                self.work.hear(message)
            elif link.beats and now - heard > beat * BEATS:
                raise LinkEnded(f"nothing was heard for {now - heard:.0f} s")
            elif not link.beats and now - opened > self.settings.websocket_again_seconds:
                return
        link.send(wire.write(Goodbye("The instance stops.", again=False)))

    def _beat(self) -> Heartbeat:
        """Return how things are. The clock is read first: a lease given for an answer counts from before it."""
        now = self._clock()
        return Heartbeat(self.work.free(), self.work.working(), now)


def _hello(settings: Settings, key: str, registry: Registry, rules: Rules) -> Hello:
    """Return what the worker says of itself."""
    return Hello(
        instance=secrets.token_hex(16),
        version=VERSION,
        key=key,
        slots=settings.slots,
        place=place(os.environ),
        providers=tuple(sorted(registry.manifests())),
        functions=digests(registry, rules),
        rules=rules.digest,
    )


def place(environment: Mapping[str, str]) -> dict[str, str]:
    """Return where this process runs; `runs_as` says how it is upgraded."""
    signs = {
        "kubernetes": "KUBERNETES_SERVICE_HOST",
        "ecs": "ECS_CONTAINER_METADATA_URI_V4",
        "cloud-run": "K_SERVICE",
        "systemd": "INVOCATION_ID",
    }
    found = next((name for name, sign in signs.items() if environment.get(sign)), "")
    container = "docker" if Path("/.dockerenv").exists() else "process"
    return {
        "host": socket.gethostname(),
        "process": str(os.getpid()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "runs_as": environment.get("LATCHKEY_CONNECTOR_PLATFORM") or found or container,
    }


def main() -> int:
    """Run a worker as the environment says; return the exit status."""
    level = os.environ.get("LATCHKEY_LOG_LEVEL", "WARNING").upper()
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = read()
        for folder in settings.providers:
            BUILT_IN.add(folder)
        worker = Worker(settings, rules=rules_from_environment())
        if settings.health is not None:
            health.serve(settings.health, worker.problem)
    except (BadSettings, BadMessage, Misconfigured, OSError) as error:
        log.error("The connector does not start: %s", error)
        return 2
    _obey_signals(worker)
    worker.run()
    return 0


def _obey_signals(worker: Worker) -> None:
    """Drain at the first SIGTERM or SIGINT, leave at the second: leases expire, and others do what was under way."""

    def asked(number: int, frame: FrameType | None) -> None:
        if worker.problem() == "It is stopping.":
            os._exit(1)
        # Not here: a signal may come while a lock is held that stopping takes.
        threading.Thread(target=worker.stop, name="stop", daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)


if __name__ == "__main__":
    sys.exit(main())
