"""Checks dossiers with `manage.py audit verify-dossier`, many in one process; prints the files that it refuses."""

from __future__ import annotations

import io
import sys

import django
from django.core.management import CommandError, call_command


def main() -> None:
    """Check each."""
    django.setup()
    for name in sys.argv[1:]:
        try:
            call_command("audit", "verify-dossier", name, stdout=io.StringIO())
        except CommandError:
            print(name)


if __name__ == "__main__":
    main()
