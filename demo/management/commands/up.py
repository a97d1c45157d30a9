"""`up` with a demo in it: the real target beside the product, and a past made at the first start."""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.actor import Actor
from config import start
from config.management.commands import up
from config.views import migrations_are_missing
from demo import folder, history, policy, target
from demo.programs import NoTarget
from integrations import actions as integrations
from integrations.models import Integration


class Command(up.Command):
    """The product's `up`, between the start and the stop of a PostgreSQL server of its own."""

    help = "Runs Latchkey with a made-up organisation, a month of its history, and a real PostgreSQL server."
    server: target.Target

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the product's options, and the word that brought us here."""
        super().add_arguments(parser)  # type: ignore[arg-type]  # Django's parser is one
        parser.add_argument("--demo", action="store_true", help="understood: this is the demo")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is not made yet, serve, and stop the server last: it has to be there for the last revoke."""
        if start.prepared is None:
            raise CommandError("Start this with script/up --demo.")
        note = folder.read(start.prepared.folder) or folder.Note()
        try:
            self.server = target.settle(start.prepared.folder, note.port, note.home)
            self._furnish(note)
            super().handle(*args, **options)
        except NoTarget as problem:
            raise CommandError(str(problem)) from problem
        except KeyboardInterrupt:
            raise CommandError("Stopped before the demo was made; the next start begins it again.") from None
        finally:
            if hasattr(self, "server"):
                self.server.stop()

    def _furnish(self, note: folder.Note) -> None:
        """Bring server and database to where the demo can be used."""
        password = self._serve(anew=not (note.ready and self.server.made))
        known = replace(note, port=self.server.port, home=str(self.server.home))
        folder.write(settings.DATA, known)
        if migrations_are_missing():
            self.stdout.write("Preparing the database …")
            call_command("migrate", verbosity=0)
        if not note.ready:
            self._make_history(password)
            folder.write(settings.DATA, replace(known, ready=True))
        elif password or note.port != self.server.port:
            _tell_integration(self.server.port, password)

    def _serve(self, *, anew: bool) -> str:
        """Start the real target; return the connector's password when it had to be made, else nothing."""
        if not anew:
            self.server.start()
            return ""
        self.stdout.write("Making a real PostgreSQL server to try things on …")
        return self.server.make()

    def _make_history(self, password: str) -> None:
        """Make the past in a process of its own: its clock, its connector and what it rang for end with it."""
        told = json.dumps({"port": self.server.port, "password": password})
        command = [sys.executable, "-m", "demo", "make_demo"]
        done = subprocess.run(command, input=told, text=True, check=False, preexec_fn=_end_with_parent)  # noqa: S603  # ourselves
        if done.returncode:
            raise CommandError("The demo could not be made; the reason is above. The next start begins it again.")

    def _greet(self, link: str) -> None:
        """Say where to go, who to be, and where psql is."""
        lines = (
            f"The demo is ready at {settings.PUBLIC_URL}",
            "  Press a button there to be the engineer, the approver, the admin, the auditor or a support agent.",
            f"  {policy.REAL} is real: PostgreSQL on {target.HOST}:{self.server.port}; psql is {self.server.psql}",
            "  Everything else is made up, and marked Demo in the audit.",
            *([f"  A sign-in link: {link}"] if link else []),
            f"Its data is in {settings.DATA}; delete the folder to begin anew. Ctrl-C stops it.",
        )
        for line in lines:
            self.stdout.write(line)
        if settings.DATA not in self.server.home.parents:
            home = self.server.home
            self.stdout.write(f"The server’s files are in {home}: its account cannot enter the data folder.")
        self.stdout.flush()


def _tell_integration(port: int, password: str) -> None:
    """Let the integration follow the server, which has another port or was made anew."""
    actor: Actor = history.platform()
    for integration in Integration.objects.filter(name=policy.REAL, type="postgresql"):
        secrets = {"password": password} if password else {}
        integrations.edit(integration, actor=actor, config={**integration.config, "port": port}, secrets=secrets)


def _end_with_parent() -> None:
    """Ask Linux to end this process when its parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
