"""The schedule of faults, by seed, and how each is made. Overlapping is meant; the same part is hurt once at a time."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import requests

from tests.torture.stage import LEASE_SECONDS, Stage

PROCESSES = ("web", "worker-1", "worker-2", "beat", "remote-1", "remote-2", "redis")
KINDS = (
    *[f"kill {name}" for name in (*PROCESSES, "postgresql")],
    *[f"pause {name}" for name in (*PROCESSES, "postgresql")],
    *[f"clock {name}" for name in ("web", "worker-1", "worker-2", "beat")],
    "full postgresql", "kill target", "pause target", "target drops", "target cut", "target down", "target slow",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One fault: when it begins (seconds into the run), what, for how long, and a number it needs."""

    at: float
    kind: str
    seconds: float
    number: int


def schedule(rng: random.Random, seconds: float, kinds: tuple[str, ...] = KINDS) -> list[Fault]:
    """Return what happens in a run of this length; every kind comes as often as every other."""
    found: list[Fault] = []
    at, bag = 1.0, list[str]()
    while True:
        at += rng.uniform(0.8, 3.2)
        if at > seconds:
            return found
        if not bag:
            bag = rng.sample(kinds, len(kinds))
        kind = bag.pop()
        longest = LEASE_SECONDS + 3 if kind.startswith("pause") else 4
        number = rng.choice([-45, -20, -5, 5, 20, 45]) if kind.startswith("clock") else rng.randint(50, 4000)
        found.append(Fault(round(at, 2), kind, round(rng.uniform(0.3, longest), 2), number))


@dataclass
class Hurting:
    """Makes the faults of a schedule; remembers when each began and ended, by the clock on the wall."""

    stage: Stage
    began: list[tuple[str, float, float]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    locks: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    open: dict[int, tuple[str, float]] = field(default_factory=dict)
    read_while_full: Counter[str] = field(default_factory=Counter)

    def run(self, fault: Fault) -> None:
        """Make one fault, in a thread of its own."""
        thread = threading.Thread(target=self._one, args=[fault], daemon=True)
        self.threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Wait until all is mended."""
        for thread in self.threads:
            thread.join()

    def _one(self, fault: Fault) -> None:
        what, _, name = fault.kind.partition(" ")
        with self.locks["target" if what == "target" else name]:
            begun = time.time()
            self.open[id(fault)] = (fault.kind, begun)
            try:
                getattr(self, f"_{what}")(name, fault)
            except Exception:  # noqa: BLE001  # what cannot be hurt is told at the end: the harness is at fault then
                self.problems.append(f"{fault}: {traceback.format_exc()}")
                print(self.problems[-1], flush=True)
            del self.open[id(fault)]
            self.began.append((fault.kind, begun, time.time()))

    def _part(self, name: str):
        databases = {"postgresql": self.stage.ours, "target": self.stage.theirs}
        return databases.get(name) or self.stage.children[name]

    def _kill(self, name: str, fault: Fault) -> None:
        part = self._part(name)
        part.kill()
        time.sleep(fault.seconds / 2)
        part.start()

    def _pause(self, name: str, fault: Fault) -> None:
        part = self._part(name)
        part.pause()
        time.sleep(fault.seconds)
        part.resume()

    def _full(self, name: str, fault: Fault) -> None:
        """Let its disk be full, and stay so; then there is room again, and somebody starts it if it gave itself up."""
        disk, until = self.stage.disk, time.monotonic() + fault.seconds + 1
        while time.monotonic() < until:
            disk.fill()
            self._sign_in_while_full()
            time.sleep(0.1)
        disk.empty()
        self._part(name).mend()

    def _sign_in_while_full(self) -> None:
        """Try to sign in, which writes; what is read then is the page that says why not, never a mere error."""
        browser = requests.Session()
        browser.trust_env, address = False, f"{self.stage.address}/account/login/"
        try:
            browser.get(address, timeout=3)
            form = {
                "login": "nobody@example.com",
                "password": "wrong",
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            }
            answer = browser.post(address, data=form, headers={"Referer": address}, timeout=3)
        except (requests.RequestException, KeyError):
            self.read_while_full["nothing: web is hurt too, or waits"] += 1
            return
        said = "it says that the disk is full" if "disk is full" in answer.text else "it does not say so"
        self.read_while_full[f"{answer.status_code}, {said}"] += 1
        if answer.status_code == 500:
            self.problems.append(f"a full disk is answered by a mere 500: {answer.text[:500]}")

    def _clock(self, name: str, fault: Fault) -> None:
        self.stage.clock(name).write_text(str(fault.number))
        time.sleep(fault.seconds)
        self.stage.clock(name).unlink()

    def _target(self, how: str, fault: Fault) -> None:
        line = self.stage.line
        if how == "drops":
            self.stage.theirs.drop()
            return
        if how == "slow":
            line.slow = 0.2
        elif how == "cut":
            line.left = fault.number
        else:
            line.down = True
            line.hang_up()
        time.sleep(fault.seconds)
        line.slow, line.left, line.down = 0.0, None, False
