"""The command `latchkey`: all its parts, and how it ends."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from latchkey_cli import accounts, answering, asking, connecting, held, reasons, requests_shown, tokens
from latchkey_cli.output import say
from latchkey_cli.problems import Code, Problem


class Commands(TyperGroup):
    """Ends with the code of what went wrong, and with words instead of a traceback, in which secrets could stand."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Problem as problem:
            say(f"Error: {problem.message}", style="red")
            if problem.then:
                say(f"  → {problem.then}")
            raise typer.Exit(problem.exit_code) from None
        except KeyboardInterrupt:
            say("Interrupted. What was asked already stands: latchkey requests")
            raise typer.Exit(Code.INTERRUPTED) from None
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as wrong:  # noqa: BLE001 - whatever it is, its traceback could show a secret
            place = traceback.extract_tb(wrong.__traceback__)[-1]
            say(f"Error: this should not happen: {type(wrong).__name__} in {Path(place.filename).name}:{place.lineno}.")
            say("  → The server may be of another version. Try again; if it stays so, report these words.")
            raise typer.Exit(Code.FAILED) from None


app = typer.Typer(
    name="latchkey",
    cls=Commands,
    help="Ask for access, approve it, and use it, from the command line.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if not wanted:
        return
    for name in ("latchkey-cli", "latchkey"):
        try:
            sys.stdout.write(f"latchkey {metadata.version(name)}\n")
        except metadata.PackageNotFoundError:
            continue
        break
    raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")]


@app.callback()
def begin(version: Version = False) -> None:
    """Ask for access, approve it, and use it, from the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows few signs gets others written out, rather than an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


COMMANDS: dict[str, Callable[..., None]] = {
    "login": accounts.login,
    "logout": accounts.logout,
    "whoami": accounts.whoami,
    "request": asking.request,
    "requests": requests_shown.requests,
    "show": requests_shown.show_request,
    "approve": answering.approve,
    "reject": answering.reject,
    "cancel": answering.cancel,
    "revoke": answering.revoke,
    "extend": answering.extend,
    "again": answering.again,
    "access": held.access,
    "connect": connecting.connect_to,
    "creds": held.creds,
    "reset": held.reset,
    "why-not": reasons.why_not,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(tokens.app, name="tokens")


def main() -> None:
    """Run the command line."""
    app()
