"""python -m connectors.vet [folder …]: proves provider folders; without any, all that come with the product."""

from __future__ import annotations

import sys
from pathlib import Path

from connectors.registry import PROVIDERS
from connectors.vet import vet


def main(arguments: list[str]) -> int:
    """Write every complaint; return 1 if there was one."""
    folders = [Path(argument).resolve() for argument in arguments]
    folders = folders or sorted(path.parent for path in PROVIDERS.glob("*/manifest.toml"))
    wrong = [words for folder in folders for words in vet(folder)]
    for words in wrong:
        sys.stderr.write(f"{words}\n")
    if not wrong:
        sys.stdout.write(f"{len(folders)} provider(s) vetted: {', '.join(folder.name for folder in folders)}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
