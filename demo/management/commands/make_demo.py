"""Makes the demo's past. `up` calls this; by hand it is refused, for it belongs into a folder that is being made."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from demo import folder, history
from demo.people import PEOPLE
from demo.settings import DEMO_REQUESTS

EVERY = 25


class Command(BaseCommand):
    """Reads from standard input where the real target is, as JSON."""

    help = "Makes a made-up organisation with a month of history. Called by script/up --demo."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it all."""
        note = folder.read(settings.DATA)
        if note is None or note.ready:
            raise CommandError("There is no demo being made here. Start one with script/up --demo.")
        server = history.Server(**json.load(sys.stdin))
        if connection.vendor == "sqlite":
            # A crash would begin the making again, so nothing has to reach the disk on the way.
            connection.cursor().execute("PRAGMA synchronous=OFF")
        made = history.make(DEMO_REQUESTS, server=server, say=self._say)
        self._tell(f"Made a month of history: {made} requests of {len(PEOPLE)} people.", last=True)

    _said = 0

    def _say(self, number: int) -> None:
        """Tell how far it is: on a terminal in place, elsewhere now and then."""
        if number != self._said and (self.stdout.isatty() or number % EVERY == 0):
            self._said = number
            self._tell(f"Making a month of history … {number}/{DEMO_REQUESTS}")

    def _tell(self, words: str, *, last: bool = False) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{words}\x1b[K", ending="\n" if last else "")
        else:
            self.stdout.write(words)
        self.stdout.flush()
