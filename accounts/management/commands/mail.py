"""`manage.py mail`: send a test letter and say what came of it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import letters, post
from accounts.actions.letters import new_message_id
from accounts.models import User

SUBJECT = "A test letter from Latchkey"


class Command(BaseCommand):
    """One command with a verb."""

    help = "Sends a test letter, at once and to any address, and says what went wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verb."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        testing = verbs.add_parser("test", help="send a test letter to an address")
        testing.add_argument("address")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send it now, beside the outbox: this is about the way, not about news."""
        address, place = options["address"], post.where()
        context = {"by": "manage.py mail test", "where": place}
        text, html = letters.compose("test", context, subject=SUBJECT, to=User(email=address))
        try:
            made = post.message(
                to=address, subject=SUBJECT, text=text, html=html, message_id=new_message_id(timezone.now())
            )
            with post.Way() as way:
                way.send(made)
        except (OSError, ValueError) as error:
            raise CommandError(post.trouble_of(error).words) from error
        self.stdout.write(f"A letter to {address} was handed to {place}.")
        if not post.to_folder():
            self.stdout.write("The server took it; whether it arrives is between it and the mailbox.")
