"""Run all of Latchkey in one process on its data folder: web, worker and timetable, without a broker."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import checks, embedded, first_admin, start
from config.views import migrations_are_missing


class Command(BaseCommand):
    """`manage.py up`; script/up calls it with the environment installed."""

    help = "Runs web, worker and timetable as one process on SQLite. Ctrl-C stops it; data stays in its folder."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add options; those of config.start were read before the settings were."""
        start.add_arguments(parser)
        parser.add_argument("--link", action="store_true", help="print a link that signs an admin in once")
        parser.add_argument(
            "--admin-email",
            default=first_admin.EMAIL,
            help="whom the first admin is made for, and whom --link signs in (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Start everything, say where it is, and stay until asked to stop."""
        if start.prepared is None:
            raise CommandError("Start this with script/up or manage.py up.")
        stop = embedded.Stop()
        checks.refuse_bad_settings()
        if migrations_are_missing():
            self.stdout.write("Preparing the database …")
            call_command("migrate", verbosity=0)
        link = first_admin.link(options["admin_email"], by="script/up", always=options["link"])
        ended_well = embedded.run(start.prepared.listener, stop, lambda: self._greet(link))
        if not ended_well:
            raise CommandError("Latchkey did not stop cleanly; the reason is in the log above.")
        self.stdout.write("Stopped.")

    def _greet(self, link: str) -> None:
        """Say where Latchkey is."""
        self.stdout.write(f"Latchkey is ready at {settings.PUBLIC_URL}")
        if link:
            self.stdout.write(f"Sign in as admin, once and within {first_admin.MINUTES} minutes: {link}")
        self.stdout.write(f"Its data is in {settings.DATA}. Ctrl-C stops it.")
        self.stdout.flush()
