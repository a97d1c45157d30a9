"""python -m connectors.vet [folder …]: proves provider folders; without any, all that come with the product.

With --live FILE, one folder is proved on the real target that the file starts (see connectors.vet.live).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from connectors.contract.errors import Misconfigured
from connectors.registry import PROVIDERS, Registry
from connectors.vet import live, stories, vet


def main(arguments: list[str]) -> int:
    """Write every complaint; return 1 if there was one."""
    parser = argparse.ArgumentParser(prog="python -m connectors.vet", description="Proves provider folders.")
    parser.add_argument("folders", nargs="*", type=Path, help="the folders; without any, all of the product")
    parser.add_argument("--live", type=Path, metavar="FILE", help="prove one folder on the target that FILE starts")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="crash only at every N-th place")
    given = parser.parse_args(arguments)
    folders = [folder.resolve() for folder in given.folders]
    folders = folders or sorted(path.parent for path in PROVIDERS.glob("*/manifest.toml"))
    wrong = [words for folder in folders for words in vet(folder)]
    for words in wrong:
        sys.stderr.write(f"{words}\n")
    if wrong:
        return 1
    sys.stdout.write(f"{len(folders)} provider(s) vetted: {', '.join(folder.name for folder in folders)}\n")
    if given.live is None:
        return 0
    if len(folders) != 1:
        parser.error("--live proves one folder")
    return _live(folders[0], given.live, given.every)


def _live(folder: Path, path: Path, every: int) -> int:
    """Tell the stories on a real target, with a line each."""
    registry = Registry(folder.parent)
    try:
        file = live.load(path)
    except Misconfigured as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    if reason := file.missing():
        sys.stderr.write(f"There can be no target here: {reason}\n")
        return 1
    failed = 0
    with file.live() as target:
        stage = stories.Stage(folder.name, target, stories.in_this_process(registry), registry)
        for name, wrong in stories.prove(stage, every=every):
            failed += bool(wrong)
            sys.stdout.write(f"{'NOT' if wrong else 'ok '} {name}{': ' + wrong if wrong else ''}\n")
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
