"""connect: runs the program that an access is for, with its credentials, and cleans up after it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from latchkey_cli import terminal
from latchkey_cli.client import Client
from latchkey_cli.held import FRESH, credentials_of, details, found, renew
from latchkey_cli.options import ProfileName
from latchkey_cli.output import Row, say
from latchkey_cli.problems import Code, Conflict, NotYours, Problem
from latchkey_cli.programs import PROGRAMS, Command, Program
from latchkey_cli.session import TOKEN, connect

Which = Annotated[
    str,
    typer.Argument(
        metavar="[ACCESS]", help="The beginning of its id, its request, or its integration's name; asked for without."
    ),
]
Words = Annotated[list[str], typer.Argument(metavar="[-- WORDS…]", help="What the program is given, after --.")]
Renew = Annotated[bool, typer.Option("--reset", help="Have new credentials made if they were handed out before.")]
_NONE: list[str] = []
_PREFIX = "latchkey-"
_LEFT = re.compile(rf"{_PREFIX}(\d{{1,10}})-\w+", re.ASCII)
_RESET_SECONDS = 120
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


def connect_to(
    context: typer.Context,
    access: Which = "",
    words: Words = _NONE,
    reset: Renew = False,
    profile: ProfileName = "",
) -> None:
    """Run psql, mysql, redis-cli, ssh, kubectl or aws with your access, and end as it ends."""
    client = connect(profile)
    row = found(client, access)
    kind = str(row.get("type", {}).get("id", ""))
    program = PROGRAMS.get(kind)
    if program is None:
        raise NotYours(
            f"There is no program for {row.get('type', {}).get('name', kind)}.",
            then=f"See how to connect by hand: latchkey creds {str(row.get('id', ''))[:8]}",
        )
    # The program is looked for, and what it will be told is judged, before the credentials are used up.
    path = program.find()
    with scratch() as folder:
        program.prepare(_plain(details(client, row, "cli", take=False)), folder)
    told = _with_credentials(client, row, reset)
    with scratch() as folder:
        command = program.prepare(told, folder)
        raise typer.Exit(run([*_argv(program, path, command, words), *words], command))


def _argv(program: Program, path: str, command: Command, words: list[str]) -> list[str]:
    if program.opens_shell and not words and not command.words:
        shell = os.environ.get("SHELL", "/bin/sh")
        say(f"In this shell {program.names[0]} uses your access. Leave it with exit, and it is gone.")
        return [shell]
    return [path, *command.words]


def _plain(told: Row) -> Mapping[str, Any]:
    found: Any = told.get("json")
    return found if isinstance(found, dict) else {}


def _with_credentials(client: Client, row: Row, reset: bool) -> Mapping[str, Any]:
    """Return the details with the credentials in them; new ones are made where they were handed out before."""
    if not credentials_of(row):
        return _plain(details(client, row, "json", take=False))
    if credentials_of(row) != FRESH:
        _ask_for_reset(row, reset)
        renew(client, row, _RESET_SECONDS)
    told = details(client, row, "json", take=True)
    if (told.get("consumed_by") or "") and _is_masked(_plain(told)):
        raise Conflict("Somebody was quicker: the credentials were handed out a moment ago.", then="Use --reset.")
    return _plain(told)


def _is_masked(told: Mapping[str, Any]) -> bool:
    return any(one == "********" for one in told.values())


def _ask_for_reset(row: Row, reset: bool) -> None:
    short = str(row.get("id", ""))[:8]
    if reset:
        return
    say("The credentials were handed out before, and are not kept here. New ones can be made; the old stop working.")
    if not terminal.is_interactive():
        raise Conflict("The credentials were handed out before.", then=f"latchkey connect --reset {short}")
    if not terminal.confirm("Have new ones made?"):
        raise Problem("Nothing was run.", code=Code.CONFLICT)


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder that only we can enter, in memory where there is such a place; it is gone afterwards."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    place = Path(base) if base.startswith("/") and os.access(base, os.W_OK) else Path(tempfile.gettempdir())
    sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> None:
    """Remove the folders of commands that were killed before they could: those of ours whose process is gone."""
    for folder in place.glob(f"{_PREFIX}*-*"):
        named = _LEFT.fullmatch(folder.name)
        # Another command may be quicker.
        with suppress(FileNotFoundError):
            if named and folder.lstat().st_uid == os.getuid() and not _runs(int(named[1])):
                shutil.rmtree(folder, ignore_errors=True)


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def run(argv: list[str], command: Command) -> int:
    """Run a program until it ends, and return how; 128 and the signal for one that a signal ended.

    Ctrl-C is the program's own affair: psql gives up a query by it. Other requests to end are passed on to it, so that
    we outlive it and clean up.
    """
    env = {name: text for name, text in os.environ.items() if name not in {*command.without, TOKEN}} | dict(command.env)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        child = subprocess.Popen(argv, env=env, preexec_fn=_as_usual)  # noqa: S603, PLW1509 - one thread, our own words

        def pass_on(number: int, frame: FrameType | None) -> None:
            child.send_signal(number)

        before |= {number: signal.signal(number, pass_on) for number in _PASSED_ON}
        code = child.wait()
    except OSError as wrong:
        raise Problem(f"{argv[0]} cannot be run: {wrong.strerror}.", code=Code.NO_PROGRAM) from wrong
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _as_usual() -> None:
    """Let the program heed Ctrl-C and Ctrl-\\ as ever: what is ignored is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
