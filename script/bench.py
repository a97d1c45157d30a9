"""Runs benchmarks by name and holds what they measured against its limit.

A benchmark is a file of script/benchmarks with `run() -> Iterator[Measure]`; its name is the file's, its description
the first line of its docstring. A ratio compares with a raw way measured in the same run, so that it means the same on
every machine.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "requests"), str(ROOT / "script")]

from benchmarks import Measure  # noqa: E402  # found only now


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(path.stem for path in (ROOT / "script" / "benchmarks").glob("*.py") if path.stem != "__init__")


def run(name: str) -> list[Measure]:
    """Run one benchmark, printing each measure as it comes."""
    module = importlib.import_module(f"benchmarks.{name}")
    print(f"\n{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
    began, measures = time.monotonic(), []
    for measure in module.run():
        measures.append(measure)
        print(f"  {measure.line()}", flush=True)
    print(f"  ({time.monotonic() - began:.0f} s)")
    return measures


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks that were named, or all; the exit status is 1 when a limit was missed."""
    parser = argparse.ArgumentParser(prog="script/bench", description="Measures Latchkey against its limits.")
    parser.add_argument("name", nargs="*", help=f"which benchmarks: {', '.join(names())} (default: all)")
    chosen = parser.parse_args(arguments).name or names()
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(names())}")
    missed = [measure for name in chosen for measure in run(name) if not measure.kept]
    print(f"\n{len(missed)} limits missed." if missed else "\nAll limits kept.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
