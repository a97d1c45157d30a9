"""tokens: your personal tokens. Their text is shown once, when they are made."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from latchkey_cli.client import Client, quoted
from latchkey_cli.options import Output, ProfileName
from latchkey_cli.output import Column, Form, Row, out, print_data, say, show
from latchkey_cli.problems import NotYours, Usage
from latchkey_cli.session import connect
from latchkey_cli.text import moment, seconds_of

app = typer.Typer(no_args_is_help=True, help="Your personal tokens.", rich_markup_mode=None)
_NONE: list[str] = []
Token = Annotated[str, typer.Argument(metavar="TOKEN", help="The beginning of its id, or its name.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")]
Scopes = Annotated[list[str], typer.Option("--scope", help="What it may; without, all that your sign-in may.")]
Until = Annotated[
    str, typer.Option("--until", help="How long it lasts, like 30d, or the day it ends, like 2027-01-31.")
]
COLUMNS = (
    Column("TOKEN", lambda row: str(row.get("id", ""))[:8], whole=True),
    Column("NAME", lambda row: row.get("name", "")),
    Column("ENDS", lambda row: moment(row.get("expiry_date"))),
    Column("LAST USED", lambda row: moment(row.get("last_used_date")) or "never"),
    Column("SCOPES", lambda row: " ".join(str(one).removeprefix("end_user:") for one in row.get("scopes", ()))),
)


def ends(text: str) -> float | None:
    """Return the moment that "30d" or a day means; None where nothing is said. Raises Usage."""
    if not text:
        return None
    lasts = seconds_of(text)
    if lasts is not None:
        return time.time() + lasts
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Usage(f"“{text}” is no time: write it like 30d, or 2027-01-31.") from None


def _rows(client: Client) -> list[Row]:
    found = client.get("personal-tokens")
    return found if isinstance(found, list) else []


def _found(client: Client, text: str) -> Row:
    """Return the token that is meant. Raises NotYours, Usage."""
    rows = _rows(client)
    fits = [row for row in rows if str(row["id"]) == text.lower()]
    fits = fits or [row for row in rows if row.get("name") == text]
    fits = fits or [row for row in rows if len(text) >= 4 and str(row["id"]).startswith(text.lower())]
    if not fits:
        raise NotYours(f"You have no token “{text}”.", then="latchkey tokens list")
    if len(fits) > 1:
        raise Usage(f"Several tokens are meant by “{text}”.", then="Name one by its id: latchkey tokens list")
    return fits[0]


@app.command("list")
def list_tokens(output: Output = Form.TABLE, profile: ProfileName = "") -> None:
    """List your tokens that are good for something."""
    show(_rows(connect(profile)), COLUMNS, output, nothing="You have no personal tokens.")


@app.command("make")
def make(
    name: Name, scope: Scopes = _NONE, until: Until = "", output: Output = Form.TABLE, profile: ProfileName = ""
) -> None:
    """Make a token. Its text goes to stdout, this once; send it where it belongs and not into your shell's history."""
    body: dict[str, Any] = {"name": name, "expiry_date": ends(until)} | ({"scopes": scope} if scope else {})
    made = connect(profile).post("personal-tokens", body)
    if output is not Form.TABLE:
        print_data(made, output)
    else:
        out(str(made["token"]))
    say(f"This is shown once. {made.get('name', name)} ends {moment(made.get('expiry_date'))}.")


@app.command("extend")
def extend(token: Token, until: Until = "", profile: ProfileName = "") -> None:
    """Have a token end at another time; without one, as late as is allowed."""
    client, moment_of = connect(profile), ends(until)
    changed = client.put(
        f"personal-tokens/{quoted(str(_found(client, token)['id']))}/expiry", {"expiry_date": moment_of}
    )
    say(f"{changed.get('name', '')} ends {moment(changed.get('expiry_date'))}.")


@app.command("revoke")
def revoke(token: Token, profile: ProfileName = "") -> None:
    """Revoke a token, now and for ever."""
    client = connect(profile)
    said = client.delete(f"personal-tokens/{quoted(str(_found(client, token)['id']))}")
    say(str(said.get("message", "")))
