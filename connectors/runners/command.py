"""The command `latchkey-connector`: what the owner of an environment types. Without a subcommand it runs the worker."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from connectors import VERSION
from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Verb
from connectors.registry import BUILT_IN, Registry
from connectors.runners import worker
from connectors.runners.functions import as_json, as_pins, as_table, functions
from connectors.runners.rules_file import rules_from_environment
from connectors.runners.settings import BadSettings, folders
from connectors.runners.trying import attempt, in_words, read_order


def _run(arguments: argparse.Namespace) -> int:
    return worker.main()


def parser() -> argparse.ArgumentParser:
    """Return the parser; each subcommand sets `do`, a function of the arguments that returns the exit status."""
    root = argparse.ArgumentParser("latchkey-connector", description="Runs a connector of Latchkey beside its targets.")
    root.add_argument("--version", action="version", version=VERSION)
    root.set_defaults(do=_run)
    commands = root.add_subparsers(title="commands", metavar="COMMAND")
    run = commands.add_parser("run", help="dial out to the server and take orders (the default)")
    run.set_defaults(do=_run)
    listing = commands.add_parser("functions", help="list every program it could run, and what its owner says of each")
    listing.add_argument("--json", action="store_true", help="as JSON, with whole digests and paths")
    listing.add_argument("--pins", action="store_true", help="as pins, to be put into the file of rules")
    listing.add_argument("--provider", default="", help="only this provider's")
    listing.set_defaults(do=_functions)
    trying = commands.add_parser("try", help="run one order here and now, without a server")
    trying.add_argument("verb", choices=[verb.value for verb in Verb])
    trying.add_argument("--order", type=Path, required=True, metavar="FILE", help="what is wanted, as TOML")
    trying.add_argument("--dry-run", action="store_true", help="show exactly what would run, and run nothing of it")
    trying.set_defaults(do=_try)
    return root


def _functions(arguments: argparse.Namespace) -> int:
    try:
        found = list(functions(_registry(), rules_from_environment()))
    except (BadSettings, Misconfigured) as error:
        return _complain(str(error))
    if arguments.provider:
        found = [one for one in found if one.provider == arguments.provider]
    form = as_json if arguments.json else as_pins if arguments.pins else as_table
    sys.stdout.write(f"{form(found)}\n")
    return 0


def _try(arguments: argparse.Namespace) -> int:
    try:
        registry = _registry()
        order = read_order(arguments.order, Verb(arguments.verb), dry_run=arguments.dry_run)
        report, pages = attempt(order, rules_from_environment(), registry=registry)
    except (BadSettings, Misconfigured) as error:
        return _complain(str(error))
    sys.stdout.write(f"{in_words(report, pages)}\n")
    return 1 if report.error is not None else 0


def _registry() -> Registry:
    """Return the providers that a worker started here would have."""
    for folder in folders(os.environ):
        BUILT_IN.add(folder)
    return BUILT_IN


def _complain(words: str) -> int:
    sys.stderr.write(f"{words}\n")
    return 2


def main(given: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    arguments = parser().parse_args(given)
    do: Callable[[argparse.Namespace], int] = arguments.do
    return do(arguments)


if __name__ == "__main__":
    sys.exit(main())
