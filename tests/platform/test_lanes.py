"""script/test adds its lanes up and ends with the line that others read; script/bench holds numbers against limits."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.platform.processes import ROOT, environment


def load(path: Path, name: str) -> ModuleType:
    """Import a script that lies outside the packages."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


lanes = load(ROOT / "script" / "lib" / "lanes.py", "lanes_under_test")
benchmarks = load(ROOT / "script" / "benchmarks" / "__init__.py", "benchmarks_under_test")
OPTIONS = Namespace(full=False, seed="7")


def lane(folder: Path, name: str, status: int = 0, skips: tuple[Any, ...] = (), **outcomes: int) -> Any:
    """Return a lane that has ended."""
    report = folder / f"{name}.json"
    report.write_text(json.dumps({"outcomes": outcomes, "skips": list(skips)}))
    return lanes.Lane(name, SimpleNamespace(returncode=status), folder / "log", report)


def test_lanes_are_summed_in_a_line_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = [lane(tmp_path, "sqlite", passed=3, skipped=1), lane(tmp_path, "postgresql", passed=2)]
    assert lanes.summarise(ended, OPTIONS, 61.4) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "5 passed, 0 failed, 1 skipped" in lines
    assert "Seed 7; fast lane in 61 s." in lines


def test_what_was_skipped_is_listed_with_its_reason_and_lanes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skip = ("tests/a.py::test_b", "No redis-server.")
    ended = [lane(tmp_path, name, skips=(skip,), passed=1, skipped=1) for name in ("sqlite", "postgresql")]
    lanes.summarise(ended, OPTIONS, 1)
    assert "  tests/a.py::test_b (sqlite, postgresql): No redis-server." in capsys.readouterr().out.splitlines()


def test_a_failure_fails_the_run(tmp_path: Path) -> None:
    assert lanes.summarise([lane(tmp_path, "plain", 1, passed=9, failed=1)], OPTIONS, 1) == 1


def test_a_run_without_tests_fails(tmp_path: Path) -> None:
    assert lanes.summarise([lane(tmp_path, "plain", lanes.NOTHING_TO_RUN)], OPTIONS, 1) == 1


def test_a_lane_that_broke_off_is_a_failure(tmp_path: Path) -> None:
    broken = lanes.Lane("plain", SimpleNamespace(returncode=3), tmp_path / "log", tmp_path / "never-written")
    assert broken.outcomes()["failed"] == 1
    assert lane(tmp_path, "plain", 2, passed=5).outcomes()["failed"] == 1


def test_arguments_after_the_dashes_are_pytests() -> None:
    options, rest = lanes.parse(["--full", "--seed", "5", "--", "-k", "sign_in"])
    assert (options.full, options.seed, rest) == (True, "5", ["-k", "sign_in"])


@pytest.mark.parametrize(
    ("most", "least", "kept"),
    [(None, None, True), (2, None, True), (1, None, False), (None, 2, True), (None, 3, False)],
)
def test_a_measure_is_held_against_its_limit(most: float | None, least: float | None, kept: bool) -> None:
    measure = benchmarks.Measure("speed", 2, "x", most=most, least=least)
    assert measure.kept is kept
    assert ("MISSED" in measure.line()) is not kept


def test_a_benchmark_is_a_file_with_its_name() -> None:
    ended = subprocess.run(
        [sys.executable, "script/bench.py", "nothing"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert re.search(r"no such benchmark: nothing; there are .*\bup\b", ended.stderr)
