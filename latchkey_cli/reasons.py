"""why-not: why you may not have something, or how you can."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from latchkey_cli.options import Output, ProfileName
from latchkey_cli.output import Form, Row, out, print_data
from latchkey_cli.session import connect

Name = Annotated[str, typer.Argument(metavar="NAME", help="A part of the name or path of what you need.")]
Grantee = Annotated[str, typer.Option("--for", help="Whom it is for: an e-mail address.")]


def why_not(name: Name, grantee: Grantee = "", output: Output = Form.TABLE, profile: ProfileName = "") -> None:
    """Say what is in the way of something, what to do next, or that you can ask for it."""
    query = {"search": name} | ({"grantee_id": grantee} if grantee else {})
    told = connect(profile).get("extensions/why-not", query)
    if output is not Form.TABLE:
        print_data(told, output)
        return
    for one in told.get("resources", ()):
        _tell(one)
    if told.get("has_more"):
        out("There is more of that name. Type more of it.")
    if not told.get("resources"):
        admins = ", ".join(map(str, told.get("admins", ())))
        out(f"No access flow gives you anything like “{name}”. It is not there, or it is for others.")
        out(f"Ask an admin to add you to its access flow: {admins}." if admins else "Ask an admin for an access flow.")


def _tell(one: Row) -> None:
    resource = one["resource"]
    out(f"{resource.get('path') or resource.get('name', '')} in {resource['integration'].get('name', '')}")
    for way in one.get("ways", ()):
        _tell_way(resource, way)
    owners = ", ".join(map(str, one.get("owners", ())))
    whom = f"Ask its owner: {owners}." if owners else "Ask an admin for an access flow."
    out(f"  Anything else on it no access flow gives you. {whom}")


def _tell_way(resource: Row, way: dict[str, Any]) -> None:
    name = way["permission"].get("name", "")
    if way.get("can_ask"):
        out(f"  ✓ {name}: you can ask for it; {way.get('flow', '')} gives it with {way.get('approval', '')}.")
        return
    out(f"  ✗ {name}: not now.")
    if way.get("refusal"):
        out(f"    {way['refusal']} Ask an admin to look at it.")
    for hurdle in way.get("hurdles", ()):
        out(f"    {hurdle.get('flow', '')}: {hurdle.get('reason', '')} {hurdle.get('next_step', '')}")
