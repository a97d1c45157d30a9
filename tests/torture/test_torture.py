"""The torture run, as a test: short in the fast lane, ten minutes in the full one."""

from __future__ import annotations

import os
import random
import shutil
import subprocess

import pytest

from tests.platform.processes import ROOT, environment
from tests.targets import missing
from tests.torture.faults import KINDS, schedule


def run(seconds: int, *options: str) -> None:
    """Run it in a process of its own, with the seed of the tests."""
    if why := missing(16) or ("" if shutil.which("redis-server") else "no redis-server"):
        pytest.skip(why)
    seed = os.environ["LATCHKEY_TEST_SEED"]
    done = subprocess.run(
        [str(ROOT / "script" / "torture"), "--seconds", str(seconds), "--seed", seed, *options],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=seconds + 600,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "anomalies 0" in done.stdout


def test_a_short_torture_has_no_anomaly() -> None:
    # Few people, who take their time: other tests run beside it.
    run(60, "--people", "1", "--rest", "1")


@pytest.mark.full
def test_ten_minutes_of_torture_have_no_anomaly() -> None:
    run(600)


def test_a_seed_repeats_the_schedule_and_has_every_kind() -> None:
    one, other = (schedule(random.Random("7"), 600) for _ in range(2))
    assert one == other
    assert {fault.kind for fault in one} == set(KINDS)
    assert schedule(random.Random("8"), 600) != one
