"""To requestor and grantee: what became of their request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access_requests.choices import ApprovalStatus, EndedHow, EndReason, RequestState, UnitState
from access_requests.draining import seconds_of
from access_requests.letters.words import about, joined
from access_requests.models import AccessRequest, Extension
from access_requests.templatetags.portal import lag, roughly
from accounts.letters import address_of, lines, zone_of
from accounts.models import User
from flows.decision import words_for
from integrations.queries import can_drain


@dataclass(frozen=True, slots=True)
class Said:
    """A letter before it is written: subject, template and what the template takes."""

    subject: str
    template: str
    context: dict[str, Any]


def _whose(access: AccessRequest, reader: User) -> str:
    """Say whose access it is: "Your access", or for who asked for somebody else that person's name."""
    return "Your access" if reader.pk == access.grantee_id else f"The access of {access.grantee.name}"


def opened(access: AccessRequest, reader: User) -> Said:
    """Access is active: until when, and where to connect."""
    told = about(access, without={UnitState.FAILED})
    answers = [one for one in access.approvals.all() if one.status == ApprovalStatus.APPROVED]
    failed = [unit for group in access.access_groups.all() for unit in group.units.all()]
    failed = [unit for unit in failed if unit.state == UnitState.FAILED]
    context = {
        "here": told,
        "url": told["url"],
        "whose": _whose(access, reader),
        "mine": reader.pk == access.grantee_id,
        "ends_at": access.ends_at,
        "lasts": words_for(access.duration_seconds) if access.duration_seconds else "",
        "approvers": joined(one.approver.name for one in answers),
        "reasons": [f"{one.approver.name}: {one.reason}" for one in answers if one.reason],
        "failed": [f"{unit.permission_name} on {unit.resource_path}: {unit.message}" for unit in failed],
    }
    return Said(f"Active: {told['summary']}", "opened", context)


_REFUSED = {
    RequestState.REJECTED: "An approver rejected the request. Nothing was granted.",
    RequestState.LAPSED: "The request lapsed. Nothing was granted.",
    RequestState.FAILED: "Nothing could be granted, and the target says that nothing is there.",
}


def refused(access: AccessRequest, reader: User) -> Said:
    """A request came to nothing: by whom or by what, and why."""
    told, state = about(access), RequestState(access.state)
    by = [one.approver.name for one in access.approvals.all() if one.status == ApprovalStatus.REJECTED]
    context = {
        "here": told,
        "url": told["url"],
        "whose": _whose(access, reader),
        "words": f"{joined(by)} rejected the request. Nothing was granted." if by else _REFUSED[state],
        "note": lines(access.note),
        "again_url": address_of("new_request"),
    }
    return Said(f"{state.label}: {told['summary']}", "refused", context)


def ended(access: AccessRequest, reader: User) -> Said:
    """Access is over: why, when, how late, and what the target said when it was read back."""
    told, groups = about(access, without={UnitState.FAILED}), list(access.access_groups.all())
    proofs = [
        {
            "name": group.integration.name,
            "read_at": group.proof.read_at,
            "sessions": group.proof.sessions_ended,
        }
        for group in groups
        if hasattr(group, "proof")
    ]
    late = (access.ended_at - access.due_at).total_seconds() if access.ended_at and access.due_at else 0.0
    context = {
        "here": told,
        "url": told["url"],
        "whose": _whose(access, reader),
        "mine": reader.pk == access.grantee_id,
        "word": access.word,
        "is_proven": access.ended_how == EndedHow.PROVEN,
        "why": EndReason(access.end_reason).label if access.end_reason else "",
        "note": lines(access.note),
        "drained_since": max((one.draining_at for one in groups if one.draining_at), default=None),
        "drains_until": access.drains_until,
        "due_at": access.due_at,
        "ended_at": access.ended_at,
        "lag": lag(max(0.0, late)),
        "proofs": proofs,
        "again_url": address_of("new_request"),
    }
    return Said(f"Ended: {told['summary']}", "ended", context)


def ending(access: AccessRequest, reader: User, *, may_extend: bool, at: datetime) -> Said:
    """Access ends soon: when, and whether it can be extended."""
    told = about(access, without={UnitState.FAILED})
    left = (access.ends_at - at).total_seconds() if access.ends_at else 0.0
    clock = f"{access.ends_at.astimezone(zone_of(reader)):%H:%M}" if access.ends_at else ""
    context = {
        "here": told,
        "url": told["url"],
        "whose": _whose(access, reader),
        "ends_at": access.ends_at,
        "left": roughly(left),
        "drains": _drains(access),
        "again_url": address_of("new_request"),
        "extend_url": f"{told['url']}#extend-now" if may_extend else "",
    }
    return Said(f"Ends at {clock}: {told['summary']}", "ending", context)


def _drains(access: AccessRequest) -> str:
    """Say for how long open sessions may go on after the end, in words; nothing where they end with it."""
    seconds = seconds_of(access)
    able = any(can_drain(group.integration) for group in access.access_groups.all())
    return words_for(seconds) if seconds and able else ""


def extended(extension: Extension, reader: User) -> Said:
    """What became of an ask for more time."""
    access = extension.request
    told = about(access, without={UnitState.FAILED})
    answers = [one for one in extension.approvals.all() if one.decided_at is not None]
    context = {
        "here": told,
        "url": told["url"],
        "whose": _whose(access, reader),
        "given": extension.new_end is not None,
        "more": extension.more,
        "ends_at": extension.new_end or access.ends_at,
        "by": joined(one.approver.name for one in answers),
        "note": lines(extension.note),
        "reasons": [f"{one.approver.name}: {one.reason}" for one in answers if one.reason],
    }
    start = "Extended" if extension.new_end else "Not extended"
    return Said(f"{start}: {told['summary']}", "extended", context)
