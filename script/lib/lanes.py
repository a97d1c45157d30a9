"""Runs pytest once per lane, side by side, and adds the lanes up.

What uses our own database runs on SQLite and on PostgreSQL; everything else runs once. The conftest of the tests
decides by the fixtures which is which, starts the private PostgreSQL and writes a report that is read here.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Name, LATCHKEY_TEST_DATABASE, what of the tests.
LANES = (("plain", "sqlite", "plain"), ("sqlite", "sqlite", "database"), ("postgresql", "postgresql", "database"))
# The plain lane mostly waits for the servers that providers are tried on, the others at times for processes they start:
# several processes of each take no longer.
WORKERS = {"plain": 4, "sqlite": 2, "postgresql": 2}
NOTHING_TO_RUN = 5


@dataclass
class Lane:
    """One pytest process with its output and its report."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path
    report: Path
    seconds: float = 0.0

    def outcomes(self) -> Counter[str]:
        """Return the counts; a process that broke off before it could report counts as one failure."""
        if not self.report.exists():
            return Counter(failed=1)
        counts = Counter(json.loads(self.report.read_text())["outcomes"])
        if self.process.returncode not in {0, NOTHING_TO_RUN} and not counts["failed"]:
            counts["failed"] += 1
        return counts

    def skips(self) -> list[tuple[str, str]]:
        """Return (test, reason) of what was skipped."""
        return [] if not self.report.exists() else json.loads(self.report.read_text())["skips"]


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return our options and, after `--`, pytest's."""
    ours, theirs = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        ours, theirs = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(prog="script/test", description="Runs the tests on both databases.")
    parser.add_argument("--full", action="store_true", help="everything, not only the fast lane")
    parser.add_argument("--broad", action="store_true", help="the fast lane, with the whole of its long matrices")
    parser.add_argument("--seed", help="repeat a run by the seed it printed")
    parser.add_argument("--lane", choices=[lane[0] for lane in LANES], action="append", help="only this lane")
    parser.add_argument("--workers", type=int, default=0, help="processes per lane; 0: as suits it")
    return parser.parse_args(ours), theirs


def start(lane: tuple[str, str, str], folder: Path, options: argparse.Namespace, extra: list[str]) -> Lane:
    """Start one lane."""
    name, database, only = lane
    command = [sys.executable, "-m", "pytest", "--only", only, "--seed", options.seed, "-q"]
    command += ["--hypothesis-seed", options.seed]
    command += ["--full"] if options.full else ["--sample"] if not options.broad else []
    workers = options.workers or WORKERS.get(name, 1)
    # What stays together is said in tests/sharing_out.py, which also puts first what takes longest.
    command += ["-n", str(workers), "--dist", "loadscope", "--no-loadscope-reorder"] if workers > 1 else []
    report, output = folder / f"{name}.json", folder / f"{name}.log"
    environment = os.environ | {"LATCHKEY_TEST_DATABASE": database, "LATCHKEY_TEST_REPORT": str(report)}
    # Processes of one lane have to find the same tests in the same order, also where a set gives the parameters.
    environment.setdefault("PYTHONHASHSEED", options.seed)
    with output.open("wb") as log:
        process = subprocess.Popen([*command, *extra], cwd=ROOT, env=environment, stdout=log, stderr=log)
    return Lane(name, process, output, report)


def warm() -> None:
    """Have pytest rewrite the tests once, where it never did: every process of every lane would do it for itself."""
    if any((ROOT / "tests" / "__pycache__").glob("conftest.*-pytest-*.pyc")):
        return
    folders = sorted(str(one) for one in (ROOT / "tests").iterdir() if (one / "__init__.py").exists())
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
    halves = [
        subprocess.Popen([*command, *half], cwd=ROOT, stdout=subprocess.DEVNULL)
        for half in (folders[::2], folders[1::2])
    ]
    # Whatever goes wrong here goes wrong again in the lanes, and is told there.
    for process in halves:
        process.wait()


def wait(lanes: list[Lane], began: float) -> None:
    """Wait for all lanes, printing the output of each as it ends."""
    running = list(lanes)
    try:
        while running:
            for lane in [lane for lane in running if lane.process.poll() is not None]:
                lane.seconds = time.monotonic() - began
                running.remove(lane)
                print(f"\n== {lane.name} ({lane.seconds:.0f} s)\n{lane.output.read_text(errors='replace')}", flush=True)
            time.sleep(0.1)
    finally:
        for lane in running:
            lane.process.terminate()
            lane.process.wait()


def print_skips(lanes: list[Lane]) -> None:
    """Print what was skipped and why: one line per reason and test, with the lanes it was skipped in."""
    where: dict[tuple[str, str], list[str]] = {}
    for lane in lanes:
        for test, reason in lane.skips():
            where.setdefault((reason, test), []).append(lane.name)
    print("\nSkipped:" if where else "\nNothing was skipped.")
    for (reason, test), names in sorted(where.items()):
        print(f"  {test} ({', '.join(names)}): {reason}")


def summarise(lanes: list[Lane], options: argparse.Namespace, seconds: float) -> int:
    """Print the end of the run and return the exit status."""
    total: Counter[str] = Counter()
    for lane in lanes:
        total += lane.outcomes()
    print_skips(lanes)
    if total["only in the full lane"]:
        print(f"Left for the full lane (script/test --full): {total['only in the full lane']}.")
    if halves := total["on the other database"]:
        print(f"On one of the two databases, as the seed says (on both with --full): {halves}.")
    if others := total["with another seed"]:
        print(f"Of the long matrices, left for other seeds (all with --broad or --full): {others}.")
    print(f"Seed {options.seed}; {'full' if options.full else 'fast'} lane in {seconds:.0f} s.")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    if not total["passed"] + total["failed"]:
        print("No test ran.", file=sys.stderr)
        return 1
    return 1 if total["failed"] else 0


def main(arguments: list[str]) -> int:
    """Run the lanes."""
    # Ended from outside, it takes its lanes along: they stop the servers they started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    options, extra = parse(arguments)
    options.seed = options.seed or str(secrets.randbelow(10**6))
    chosen = [lane for lane in LANES if not options.lane or lane[0] in options.lane]
    began = time.monotonic()
    # Tests start many processes of ours: each would compile everything anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    warm()
    with tempfile.TemporaryDirectory(prefix="latchkey-lanes-") as folder:
        lanes = [start(lane, Path(folder), options, extra) for lane in chosen]
        wait(lanes, began)
        return summarise(lanes, options, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
