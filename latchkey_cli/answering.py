"""approve, reject, cancel, revoke, extend, again: what is done to a request."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from latchkey_cli.options import Output, ProfileName, Reason, RequestId, Timeout, Wait
from latchkey_cli.output import Form, say
from latchkey_cli.problems import Refused
from latchkey_cli.requests_shown import asked, request_id
from latchkey_cli.session import connect
from latchkey_cli.waiting import ENDED, seconds, until

Justification = Annotated[str, typer.Option("--justification", "-j", help="Why it is needed again.")]


def _do(request: str, verb: str, profile: str, body: dict[str, Any] | None = None) -> None:
    """Do it, and say what the server says of it."""
    said = connect(profile).post(f"access-requests/{request_id(request)}/{verb}", body)
    say(str(said.get("message", "Done.")) if isinstance(said, dict) else "Done.")


def approve(request: RequestId, reason: Reason = "", profile: ProfileName = "") -> None:
    """Say yes to a request, or to the extension it asks for."""
    _do(request, "approve", profile, {"justification": reason})


def reject(request: RequestId, reason: Reason = "", profile: ProfileName = "") -> None:
    """Say no to a request, or to the extension it asks for."""
    _do(request, "reject", profile, {"justification": reason})


def cancel(request: RequestId, profile: ProfileName = "") -> None:
    """Withdraw a request that is not granted yet; of one that is, end the access."""
    _do(request, "revoke", profile)


def revoke(request: RequestId, wait: Wait = False, timeout: Timeout = "5m", profile: ProfileName = "") -> None:
    """End access: hand back your own, or take away what you may."""
    patience = seconds(timeout)
    _do(request, "revoke", profile)
    if wait:
        until(connect(profile), request_id(request), ENDED, patience)


def extend(request: RequestId, profile: ProfileName = "") -> None:
    """Ask for more time, as much as the access flow gives at once."""
    _do(request, "extend", profile)


def again(
    request: RequestId,
    justification: Justification = "",
    output: Output = Form.TABLE,
    profile: ProfileName = "",
) -> None:
    """Ask for the same once more, for the same person and as long."""
    client, name = connect(profile), request_id(request)
    before = client.get(f"access-requests/{name}")
    dry = client.post(f"access-requests/{name}/dry-run")
    if dry.get("status") != "SUCCESS":
        words = " ".join(str(one.get("message", "")) for one in dry.get("errors", ()))
        raise Refused(words or "It cannot be asked for as it was.", then="latchkey request")
    why = justification or str(before.get("justification", ""))
    made = client.post(f"access-requests/{name}/request-again", {"justification": why})
    if made.get("message"):
        say(str(made["message"]))
    asked(client, [request_id(str(one)) for one in made.get("request_ids", ())], output)
