"""requests, show: what was asked for, and how it stands."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

import typer

from latchkey_cli.client import Client
from latchkey_cli.options import Output, ProfileName, RequestId
from latchkey_cli.output import Column, Form, Row, facts, print_data, say, show
from latchkey_cli.problems import Usage
from latchkey_cli.session import connect
from latchkey_cli.text import lasting, moment

_ID = re.compile(r"(?:AR-)?\d{1,18}", re.ASCII | re.IGNORECASE)


class Whose(StrEnum):
    """Whose requests."""

    MINE = "mine"
    TASKS = "tasks"
    ANSWERED = "answered"
    FOR_OTHERS = "for-others"


SCOPES = {
    Whose.MINE: "MyRequests",
    Whose.TASKS: "MyTasks",
    Whose.ANSWERED: "MyHistoricTasks",
    Whose.FOR_OTHERS: "MyDelegatedRequests",
}
Scope = Annotated[Whose, typer.Option("--scope", "-s", help="Yours, those you are to answer, or have answered.")]
States = Annotated[list[str], typer.Option("--status", help="Only these, like Pending or Active; may be repeated.")]
Limit = Annotated[int, typer.Option("--limit", "-n", help="How many at most, newest first.", min=1, max=10_000)]


def request_id(text: str) -> str:
    """Return the id of a request as it stands in addresses. Raises Usage."""
    if not _ID.fullmatch(text):
        raise Usage(f"“{text}” is no request: they look like AR-17.", then="latchkey requests lists yours.")
    return text.upper()


def status_of(row: Row) -> str:
    """Return the state in one word; ours where it says more than the client API's."""
    status = row.get("status", {})
    word, ours = str(status.get("status", "")), str(status.get("metadata", {}).get("state", ""))
    return {"pending_mfa": "Pending factor", "cancelled": "Withdrawn", "lapsed": "Lapsed"}.get(ours, word)


def what_of(row: Row) -> str:
    """Return what a request names, in few words."""
    units = row.get("access_units_summary") or []
    told = [f"{one.get('resource_name', '')}: {one.get('permission_name', '')}" for one in units[:2]]
    return ", ".join(told) + (f" and {len(units) - 2} more" if len(units) > 2 else "")


COLUMNS = (
    Column("REQUEST", lambda row: row.get("id", ""), whole=True),
    Column("STATUS", status_of),
    Column("FOR", lambda row: row.get("grantee", {}).get("display_name", "")),
    Column("WHAT", what_of),
    Column("ASKED", lambda row: moment(row.get("creation_time"))),
)


def requests(
    scope: Scope = Whose.MINE,
    status: States = [],  # noqa: B006 - the command line's own way to say "none"
    limit: Limit = 30,
    output: Output = Form.TABLE,
    profile: ProfileName = "",
) -> None:
    """List requests, newest first."""
    query: dict[str, Any] = {"scope": SCOPES[scope], "access_units_summary_limit": 3}
    rows = connect(profile).every(
        "access-requests", query | ({"statuses": ",".join(status)} if status else {}), most=limit
    )
    show(rows, COLUMNS, output, nothing="There are no such requests. Ask with: latchkey request")


def show_request(request: RequestId, output: Output = Form.TABLE, profile: ProfileName = "") -> None:
    """Show one request: who decides, what it names, and how each part fares."""
    client = connect(profile)
    told(client, request_id(request), output)


def whole(client: Client, name: str) -> Row:
    """Return a request with all that it names."""
    row: Row = client.get(f"access-requests/{name}", {"access_units_summary_limit": 1000})
    units = client.get("access-requests/access_units", {"request_id": name})
    return row | {"access_units": units[0]["access_units"] if units else []}


def told(client: Client, name: str, output: Form) -> None:
    """Print one request."""
    row = whole(client, name)
    if output is not Form.TABLE:
        print_data(row, output)
        return
    status = row.get("status", {})
    facts(
        [
            ("Request", row.get("id", "")),
            ("Status", " – ".join(filter(None, [status_of(row), str(status.get("description", ""))]))),
            ("For", row.get("grantee", {}).get("display_name", "")),
            ("Asked by", f"{row.get('requestor', {}).get('name', '')}, {moment(row.get('creation_time'))}"),
            ("Lasts", lasting(row.get("duration_in_sec"))),
            ("Until", moment(row.get("revocation_time"))),
            ("Why", row.get("justification", "")),
            *((str(name), value) for name, value in row.get("custom_fields", {}).items()),
            *_deciders(row),
        ]
    )
    say("")
    show(row["access_units"], UNITS, output, nothing="It names nothing.")


def asked(client: Client, names: list[str], output: Form) -> None:
    """Print the requests that an ask became: JSON and YAML have them as a list."""
    if output is not Form.TABLE:
        print_data([whole(client, name) for name in names], output)
        return
    say(f"Asked: {', '.join(names)}.")
    show([client.get(f"access-requests/{name}") for name in names], COLUMNS, output)


UNITS = (
    Column("RESOURCE", lambda row: row["resource"].get("path") or row["resource"].get("name", "")),
    Column("PERMISSION", lambda row: row["permission"].get("name", "")),
    Column("INTEGRATION", lambda row: row["resource"].get("integration", {}).get("name", "")),
    Column("STATUS", lambda row: ": ".join(filter(None, map(str, row.get("status", {}).values())))),
)


def _deciders(row: Row) -> list[tuple[str, str]]:
    challenge = row.get("challenge") or {}
    word = {"AllOf": "Each of", "AnyOf": "One of"}.get(str(challenge.get("logical_relation")), "")
    found = []
    for one in challenge.get("approvers", ()):
        about = one.get("metadata", {})
        reason = f": {about['reason']}" if about.get("reason") else ""
        found.append(
            (word or "Asked", f"{one.get('name', '')} ({one.get('status', '')}{reason}) – {about.get('why', '')}")
        )
    return found
