#!/usr/bin/env python
"""Latchkey's command line: every administrative command starts here."""

import os
import sys
from pathlib import Path

# `requests/` holds the package `access_requests` and must not become a package itself (it would hide the HTTP library
# of that name), so it is a source root. The editable install says the same; this line serves a bare checkout.
sys.path.insert(1, str(Path(__file__).resolve().parent / "requests"))


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["up"]:
        from config import start  # noqa: PLC0415

        # Before the settings are read: they read the keys that this makes.
        start.prepare(sys.argv[2:])
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
