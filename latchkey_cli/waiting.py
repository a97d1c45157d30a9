"""Waiting until a request is settled, with one line that tells how it stands."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from latchkey_cli.client import Client
from latchkey_cli.output import Row, say
from latchkey_cli.problems import Code, Problem, Usage
from latchkey_cli.requests_shown import status_of
from latchkey_cli.text import clean, seconds_of

EVERY_SECONDS = 2.0
OVER = {"Active", "Failed", "Rejected", "Revoked"}
ENDED = {"Failed", "Rejected", "Revoked"}


def seconds(text: str) -> int:
    """Return how long to wait. Raises Usage."""
    found = seconds_of(text)
    if found is None:
        raise Usage(f"“{text}” is no length of time: write it like 30s, 10m or 2h.")
    return found


@contextmanager
def live() -> Iterator[Callable[[str], None]]:
    """Yield what tells how it stands: in one line of a terminal that changes, elsewhere in a line for each change."""
    if not sys.stderr.isatty():
        before = [""]

        def tell(words: str) -> None:
            if words != before[0]:
                say(words)
            before[0] = words

        yield tell
        return
    console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
    with console.status(Text("")) as status:
        yield lambda words: status.update(Text(clean(words)))


def until(client: Client, name: str, over: set[str], patience: int) -> Row:
    """Return the request once its state is one of `over`. Raises Problem where that takes longer than `patience`."""
    ends = time.monotonic() + patience
    with live() as tell:
        while True:
            row: Row = client.get(f"access-requests/{name}")
            state = str(row.get("status", {}).get("status", ""))
            tell(f"{name}: {status_of(row)}{_whom(row)}")
            if state in over:
                return row
            if time.monotonic() + EVERY_SECONDS > ends:
                raise Problem(
                    f"{name} is still {status_of(row)}.",
                    then=f"It goes on without us: latchkey show {name}",
                    code=Code.TIMED_OUT,
                )
            time.sleep(EVERY_SECONDS)


def granted(client: Client, names: list[str], patience: int) -> None:
    """Wait until each request is active. Raises Problem where one comes to something else."""
    ends = time.monotonic() + patience
    for name in names:
        row = until(client, name, OVER, max(1, int(ends - time.monotonic())))
        if str(row.get("status", {}).get("status", "")) in ENDED:
            why = str(row.get("status", {}).get("description", ""))
            raise Problem(
                f"{name} is {status_of(row)}.{f' {why}' if why else ''}",
                then=f"latchkey show {name}",
                code=Code.NOT_GRANTED,
            )
        say(f"{name} is active. Connect: latchkey connect {name}")


def _whom(row: Row) -> str:
    if row.get("status", {}).get("status") != "Pending":
        return ""
    asked = [str(one.get("name", "")) for one in (row.get("challenge") or {}).get("approvers", ())]
    more = f" and {len(asked) - 3} more" if len(asked) > 3 else ""
    return f", waits for {', '.join(asked[:3])}{more}" if asked else ""
