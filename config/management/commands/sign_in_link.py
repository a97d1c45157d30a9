"""Print a link that signs an admin in once: the first way in, and the way back in when all others are shut."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import first_admin


class Command(BaseCommand):
    """`manage.py sign_in_link`; where Latchkey runs embedded, script/up --link does the same."""

    help = "Prints a link that signs an admin in once. Makes the first admin where there is none."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add whom."""
        parser.add_argument(
            "--admin-email",
            default=first_admin.EMAIL,
            help="whom the first admin is made for, and whom the link is for (default: %(default)s, else the oldest)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        link = first_admin.link(options["admin_email"], by="manage.py sign_in_link")
        self.stdout.write(f"Sign in as admin, once and within {first_admin.MINUTES} minutes: {link}")
