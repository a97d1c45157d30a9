"""`manage.py audit`: verify the trail, note its head, export it."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import export, queries
from audit.actor import system
from audit.choices import Source
from audit.forms import NAMES, BadFilter, read_filters
from audit.verify import verify


def _head(text: str) -> tuple[int, str]:
    """Read SEQ:DIGEST."""
    if not re.fullmatch(r"[0-9]{1,18}:[0-9a-f]{64}", text):
        raise argparse.ArgumentTypeError("a head is written SEQ:DIGEST, as `audit head` prints it")
    sequence, _, digest = text.partition(":")
    return int(sequence), digest


class Command(BaseCommand):
    """One command with a verb."""

    help = "Verifies the audit trail, shows the head of its chain, exports it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verifying = verbs.add_parser("verify", help="walk the chain and name the first broken link; exit code 1 if any")
        verifying.add_argument("--head", type=_head, help="SEQ:DIGEST noted earlier, through which the chain must run")
        verbs.add_parser("head", help="print SEQ:DIGEST of the last link, to be kept elsewhere")
        exporting = verbs.add_parser("export", help="write the trail to standard output")
        exporting.add_argument("--format", choices=["csv"], default="csv")
        for name in NAMES:
            exporting.add_argument(f"--{name}", default="", dest=f"filter_{name}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        {"verify": self._verify, "head": self._show_head, "export": self._export}[options["verb"]](options)

    def _verify(self, options: dict[str, Any]) -> None:
        """Verify; a CommandError, exit code 1, when something was changed."""
        report = verify(options["head"])
        waiting = f"{report.unsealed} waiting for the sealer"
        if report.breaks:
            self.stdout.write(f"{report.links} links are intact, {waiting}.")
            raise CommandError("The audit trail was changed.\n" + "\n".join(map(str, report.breaks)))
        sequence, digest = report.head
        self.stdout.write(f"The audit trail is intact: {report.links} links, {waiting}. Head {sequence}:{digest}")

    def _show_head(self, options: dict[str, Any]) -> None:
        """Print the head."""
        sequence, digest = queries.head()
        self.stdout.write(f"{sequence}:{digest}")

    def _export(self, options: dict[str, Any]) -> None:
        """Write the trail; the export is recorded."""
        try:
            filters = read_filters({name: options[f"filter_{name}"] for name in NAMES})
        except BadFilter as error:
            raise CommandError(str(error)) from error
        entries = export.start(filters, actor=replace(system("Command line"), source=Source.COMMAND))
        for page in export.pages(entries):
            self.stdout.write(page, ending="")
