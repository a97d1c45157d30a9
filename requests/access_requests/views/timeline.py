"""What happened to a request, in order, and what is still to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from access_requests.choices import (
    APPROVAL_ICONS,
    APPROVAL_TONES,
    CALL_ICONS,
    CALL_TONES,
    EXTENSION_ICONS,
    EXTENSION_TONES,
    ICONS,
    REVIEW_ICONS,
    REVIEW_TONES,
    TONES,
    ApprovalStatus,
    CallState,
    ExtensionState,
    RequestState,
    ReviewState,
    Tone,
)
from access_requests.draining import may_drain
from access_requests.models import AccessRequest, Transition
from audit.choices import ActorKind
from flows.decision import words_for

# What the reader already sees from the line before it, or from the answers.
_SILENT = (RequestState.INITIALIZING,)
_SAYS = {
    RequestState.PENDING: "Waits for an approver",
    RequestState.PENDING_MFA: "Waits for a second factor",
    RequestState.CANCELLED: "Withdrawn",
    RequestState.GRANTING: "Granting: the connector was told",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline. `ahead` marks what has not happened yet."""

    at: datetime
    icon: str
    tone: Tone
    text: str
    reason: str = ""
    ahead: bool = False


def events_of(access: AccessRequest) -> list[Event]:
    """Return the timeline of a request read with queries.in_full."""
    past = [*_asked(access), *_narrowings(access), *_answers(access), *_moves(access)]
    past += [*_extensions(access), *_calls(access), *_draining(access)]
    past += [*_escalations(access), *_reviewed(access)]
    past.sort(key=lambda event: event.at)
    return [*past, *_ahead(access)]


def _asked(access: AccessRequest) -> Iterator[Event]:
    if access.automatic:
        given = f"Given by the access flow {access.flow_name}: nobody asked"
        yield Event(access.requested_at, "flow", Tone.QUIET, given)
        return
    who = access.requestor.name
    whom = "" if access.grantee_id == access.requestor_id else f" for {access.grantee.name}"
    said, tone = (f"{who} broke the glass", Tone.BAD) if access.break_glass else (f"{who} asked", Tone.QUIET)
    yield Event(access.requested_at, "user", tone, f"{said}{whom}", access.justification)


def _answers(access: AccessRequest) -> Iterator[Event]:
    """Yield each approver's answer once, however many groups they answered for."""
    seen = set()
    for one in access.approvals.all():
        if one.decided_at is None or one.approver_id in seen:
            continue
        seen.add(one.approver_id)
        status = ApprovalStatus(one.status)
        said = f"{one.approver.name} {status.label.lower()}"
        yield Event(one.decided_at, APPROVAL_ICONS[status], APPROVAL_TONES[status], said, one.reason)


def _escalations(access: AccessRequest) -> Iterator[Event]:
    """Yield when each later tier was asked, and who that is; not of who was asked with the request."""
    tiers: dict[tuple[int, datetime], list[str]] = {}
    for one in access.approvals.all():
        if one.tier and one.asked_at is not None and one.asked_at > access.requested_at:
            tiers.setdefault((one.tier, one.asked_at), []).append(one.approver.name)
    for (_, at), names in tiers.items():
        who = ", ".join(dict.fromkeys(names))
        waited = words_for(int((at - access.requested_at).total_seconds()) // 60 * 60)
        yield Event(at, "users", Tone.WAIT, f"Nobody had answered after {waited}, so {who} was asked as well")


def _reviewed(access: AccessRequest) -> Iterator[Event]:
    """Yield the review of broken glass, once it is given."""
    review = access.review if access.break_glass else None
    if review is not None and review.reviewer is not None and review.decided_at is not None:
        state = ReviewState(review.state)
        said = f"{review.reviewer.name} reviewed it: {state.label.lower()}"
        yield Event(review.decided_at, REVIEW_ICONS[state], REVIEW_TONES[state], said, review.note)


def _narrowings(access: AccessRequest) -> Iterator[Event]:
    """Yield what approvers took away, before their yes."""
    for one in access.narrowings.all():
        gone = [f"{what['permission']} on {what['resource']}" for what in one.dropped]
        shorter = f"{_length(one.new_seconds)} instead of {_length(one.old_seconds)}"
        said = [shorter] if one.new_seconds != one.old_seconds else []
        said += [f"without {', '.join(gone)}"] if gone else []
        yield Event(one.at, "edit", Tone.WAIT, f"{one.approver.name} gives less: {'; '.join(said)}")


def _calls(access: AccessRequest) -> Iterator[Event]:
    """Yield what other systems answered. What was never asked, for the request was decided before, is left out."""
    said = {CallState.YES: "said yes", CallState.NO: "said no", CallState.FAILED: "gave no answer that counts"}
    for one in access.webhook_calls.all():
        state = CallState(one.state)
        if one.answered_at is not None and one.attempts:
            yield Event(one.answered_at, CALL_ICONS[state], CALL_TONES[state], f"{one.name} {said[state]}", one.message)


def _length(seconds: int | None) -> str:
    return "no end" if seconds is None else words_for(seconds)


def _extensions(access: AccessRequest) -> Iterator[Event]:
    """Yield who asked for more time, who answered, and what became of it."""
    for one in access.extensions.all():
        more = words_for(one.seconds)
        who = one.requested_by.name
        yield Event(one.requested_at, "user", Tone.QUIET, f"{who} asked for {more} more", one.justification)
        seen = set()
        for answer in one.approvals.all():
            if answer.decided_at is not None and answer.approver_id not in seen:
                seen.add(answer.approver_id)
                status = ApprovalStatus(answer.status)
                said = f"{answer.approver.name} {status.label.lower()} the extension"
                yield Event(answer.decided_at, APPROVAL_ICONS[status], APPROVAL_TONES[status], said, answer.reason)
        state = ExtensionState(one.state)
        if one.decided_at is not None and state != ExtensionState.REJECTED:
            text = f"Extended by {more}" if state == ExtensionState.APPROVED else f"Extension {one.word.lower()}"
            yield Event(one.decided_at, EXTENSION_ICONS[state], EXTENSION_TONES[state], text, one.note)


def _moves(access: AccessRequest) -> Iterator[Event]:
    answered = {(str(one.approver_id), one.decided_at) for one in access.approvals.all()}
    refused = {one.answered_at for one in access.webhook_calls.all()}
    for row in access.transitions.all():
        state = RequestState(row.to_state)
        if state in _SILENT or (row.actor_id, row.at) in answered:
            continue  # an answer that moved the request is told as the answer
        if state == RequestState.REJECTED and row.at in refused:
            continue
        yield Event(row.at, ICONS[state], TONES[state], _told(access, row, state), row.reason)


def _told(access: AccessRequest, row: Transition, state: RequestState) -> str:
    says = access.word if state == RequestState.REVOKED else _SAYS.get(state, str(state.label))
    return f"{says}, by {row.actor_name}" if row.actor_kind == ActorKind.USER else says


def _draining(access: AccessRequest) -> Iterator[Event]:
    """Yield since when which target lets no new session begin."""
    for group in access.access_groups.all():
        if group.draining_at is not None:
            said = f"{group.integration.name} lets no new session begin; those that are open may go on"
            yield Event(group.draining_at, "closing", Tone.MOVE, said)


def _ahead(access: AccessRequest) -> Iterator[Event]:
    state = RequestState(access.state)
    for one in access.webhook_calls.all():
        if one.is_asked_in(state):
            yield Event(one.due_at, CALL_ICONS[CallState.WAITING], Tone.MOVE, f"Asking {one.name}…", ahead=True)
    if state == RequestState.ACTIVE and access.ends_at is not None:
        yield Event(access.ends_at, "lock", Tone.QUIET, "Access ends, and the target is read back", ahead=True)
    if may_drain(access) and access.drains_until is not None:
        told = "Open sessions are cut, and the target is read back"
        yield Event(access.drains_until, "lock", Tone.QUIET, told, ahead=True)
    if state == RequestState.APPROVED and access.opens_at is not None:
        yield Event(access.opens_at, "clock", Tone.QUIET, "Opens, by the hours of the access flow", ahead=True)
    if state == RequestState.PENDING and access.escalates_at is not None:
        yield Event(access.escalates_at, "users", Tone.QUIET, "The next approvers are asked as well", ahead=True)
    if state == RequestState.PENDING and access.lapses_at is not None:
        yield Event(access.lapses_at, "clock", Tone.QUIET, "Lapses when nobody has answered", ahead=True)
