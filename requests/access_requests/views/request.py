"""The page of one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from access_requests import queries
from access_requests.choices import HOLDS_ACCESS, CredentialsStatus, RequestState
from access_requests.models import AccessGroup, AccessRequest, AccessSession, Approval
from access_requests.views.common import find_in_full, me, page
from access_requests.views.rules import may_of
from access_requests.views.timeline import events_of
from access_requests.views.words import approvals_needed, why_asked

# Details to connect, in the order and words people read them; others follow as the provider names them.
DETAILS = {
    "host": "Host",
    "port": "Port",
    "database": "Database",
    "databases": "Databases",
    "username": "User",
    "sslmode": "Encryption",
}
_SHOWN_ELSEWHERE = ("command", "uri")


@dataclass(frozen=True, slots=True)
class Connect:
    """How the grantee gets in through one grant."""

    session: AccessSession
    command: str
    uri: str
    facts: tuple[tuple[str, str], ...]
    may_show: bool
    may_reset: bool
    being_made: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """One integration's part of a request, as its page shows it. `connect` is there for the grantee of live access."""

    group: AccessGroup
    error: dict[str, str]
    connect: Connect | None


@dataclass(frozen=True, slots=True)
class Asked:
    """An approver, why they are asked, and what they said."""

    approval: Approval
    why: str


@page("GET", "HEAD")
def request_page(http: HttpRequest, pk: int) -> HttpResponse:
    """Show one request to whoever may see it."""
    return render_request(http, pk)


@page("GET", "HEAD")
def request_part(http: HttpRequest, pk: int) -> HttpResponse:
    """Return the part of the page that changes, as the page includes it."""
    return render(http, "portal/_request.html", _context(http, find_in_full(http, pk)))


@sensitive_variables("secret", "context")
def render_request(
    http: HttpRequest,
    pk: int,
    *,
    problem: str = "",
    typed: str = "",
    secret: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Return the page. `problem` says why something was not done, `typed` is the reason that was given with it.

    `secret` is shown in this answer and kept nowhere.
    """
    context = _context(http, find_in_full(http, pk))
    context |= {"problem": problem, "typed": typed, "secret": secret or {}}
    return render(http, "portal/request.html", context, status=status)


def _context(http: HttpRequest, access: AccessRequest) -> dict[str, Any]:
    user, document = me(http), access.flow_version.document
    approvals = list(access.approvals.all())
    errors = queries.last_errors(access) if access.state in HOLDS_ACCESS else {}
    live = access.grantee_id == user.pk and access.state == RequestState.ACTIVE
    groups = list(access.access_groups.all())
    return {
        "now": timezone.now(),
        "access": access,
        "may": may_of(user, access, approvals),
        "is_grantee": access.grantee_id == user.pk,
        "grants": [Grant(one, errors.get(one.integration_id, {}), _connect(one) if live else None) for one in groups],
        "dispatched": any(group.dispatched_at for group in groups),
        "asked": [Asked(one, why_asked(document, one.group_index)) for one in approvals],
        "approvals_needed": approvals_needed(document),
        "reason_required": document["settings"]["approver_reason_required"],
        "events": events_of(access),
    }


def _connect(group: AccessGroup) -> Connect | None:
    """Return the details to connect through a grant that is open; None while there are none."""
    session: AccessSession | None = getattr(group, "session", None)
    if session is None or group.ended_at is not None:
        return None
    status = CredentialsStatus(session.credentials_status)
    return Connect(
        session=session,
        command=str(session.details.get("command", "")),
        uri=str(session.details.get("uri", "")),
        facts=tuple(_facts(session.details)),
        may_show=status == CredentialsStatus.AVAILABLE,
        may_reset=status in {CredentialsStatus.AVAILABLE, CredentialsStatus.VIEWED},
        being_made=status == CredentialsStatus.RESETTING,
    )


def _facts(details: dict[str, Any]) -> list[tuple[str, str]]:
    """Return label and value of each detail, the known ones first."""
    known = [name for name in DETAILS if name in details]
    others = [name for name in sorted(details) if name not in DETAILS and name not in _SHOWN_ELSEWHERE]
    if details.get("databases") == [details.get("database")]:
        known.remove("databases")
    return [(_label(name), _text(details[name])) for name in [*known, *others]]


def _label(name: str) -> str:
    return DETAILS.get(name, name.replace("_", " ").capitalize())


def _text(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)
