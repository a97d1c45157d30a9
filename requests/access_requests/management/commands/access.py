"""`manage.py access`: the big red buttons and the envelopes, where there is no browser, or no web server."""

from __future__ import annotations

import argparse
import getpass
import sys
import time
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from access_requests import actions, envelope_files
from access_requests.actions import emergencies
from access_requests.choices import RevocationKind
from access_requests.models import Envelope, Freeze, Revocation
from access_requests.queries import emergencies as queries
from access_requests.queries.figures import overdue_rows
from accounts.models import User
from audit.actor import Actor
from audit.choices import ActorKind, Source
from flows.models import AccessFlow
from integrations.actions import expire_leases, run_until_idle
from integrations.models import Integration

NAMED = {"person": (User, "email"), "integration": (Integration, "name"), "flow": (AccessFlow, "name")}
# How often what is under way is told, in seconds.
TELL_EVERY = 2.0


class Command(BaseCommand):
    """What a verb changes is what its button in the portal does, and is on record under the system's user."""

    # A file is opened where there is no database to be checked.
    requires_system_checks = ()
    help = "Revokes everything of a person, an integration, a flow, or everywhere; freezes, thaws, says how it stands."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        revoke = verbs.add_parser("revoke", help="end everything of somebody or something, and follow it to its proofs")
        about = revoke.add_mutually_exclusive_group(required=True)
        about.add_argument("--person", metavar="ADDRESS")
        about.add_argument("--integration", metavar="NAME")
        about.add_argument("--flow", metavar="NAME")
        about.add_argument("--everywhere", action="store_true")
        follow = verbs.add_parser("follow", help="go on following what was begun")
        follow.add_argument("id", type=uuid.UUID)
        for verb in (revoke, follow):
            verb.add_argument("--seconds", type=float, default=600.0, help="how long to follow it; 0: only begin")
        freeze = verbs.add_parser("freeze", help="let nothing new open; ends go on")
        thaw = verbs.add_parser("thaw", help="let access open again")
        freeze.add_argument("--break-glass", action="store_true", help="breaking the glass stays possible")
        for verb in (freeze, thaw):
            verb.add_argument("--integration", metavar="NAME", help="only this one; without it, everywhere")
        for verb in (revoke, freeze, thaw):
            verb.add_argument("--reason", required=True, help="everybody it concerns reads it")
        for verb in (revoke, freeze):
            verb.add_argument("--yes", action="store_true", help="ask nothing")
        verbs.add_parser("status", help="what is frozen, under way and overdue")
        verbs.add_parser("envelopes", help="the break-glass envelopes, and how each stands")
        opening = verbs.add_parser(
            "open-envelope", help="open an envelope's file with its passphrase; needs no database"
        )
        opening.add_argument("file", type=argparse.FileType("r", encoding="utf-8"), help="the file that was downloaded")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. The exit status of revoke and follow is 1 while anything is not over."""
        try:
            getattr(self, f"_{options['verb'].replace('-', '_')}")(options)
        except actions.NotPossible as problem:
            raise CommandError(str(problem)) from None

    def _revoke(self, options: dict[str, Any]) -> None:
        kind, subject = self._named(options)
        about = Revocation(kind=kind, **({kind.value: subject} if subject else {}))
        scope = queries.scope_of(about)
        self.stdout.write(
            f"Everything {about.words}: {scope.holding} open, {scope.waiting} waiting, of {scope.people} people."
        )
        if scope.automatic:
            self.stdout.write(f"{scope.automatic} of it is given by automatic flows, which will give it again.")
        self._ask(options, "Revoke it now?")
        made = actions.revoke_all(kind, subject, actor=_actor(), reason=options["reason"])
        self.stdout.write(f"Begun as {made.pk}. It goes on without this command; follow it: manage.py access follow …")
        self._wait(made, options["seconds"])

    def _follow(self, options: dict[str, Any]) -> None:
        made = Revocation.objects.filter(pk=options["id"]).first()
        if made is None:
            raise CommandError("There is no such revocation; manage.py access status lists them.")
        self._wait(made, options["seconds"])

    def _freeze(self, options: dict[str, Any]) -> None:
        where = _find("integration", options["integration"]) if options["integration"] else None
        self._ask(options, f"Freeze {where or 'everything'} now?")
        actions.freeze(where, actor=_actor(), reason=options["reason"], break_glass=options["break_glass"])
        self.stdout.write("Frozen: nothing new opens. Ends go on.")

    def _thaw(self, options: dict[str, Any]) -> None:
        where = _find("integration", options["integration"]) if options["integration"] else None
        found = Freeze.objects.filter(thawed_at__isnull=True, integration=where).first()
        if found is None:
            raise CommandError("It is not frozen; manage.py access status says what is.")
        actions.thaw(found, actor=_actor(), reason=options["reason"])
        self.stdout.write("Thawed: what waited opens now.")

    def _status(self, options: dict[str, Any]) -> None:
        for one in queries.freezes():
            self.stdout.write(queries.words_of(one))
        for row in queries.revocations():
            self.stdout.write(f"{row.pk}  {row}  {self._words(row)}")
        self.stdout.write(f"Overdue: {overdue_rows().count()}")

    def _envelopes(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        for one in Envelope.objects.select_related("request").prefetch_related("request__access_groups__units"):
            units = [unit for group in one.request.access_groups.all() for unit in group.units.all()]
            left = one.days_left(now)
            days = f", {left} days left" if left is not None else ""
            owed = "; an account of it is owed" if one.is_owed else ""
            self.stdout.write(f"{one}: {one.word}{days}: {', '.join(map(str, units))}{owed}")

    def _open_envelope(self, options: dict[str, Any]) -> None:
        """Say what is in a file. The passphrase is asked for, or is the first line of what is piped in."""
        with options["file"] as file:
            text = file.read()
        given = getpass.getpass("Passphrase: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
        try:
            found = envelope_files.unlock(text, given)
        except envelope_files.CannotOpen as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write("\n".join(envelope_files.words_of(found)))

    def _named(self, options: dict[str, Any]) -> tuple[RevocationKind, Any]:
        if options["everywhere"]:
            return RevocationKind.EVERYWHERE, None
        kind = next(one for one in NAMED if options[one])
        return RevocationKind(kind), _find(kind, options[kind])

    def _ask(self, options: dict[str, Any], question: str) -> None:
        if not options["yes"] and input(f"{question} Type yes: ").strip().lower() != "yes":
            raise CommandError("Nothing was done.")

    def _wait(self, made: Revocation, seconds: float) -> None:
        """Go on with it here, beside whatever else runs, and tell how far it is. With the platform down, this ends it.

        Orders for a connector beside its target are carried out there; those of this process are carried out here.
        """
        end, told = time.monotonic() + seconds, ""
        while True:
            emergencies.go_on(made, at=timezone.now())
            expire_leases()
            run_until_idle(seconds=TELL_EVERY)
            actions.sweep()
            made.refresh_from_db()
            words = self._words(made)
            if words != told:
                self.stdout.write(words)
                told = words
            if made.finished_at is not None:
                return
            if time.monotonic() >= end:
                raise CommandError("Not all of it is over; it goes on being tried.", returncode=1)
            time.sleep(min(TELL_EVERY, max(end - time.monotonic(), 0.1)))

    def _words(self, made: Revocation) -> str:
        told = queries.progress_of(made)
        late = f", {told.overdue} overdue" if told.overdue else ""
        words = (
            f"{told.proven} proven, {told.declared} declared, {told.ending} ending{late}, {told.lapsed} never opened"
        )
        return words + (", over." if made.finished_at else f", {told.left} to take.")


def _find(kind: str, name: str) -> Any:
    model, field = NAMED[kind]
    rows: Any = model._default_manager
    found = rows.filter(**{f"{field}__iexact" if field == "email" else field: name}).first()
    if found is None:
        raise CommandError(f"There is no {kind} called {name}.")
    return found


def _actor() -> Actor:
    """Return whoever typed it, as the system knows them: there is no sign-in here."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Actor(kind=ActorKind.SYSTEM, name=f"{name} (command line)", source=Source.COMMAND)
