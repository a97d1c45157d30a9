"""`python -m demo up …`: manage.py for a folder with a demo in it. script/up --demo calls it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# As in manage.py: a bare checkout finds `access_requests` only by this.
sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "requests"))


def main(arguments: list[str]) -> None:
    """Run a command of manage.py on the demo's folder; `up` prepares the folder first, or refuses it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "demo.settings"
    from demo import folder  # noqa: PLC0415  # so that the environment is set before anything is read

    os.environ.setdefault("LATCHKEY_DATA", str(folder.DEFAULT))
    if arguments[:1] == ["up"]:
        folder.prepare(arguments[1:])
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(["demo", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
