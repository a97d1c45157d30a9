"""`manage.py audit`: verify the trail, note its head, export it."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import dossiers, export, queries
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
        proving = verbs.add_parser("verify-dossier", help="check a dossier's signature; needs no database")
        proving.add_argument("file", type=argparse.FileType("r", encoding="utf-8"), help="the file, or - for input")
        proving.add_argument(
            "--key",
            action="append",
            default=[],
            metavar="HEX",
            help="a public key that you trust; without any, those that sign here (audit signing-keys)",
        )
        verbs.add_parser("signing-keys", help="print id:public key of the keys that sign dossiers, newest first")
        exporting = verbs.add_parser("export", help="write the trail to standard output")
        exporting.add_argument("--format", choices=["csv"], default="csv")
        for name in NAMES:
            exporting.add_argument(f"--{name}", default="", dest=f"filter_{name}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        do = {
            "verify": self._verify,
            "head": self._show_head,
            "export": self._export,
            "verify-dossier": self._verify_dossier,
            "signing-keys": self._show_keys,
        }
        do[options["verb"]](options)

    def _verify_dossier(self, options: dict[str, Any]) -> None:
        """Check a file by itself; a CommandError, exit code 1, when it is not what was signed."""
        trusted = options["key"] or [key.public for key in dossiers.keys_of(settings.SIGNING_KEYS)]
        if not trusted:
            raise CommandError("Name a public key that you trust by --key: none signs here.")
        try:
            dossier = dossiers.verify(options["file"].read(), trusted)
        except UnicodeDecodeError:
            raise CommandError("The file is no text, so it is no dossier.") from None
        except dossiers.BadDossier as problem:
            raise CommandError(str(problem)) from None
        about = f"{dossier.get('about', '?')}, made {dossier.get('made_at', '?')}"
        self.stdout.write(f"The dossier is what was signed: {about}.")

    def _show_keys(self, options: dict[str, Any]) -> None:
        """Print the public keys."""
        for key in dossiers.keys_of(settings.SIGNING_KEYS):
            self.stdout.write(f"{key.id}:{key.public}")

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
