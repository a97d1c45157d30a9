"""The command `latchkey-connector`: what the owner of an environment types. Without a subcommand it runs the worker."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from connectors import VERSION
from connectors.runners import worker


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
    return root


def main(given: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    arguments = parser().parse_args(given)
    do: Callable[[argparse.Namespace], int] = arguments.do
    return do(arguments)


if __name__ == "__main__":
    sys.exit(main())
