"""`manage.py policy`: policy as text, exported, planned, applied."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from audit.actor import Actor, person, system
from audit.choices import Source
from flows.actions.applying import apply_policy
from flows.text.changes import NOUNS, Change
from flows.text.export import export
from flows.text.folder import read_folder
from flows.text.plan import Plan, digest_of, make_plan
from flows.text.present import present
from flows.text.problems import BadText

NOTHING, PENDING = 0, 2
_SIGNS = {"make": "+", "change": "~", "delete": "-"}


class Command(BaseCommand):
    """One command with a verb."""

    help = "Writes policy as YAML into a folder, shows what a folder would change, makes policy what it says."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs."""
        # A word that is not understood is an error (1), and never "changes are pending" (2).
        parser.called_from_command_line = False
        verbs = parser.add_subparsers(dest="verb", required=True)
        exporting = verbs.add_parser("export", help="write all policy; what an author wrote stays as far as it is true")
        exporting.add_argument("--prune", action="store_true", help="delete files of what is not there any more")
        planning = verbs.add_parser("plan", help="show what apply would do; exit code 0 nothing, 2 changes, 1 an error")
        planning.add_argument("--json", action="store_true", help="as JSON")
        applying = verbs.add_parser("apply", help="make policy what the folder says, all of it or nothing")
        applying.add_argument("--yes", action="store_true", help="do not ask")
        for verb in (planning, applying):
            verb.add_argument("--prune", action="store_true", help="delete what has no file")
            verb.add_argument("--as", dest="email", default="", help="the e-mail address of whoever does it")
        for verb in (exporting, planning, applying):
            verb.add_argument("folder", type=Path)

    def run_from_argv(self, argv: list[str]) -> None:
        """Say what was not understood in one line, with exit code 1."""
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            self.stderr.write(str(error))
            sys.exit(1)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        try:
            {"export": self._export, "plan": self._plan, "apply": self._apply}[options["verb"]](options)
        except BadText as error:
            count = len(error.problems)
            told = f"Nothing was changed: {count} {'problem' if count == 1 else 'problems'}."
            raise CommandError(f"{error}\n{told}") from error

    def _export(self, options: dict[str, Any]) -> None:
        """Write the folder and say what became of its files."""
        done = export(options["folder"], present(), prune=options["prune"])
        for word, files in (("made", done.made), ("changed", done.changed)):
            for file in files:
                self.stdout.write(f"{word}: {file}")
        for file in done.gone:
            note = "deleted" if options["prune"] else "of nothing that is there (--prune deletes it)"
            self.stdout.write(f"{note}: {file}")
        told = f"{len(done.made)} made, {len(done.changed)} changed, {len(done.unchanged)} unchanged."
        self.stdout.write(told)

    def _plan(self, options: dict[str, Any]) -> None:
        """Show the plan; exit code 2 when something would change."""
        plan = make_plan(options["folder"], actor=_actor(options["email"]), prune=options["prune"])
        if options["json"]:
            self.stdout.write(json.dumps(plan.told(), indent=2, ensure_ascii=False))
        else:
            self._show(plan)
        if plan.changes:
            sys.exit(PENDING)

    def _show(self, plan: Plan) -> None:
        for line in _lines(plan):
            self.stdout.write(line)

    def _apply(self, options: dict[str, Any]) -> None:
        """Apply the folder: what was shown, and nothing else."""
        actor = _actor(options["email"])
        plan = make_plan(options["folder"], actor=actor, prune=options["prune"])
        self._show(plan)
        if plan.changes and not options["yes"] and not self._agreed():
            raise CommandError("Nothing was changed.")
        folder = read_folder(options["folder"], present(), prune=options["prune"])
        done = apply_policy(
            folder,
            actor=actor,
            prune=options["prune"],
            expected=lambda changes: digest_of(changes) == plan.digest,
        )
        self.stdout.write("Applied." if done.changes else "Nothing to do.")

    def _agreed(self) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("Nothing was changed: say --yes where nobody can be asked.")
        return input("Apply this? Type yes: ").strip().lower() == "yes"


def _actor(email: str) -> Actor:
    """Return who acts: the person with the address, or the system."""
    if not email:
        return replace(system("Command line"), source=Source.COMMAND)
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        raise CommandError(f"Nobody active has the address {email}.")
    return person(user, Source.COMMAND)


def _lines(plan: Plan) -> Iterator[str]:
    """Yield the plan as a person reads it."""
    for change in plan.changes:
        yield from _change_lines(change)
    yield from _section("What if", plan.what_if)
    yield from _section("Look twice", plan.doubts)
    yield from _section(
        "Drift: changed since text was applied last; applying undoes it",
        [f"{NOUNS[one.kind]} {one.name}: {line}" for one in plan.drift for line in one.lines],
    )
    yield from _section("Without a file; it stays (--prune deletes it)", plan.left)
    if not plan.changes:
        yield "Policy is what the folder says."
        return
    counts = [f"{sum(one.verb == verb for one in plan.changes)} to {verb}" for verb in _SIGNS]
    yield f"{', '.join(counts)}."


def _change_lines(change: Change) -> Iterator[str]:
    where = f"  ({change.file})" if change.file else ""
    yield f"{_SIGNS[change.verb]} {NOUNS[change.kind]} {change.name}{where}"
    yield from (f"    {line}" for line in change.lines)
    if change.said != change.says:
        yield from (f"    {word}: {said}" for word, said in (("was", change.said), ("now", change.says)) if said)
    yield ""


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield title
        yield from (f"    {line}" for line in lines)
        yield ""
