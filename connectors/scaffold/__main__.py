"""python -m connectors.scaffold ID: writes a new provider folder and its tests."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from connectors.registry import PROVIDERS
from connectors.scaffold import scaffold

TESTS = PROVIDERS.parent.parent / "tests" / "connectors"


def main(arguments: list[str]) -> int:
    """Write the files and name them; return 1 when that was refused."""
    parser = argparse.ArgumentParser(prog="python -m connectors.scaffold", description="Makes a new provider.")
    parser.add_argument("id", help="the provider's id, which is its folder's name")
    parser.add_argument("--providers", type=Path, default=PROVIDERS, help="where providers are")
    parser.add_argument("--tests", type=Path, default=TESTS, help="where their tests are")
    given = parser.parse_args(arguments)
    try:
        written = scaffold(given.id, given.providers.resolve(), given.tests.resolve())
    except (ValueError, FileExistsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"{path}\n" for path in written)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
