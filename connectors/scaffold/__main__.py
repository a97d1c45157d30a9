"""python -m connectors.scaffold ID [--like ID]: writes a new provider folder, its tests and its live file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from connectors.contract.errors import Misconfigured
from connectors.registry import BUILT_IN, PROVIDERS
from connectors.scaffold import scaffold

TESTS = PROVIDERS.parent.parent / "tests" / "connectors"


def main(arguments: list[str]) -> int:
    """Write the files, name them, and say what comes next; return 1 when that was refused."""
    parser = argparse.ArgumentParser(prog="script/new-provider", description="Makes a new provider.")
    parser.add_argument("id", help="the provider's id, which is its folder's name")
    parser.add_argument("--like", metavar="ID", help="the provider to begin with a copy of")
    parser.add_argument("--providers", type=Path, default=PROVIDERS, help="where providers are")
    parser.add_argument("--tests", type=Path, default=TESTS, help="where their tests are")
    given = parser.parse_args(arguments)
    try:
        like = BUILT_IN.folder(given.like) if given.like else None
        written = scaffold(given.id, given.providers.resolve(), given.tests.resolve(), like)
    except (ValueError, FileExistsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Misconfigured as error:
        sys.stderr.write(f"{error.message} {error.fix}\n")
        return 1
    sys.stdout.writelines(f"{path}\n" for path in written)
    folder = given.providers / given.id
    sys.stdout.write(f"\nNext: python -m connectors.vet {folder} --live {written[-2]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
