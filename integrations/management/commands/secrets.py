"""`manage.py secrets reencrypt`: finishes the rotation of a key of the built-in store."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actor import system
from connectors.stores.builtin import SecretUnreadable
from integrations import actions


class Command(BaseCommand):
    """Encrypts again, with the newest key of LATCHKEY_STORE_KEYS, what lies under an older one."""

    help = (
        "After a new key was put first into LATCHKEY_STORE_KEYS: encrypts every stored secret with it. "
        "When it has ended well, the older keys may be removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the one thing to do."""
        parser.add_argument("do", choices=["reencrypt"])

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it; safe to run twice and to interrupt."""
        try:
            moved = actions.reencrypt(actor=system("manage.py secrets"))
        except SecretUnreadable as error:
            raise CommandError(f"{error} Put the key it was encrypted with back into LATCHKEY_STORE_KEYS.") from error
        except ValueError as error:
            raise CommandError(f"LATCHKEY_STORE_KEYS: {error}") from error
        self.stdout.write(f"{moved} secrets encrypted with the newest key. Older keys may be removed now.")
