"""Whether somebody sits in front of it, and asking them."""

from __future__ import annotations

import getpass
import sys

from latchkey_cli.output import say
from latchkey_cli.problems import Usage
from latchkey_cli.text import clean


def is_interactive() -> bool:
    """Whether questions can be asked: there is a terminal to read from, and one to show them on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """Ask, and return what was typed. Raises Usage where nothing more comes."""
    sys.stderr.write(f"{clean(question)} ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        say("")
        raise Usage("Nothing was answered, so nothing was done.")
    return line.strip()


def confirm(question: str) -> bool:
    """Ask for a yes; nothing typed is one."""
    while True:
        answer = ask(f"{question} [Y/n]").lower()
        if answer in {"", "y", "yes"}:
            return True
        if answer in {"n", "no"}:
            return False


def secret(question: str) -> str:
    """Return a secret from a terminal, where it is not shown, or from what was piped in."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{question}: ", stream=sys.stderr).strip()
    return sys.stdin.readline(10_000).strip()
