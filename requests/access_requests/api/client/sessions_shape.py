"""A session as clients read it, and the details to connect. Secrets are handed in from outside, or masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from access_requests.api.client.shapes import (
    MASKED,
    Icons,
    IntegrationShape,
    icons,
    integration_shape,
    type_name,
)
from access_requests.api.states import CREDENTIALS
from access_requests.choices import CredentialsStatus, RequestState
from access_requests.models import AccessSession
from access_requests.views.connecting import DETAILS
from integrations.queries import credential

ELSEWHERE = ("command", "uri")
ACTIVE, DISCONNECTED = "Active", "Disconnected"


class SessionTypeShape(TypedDict):
    """What kind of system it leads into."""

    id: str
    name: str
    icons: Icons


class CredentialsShape(TypedDict):
    """How its credentials stand."""

    id: str
    status: str
    can_reset: bool


class SessionShape(TypedDict):
    """What a grantee holds through one grant."""

    id: str
    name: str
    type: SessionTypeShape
    integration: IntegrationShape
    credentials: NotRequired[CredentialsShape]
    connection_methods: list[str]
    status: str
    has_more_access_units: bool
    has_link_access_details: bool
    has_launchers: bool
    launchers: list[Any]
    consumed_by: NotRequired[str]
    credentials_rotated: bool
    custom_access_details: NotRequired[str]


class InstructionShape(TypedDict):
    """How to connect, in words."""

    plain: str
    markdown: str
    custom_message: NotRequired[str]


class LinkShape(TypedDict):
    """Where it is opened in a browser."""

    url: str
    title: str


class DetailsShape(TypedDict):
    """How to connect, in every form there is."""

    credentials: NotRequired[CredentialsShape]
    instructions: InstructionShape
    json: dict[str, Any]
    cli: NotRequired[str]
    link: NotRequired[LinkShape]
    credentials_rotated: bool
    consumed_by: NotRequired[str]
    launchers: list[Any]


def is_open(session: AccessSession) -> bool:
    """Whether it leads anywhere now."""
    group = session.group
    return group.request.state == RequestState.ACTIVE and group.ended_at is None and session.ended_at is None


def rotated(session: AccessSession) -> bool:
    """Whether its credentials were made anew since access began."""
    made = session.credentials_made_at
    return made is not None and made > session.started_at


def session_shape(session: AccessSession, *, asked_alone: bool = False) -> SessionShape:
    """Return a session. `asked_alone`: it is looked at by itself, as clients do that wait for a reset to end."""
    here = session.group.integration
    shape: SessionShape = {
        "id": str(session.pk),
        "name": f"{here.name} {session.group.request}",
        "type": {"id": here.type, "name": type_name(here.type), "icons": icons()},
        "integration": integration_shape(str(here.pk), here.name, here.type),
        "connection_methods": methods_of(session),
        "status": ACTIVE if is_open(session) else DISCONNECTED,
        "has_more_access_units": False,
        "has_link_access_details": bool(_link(session)),
        "has_launchers": False,
        "launchers": [],
        "credentials_rotated": rotated(session),
    }
    found = credentials_shape(session)
    if found is not None:
        # After a reset some clients wait for the word in small letters; in lists they look for the other.
        if asked_alone and rotated(session) and found["status"] == CREDENTIALS[CredentialsStatus.AVAILABLE]:
            found["status"] = found["status"].lower()
        shape["credentials"] = found
    if session.consumed_by:
        shape["consumed_by"] = session.consumed_by
    if here.custom_access_details:
        shape["custom_access_details"] = here.custom_access_details
    return shape


def credentials_shape(session: AccessSession) -> CredentialsShape | None:
    """Return how the credentials stand; None where access has none of its own."""
    status = CredentialsStatus(session.credentials_status)
    if status == CredentialsStatus.NOT_APPLICABLE:
        return None
    can_reset = status in {CredentialsStatus.AVAILABLE, CredentialsStatus.VIEWED} and is_open(session)
    return {"id": str(session.pk), "status": CREDENTIALS[status], "can_reset": can_reset}


def methods_of(session: AccessSession) -> list[str]:
    """Return in which forms the details can be had."""
    found = ["instructions", "json"]
    found = ["cli", *found] if session.details.get("command") else found
    return [*found, "link"] if _link(session) else found


def _link(session: AccessSession) -> str:
    uri = str(session.details.get("uri", ""))
    return uri if uri.startswith(("https://", "http://")) else ""


def details_shape(session: AccessSession, secrets: Mapping[str, str]) -> DetailsShape:
    """Return how to connect. Without secrets what is secret is masked, as it is once it was seen."""
    has = session.credentials_status != CredentialsStatus.NOT_APPLICABLE
    shown = dict(secrets) or ({credential(session.group.integration): MASKED} if has else {})
    rows = [*_rows(session.details), *((_label(name), value) for name, value in shown.items())]
    shape: DetailsShape = {
        "instructions": _instructions(session, rows, handed_out=bool(secrets)),
        "json": {**session.details, **shown},
        "credentials_rotated": rotated(session),
        "launchers": [],
    }
    found = credentials_shape(session)
    if found is not None:
        shape["credentials"] = found
    if session.details.get("command"):
        shape["cli"] = str(session.details["command"])
    if _link(session):
        shape["link"] = {"url": _link(session), "title": session.group.integration.name}
    if session.consumed_by:
        shape["consumed_by"] = session.consumed_by
    return shape


def _instructions(session: AccessSession, rows: list[tuple[str, str]], *, handed_out: bool) -> InstructionShape:
    command, note = str(session.details.get("command", "")), ""
    if handed_out:
        note = "This is shown once. To get new credentials, reset them."
    elif session.credentials_status == CredentialsStatus.VIEWED:
        note = "The credentials were shown before. To get new ones, reset them."
    plain = [*(f"{label}: {value}" for label, value in rows), *([f"Command: {command}"] if command else []), note]
    marked = [f"- **{label}**: {_code(value)}" for label, value in rows]
    marked += [f"- **Command**: {_code(command)}"] if command else []
    shape: InstructionShape = {
        "plain": "\n".join(filter(None, plain)),
        "markdown": "\n".join([*marked, *(["", note] if note else [])]),
    }
    if session.group.integration.custom_access_details:
        shape["custom_message"] = session.group.integration.custom_access_details
    return shape


def _code(text: str) -> str:
    """Return a text as code in Markdown: in a fence longer than any in it."""
    if "\n" in text:
        return f"\n\n```\n{text}\n```"
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _rows(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = [name for name in DETAILS if name in details]
    others = [name for name in sorted(details) if name not in DETAILS and name not in ELSEWHERE]
    return [(_label(name), _text(details[name])) for name in [*known, *others]]


def _label(name: str) -> str:
    return DETAILS.get(name, name.replace("_", " ").capitalize())


def _text(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)
