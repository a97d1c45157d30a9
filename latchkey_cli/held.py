"""access, creds, reset: what you hold, and its credentials, which are handed out once."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from latchkey_cli import NAME, terminal
from latchkey_cli.client import Client, quoted
from latchkey_cli.options import Access, Output, ProfileName, Timeout, Yes
from latchkey_cli.output import Column, Form, Row, out, print_data, say, show
from latchkey_cli.picking import pick
from latchkey_cli.problems import Code, Conflict, NotYours, Problem, Usage
from latchkey_cli.session import connect
from latchkey_cli.text import moment
from latchkey_cli.waiting import EVERY_SECONDS, seconds

MASKED = "********"
FRESH = "new"
_PREFIX_LEAST = 4


class How(StrEnum):
    """In which form the details to connect are printed."""

    CLI = "cli"
    LINK = "link"
    INSTRUCTIONS = "instructions"
    JSON = "json"


HowTold = Annotated[How, typer.Option("--form", "-f", help="As a command, a link, words, or JSON with every detail.")]
Search = Annotated[str, typer.Argument(help="A part of the integration's name.")]


def credentials_of(row: Row) -> str:
    """Return how the credentials stand, in small letters: new, viewed, resetting, or nothing where there are none."""
    return str((row.get("credentials") or {}).get("status", "")).lower()


COLUMNS = (
    Column("ACCESS", lambda row: str(row.get("id", ""))[:8], whole=True),
    Column("NAME", lambda row: row.get("name", "")),
    Column("TYPE", lambda row: row.get("type", {}).get("name", "")),
    Column("CREDENTIALS", lambda row: credentials_of(row) or "none of its own"),
)


def access(search: Search = "", output: Output = Form.TABLE, profile: ProfileName = "") -> None:
    """List what you hold now."""
    rows = connect(profile).every("access-sessions", {"search": search[:200]} if search else {})
    show(rows, COLUMNS, output, nothing="You hold nothing now. Ask with: latchkey request")


def found(client: Client, text: str) -> Row:
    """Return the access that is meant. Raises NotYours for none, Usage for several where nobody can be asked."""
    rows = client.every("access-sessions")
    fits = [row for row in rows if not text or _is(row, text.lower())]
    if len(fits) == 1:
        return fits[0]
    if not fits:
        named = f" called “{text}”" if text else ""
        raise NotYours(f"You hold no access{named}.", then="latchkey access lists what you hold.")
    if terminal.is_interactive():
        return pick("Access", lambda word: [one for one in fits if word.lower() in _words(one).lower()], _words)[0]
    raise Usage(f"Several are meant: {', '.join(map(_words, fits[:8]))}.", then="Name one by the beginning of its id.")


def _is(row: Row, text: str) -> bool:
    pk, name = str(row.get("id", "")).lower(), str(row.get("name", "")).lower()
    here = str(row.get("integration", {}).get("name", "")).lower()
    begins = len(text) >= _PREFIX_LEAST and pk.startswith(text)
    return begins or text in {name, here} or name.endswith(f" {text}")


def _words(row: Row) -> str:
    return f"{str(row.get('id', ''))[:8]} {row.get('name', '')}"


def at(row: Row) -> str:
    """Return where a session lies in the client API."""
    return f"access-sessions/{quoted(str(row.get('id', '')))}"


def details(client: Client, row: Row, form: str, *, take: bool) -> Row:
    """Return how to connect. `take`: with the credentials, if nobody has had them yet; then it is never asked twice."""
    query = {"format_type": form} | ({"consumed_by": NAME} if take else {})
    told = client.get(f"{at(row)}/access-details", query, once=take)
    if not isinstance(told, dict):
        raise Problem("The server does not say how to connect.", code=Code.UNREACHABLE)
    return told


def creds(
    access: Access,
    form: HowTold = How.INSTRUCTIONS,
    output: Output = Form.TABLE,
    yes: Yes = False,
    profile: ProfileName = "",
) -> None:
    """Print how to connect. Credentials are in it once: whoever runs this first gets them, and nobody again."""
    client = connect(profile)
    row = found(client, access)
    if output is not Form.TABLE:
        form = How.JSON
    shows = form in {How.INSTRUCTIONS, How.JSON} and credentials_of(row) == FRESH
    if shows and terminal.is_interactive() and not yes:
        say("Credentials are handed out once. They will stand on this screen, and nowhere again.")
        if not terminal.confirm("Show them?"):
            say("Nothing was shown.")
            return
    told = details(client, row, form.value, take=shows)
    _print(told, form, output)
    if form in {How.INSTRUCTIONS, How.JSON}:
        _warn(row, shows)


def _print(told: Row, form: How, output: Form) -> None:
    if form is How.JSON:
        print_data(told.get("json", {}), Form.JSON if output is Form.TABLE else output)
        return
    link: Any = told.get("link") or {}
    text = {How.CLI: told.get("cli"), How.LINK: link.get("url")}.get(form, told["instructions"].get("plain"))
    if not text:
        word = "command" if form is How.CLI else form.value
        raise NotYours(f"This access has no {word} to connect with.", then="Try --form instructions.")
    out(str(text))
    if form is How.INSTRUCTIONS and told["instructions"].get("custom_message"):
        out(str(told["instructions"]["custom_message"]))


def _warn(row: Row, shown: bool) -> None:
    short = str(row.get("id", ""))[:8]
    if shown:
        say(f"These credentials were handed out now, and will not be again. For new ones: latchkey reset {short}")
    elif credentials_of(row) == "viewed":
        say(f"The credentials were handed out before. For new ones: latchkey reset {short}")


def reset(access: Access, timeout: Timeout = "2m", profile: ProfileName = "") -> None:
    """Have new credentials made; the old ones stop working."""
    patience, client = seconds(timeout), connect(profile)
    row = found(client, access)
    renew(client, row, patience)
    say("There are new credentials. Use them: latchkey connect " + str(row.get("id", ""))[:8])


def renew(client: Client, row: Row, patience: int) -> None:
    """Have new credentials made, and wait until they are there. Raises Conflict where this access can have none."""
    if not credentials_of(row):
        raise Conflict("This access has no credentials of its own.", then="latchkey creds tells how to connect.")
    if credentials_of(row) != "resetting":
        said = client.post(f"{at(row)}/reset-credentials")
        say(str(said.get("message", "")) if isinstance(said, dict) else "")
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        if credentials_of(client.get(at(row))) == FRESH:
            return
        time.sleep(min(EVERY_SECONDS, 1))
    raise Problem(
        "The new credentials are not there yet.",
        then=f"They are being made. Asked at {moment(time.time())}; try again: latchkey access",
        code=Code.TIMED_OUT,
    )
