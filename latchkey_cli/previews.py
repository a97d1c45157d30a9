"""What would become of a wish: who decides, what would be asked for, and what is in the way."""

from __future__ import annotations

from typing import Any

from latchkey_cli.client import Client
from latchkey_cli.output import Row, say
from latchkey_cli.problems import NotYours
from latchkey_cli.text import lasting
from latchkey_cli.wishes import Wish

UNITS = 10


def preview(client: Client, wish: Wish) -> Row:
    """Return what the server says would happen. A server without our extension says no more than yes or no."""
    try:
        found: Row = client.post("extensions/preview", wish.body())
    except NotYours as wrong:
        if wish.grantee or "address" not in wrong.message:
            raise
        found = client.post("access-requests/dry-run", wish.body())
    return found


def is_allowed(found: Row) -> bool:
    """Whether it may be sent as it is."""
    return bool(found.get("status") == "SUCCESS")


def tell(found: Row) -> None:
    """Say to a person what would happen."""
    for part in found.get("parts", ()):
        _tell_part(part)
    for words in wrongs(found):
        say(f"✗ {words}", style="red")


def wrongs(found: Row) -> list[str]:
    """Return what is in the way, in the server's words, each once."""
    told = []
    for one in found.get("errors", ()):
        about, path = one.get("details") or {}, str((one.get("details") or {}).get("path", ""))
        longest = f" At most {lasting(about['max_duration'])}." if about.get("max_duration") else ""
        told.append(f"{one.get('message') or one.get('code')}{longest}{f' ({path})' if path else ''}")
    return list(dict.fromkeys(told))


def _tell_part(part: dict[str, Any]) -> None:
    units = part.get("access_units", [])
    say(f"By the access flow {part.get('flow', '')}, for {lasting(part.get('duration_in_sec'))}:", style="bold")
    for one in units[:UNITS]:
        where = one["resource"].get("path") or one["resource"].get("name", "")
        say(f"  {one['permission'].get('name', '')} on {where} in {one['resource']['integration'].get('name', '')}")
    if len(units) > UNITS:
        say(f"  and {len(units) - UNITS} more")
    if part.get("checks"):
        say(f"  First checked by: {', '.join(map(str, part['checks']))}")
    if part.get("second_factor_required"):
        say("  It takes your second factor, in a browser.")
    say(f"  It takes {part.get('approval', '')}:" if part.get("needs_approval") else "  It takes nobody's approval.")
    for group in part.get("approvers", ()):
        more = f" and {group['more']} more" if group.get("more") else ""
        say(f"    {group.get('why', '')}: {', '.join(map(str, group.get('names', ())))}{more}")


def missing_answers(found: Row, wish: Wish) -> list[dict[str, Any]]:
    """Return the fields that some flow must have and the wish has not, each once."""
    fields = {str(one["key"]): one for part in found.get("parts", ()) for one in part.get("custom_fields", ())}
    return [one for key, one in fields.items() if one.get("required") and not wish.answers.get(key)]
