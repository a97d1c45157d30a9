"""Run all of Latchkey in one process on its data folder: web, worker and timetable, without a broker."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import actions
from accounts.choices import Role
from accounts.models import User
from audit.actor import system
from config import checks, embedded, start
from config.views import migrations_are_missing

ADMIN_EMAIL = "admin@localhost"
LINK_MINUTES = 15


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
            default=ADMIN_EMAIL,
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
        link = self._sign_in_link(options["admin_email"].strip().lower(), wanted=options["link"])
        ended_well = embedded.run(start.prepared.listener, stop, lambda: self._greet(link))
        if not ended_well:
            raise CommandError("Latchkey did not stop cleanly; the reason is in the log above.")
        self.stdout.write("Stopped.")

    def _greet(self, link: str) -> None:
        """Say where Latchkey is."""
        self.stdout.write(f"Latchkey is ready at {settings.PUBLIC_URL}")
        if link:
            self.stdout.write(f"Sign in as admin, once and within {LINK_MINUTES} minutes: {link}")
        self.stdout.write(f"Its data is in {settings.DATA}. Ctrl-C stops it.")
        self.stdout.flush()

    def _sign_in_link(self, email: str, *, wanted: bool) -> str:
        """Return a link for an admin, making the first one where there is none; empty when no link is called for."""
        admins = User.objects.filter(is_active=True, roles__role=Role.ADMIN).order_by("created_at")
        admin = admins.filter(email=email).first() or admins.first()
        if admin is not None and not wanted:
            return ""
        if admin is None:
            if User.objects.filter(email=email).exists():
                raise CommandError(f"There is no active admin, and {email} is taken: name another with --admin-email.")
            admin = actions.create_user(email, "First admin", roles=[Role.ADMIN], actor=system("script/up"))
        token = actions.make_sign_in_link(admin, minutes=LINK_MINUTES)
        return f"{settings.PUBLIC_URL}/sign-in/{token}/"
