"""request: ask for access, by hand or by options; what would happen is shown first."""

from __future__ import annotations

from typing import Annotated

import typer

from latchkey_cli import picking, terminal
from latchkey_cli.client import Client
from latchkey_cli.options import Output, ProfileName, Timeout, Wait, Yes
from latchkey_cli.output import Form, Row, print_data, say
from latchkey_cli.previews import is_allowed, missing_answers, preview, tell, wrongs
from latchkey_cli.problems import Refused, Usage
from latchkey_cli.requests_shown import asked, request_id
from latchkey_cli.session import connect
from latchkey_cli.text import seconds_of
from latchkey_cli.waiting import granted, seconds
from latchkey_cli.wishes import Flags, Wish, named

_NONE: list[str] = []
Integration = Annotated[str, typer.Option("--integration", "-i", help="Name, id or type of the integration.")]
ResourceType = Annotated[str, typer.Option("--resource-type", "-t", help="Name or id of the resource type.")]
Resources = Annotated[list[str], typer.Option("--resource", "-R", help="Name, path or id; may be repeated.")]
Permissions = Annotated[list[str], typer.Option("--permission", "-P", help="Name or id; may be repeated.")]
Bundles = Annotated[list[str], typer.Option("--bundle", "-b", help="Name or id of a bundle; may be repeated.")]
Grantee = Annotated[str, typer.Option("--for", help="Whom it is for: an e-mail address.")]
Justification = Annotated[str, typer.Option("--justification", "-j", help="Why it is needed.")]
Duration = Annotated[str, typer.Option("--duration", "-d", help="How long, like 30m, 2h or 1d.")]
Ticket = Annotated[str, typer.Option("--ticket", help="The ticket it is for.")]
Fields = Annotated[list[str], typer.Option("--field", help="A field of the flow as key=value; may be repeated.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would happen.")]
# So often what is missing is asked for before it is given up.
_ROUNDS = 5


def request(  # noqa: PLR0917 - each is an option of its own
    integration: Integration = "",
    resource_type: ResourceType = "",
    resource: Resources = _NONE,
    permission: Permissions = _NONE,
    bundle: Bundles = _NONE,
    grantee: Grantee = "",
    justification: Justification = "",
    duration: Duration = "",
    ticket: Ticket = "",
    field: Fields = _NONE,
    dry_run: DryRun = False,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = "1h",
    output: Output = Form.TABLE,
    profile: ProfileName = "",
) -> None:
    """Ask for access. Without options you choose from lists; what would happen is always shown first."""
    flags = Flags(integration, resource_type, resource, permission, bundle)
    answers = picking.answers_of(field) | ({"ticket": ticket} if ticket else {})
    wish = Wish(grantee=grantee, justification=justification, seconds=_length(duration), answers=answers)
    patience, client = seconds(timeout), connect(profile)
    by_hand = terminal.is_interactive() and not yes
    wish = _complete(client, named(client, flags, wish), by_hand=by_hand)
    found = _previewed(client, wish, by_hand=by_hand and not dry_run)
    if dry_run and output is not Form.TABLE:
        print_data(found, output)
    else:
        tell(found)
    if not is_allowed(found):
        raise Refused("It cannot be asked for as it stands.", then="Change it, or see: latchkey why-not NAME")
    if dry_run or (by_hand and not terminal.confirm("Send the request?")):
        say("Nothing was asked.")
        return
    _send(client, wish, output, patience if wait else 0)


def _length(text: str) -> int | None:
    found = seconds_of(text) if text else None
    if text and found is None:
        raise Usage(f"“{text}” is no length of time: write it like 30m, 2h or 1d.")
    return found


def _complete(client: Client, wish: Wish, *, by_hand: bool) -> Wish:
    """Return a wish that names something, chosen from lists where there is somebody to choose."""
    if wish.bundles and not (wish.integrations or wish.types or wish.resources or wish.permissions):
        return wish
    if by_hand and not (wish.resources and wish.permissions):
        return picking.by_hand(client, wish)
    if wish.is_empty:
        raise Usage(
            "Say what you need: --integration, --resource and --permission, or --bundle.",
            then="On a terminal, without --yes, you choose from lists.",
        )
    return wish


def _previewed(client: Client, wish: Wish, *, by_hand: bool) -> Row:
    """Return what would happen. What is missing is asked for, where there is somebody to ask."""
    if by_hand and wish.seconds is None:
        wish.seconds = _asked_length()
    for _ in range(_ROUNDS):
        found = preview(client, wish)
        fields = missing_answers(found, wish)
        about = {str(one.get("field")) for one in found.get("errors", ())}
        if not by_hand or not (fields or about & {"justification", "duration_in_sec"}):
            return found
        for words in wrongs(found):
            say(words)
        for one in fields:
            picking.fill_in(wish, one)
        if "justification" in about:
            wish.justification = terminal.ask("Why do you need it?")
        if "duration_in_sec" in about:
            wish.seconds = _asked_length()
    return found


def _asked_length() -> int | None:
    while True:
        text = terminal.ask("For how long, like 30m or 2h? Nothing: as long as the flow allows.")
        found = seconds_of(text)
        if not text or found is not None:
            return found
        say(f"“{text}” is no length of time.")


def _send(client: Client, wish: Wish, output: Form, patience: int) -> None:
    """Send the request, show what became of it, and wait for it if that is wanted."""
    made = client.post("access-requests", wish.body())
    names = [request_id(str(one)) for one in made.get("request_ids", ())]
    if made.get("message"):
        say(str(made["message"]))
    if not patience:
        asked(client, names, output)
        return
    try:
        granted(client, names, patience)
    finally:
        asked(client, names, output)
