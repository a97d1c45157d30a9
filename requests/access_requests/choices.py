"""States, declared once: value, label, tone and groups. Templates never compare strings."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from django.db import models


class Tone(StrEnum):
    """How a state looks; the stylesheet knows these five."""

    GOOD = "good"
    WAIT = "wait"
    BAD = "bad"
    MOVE = "move"
    QUIET = "quiet"


class RequestState(models.TextChoices):
    """The states of an access request (product.md section 2)."""

    INITIALIZING = "initializing", "Preparing"
    PENDING_MFA = "pending_mfa", "Waiting for your second factor"
    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    GRANTING = "granting", "Granting"
    ACTIVE = "active", "Active"
    REVOKING = "revoking", "Revoking"
    REVOKED = "revoked", "Revoked"
    FAILED = "failed", "Failed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"
    LAPSED = "lapsed", "Lapsed"


_S = RequestState

WAITING = (_S.INITIALIZING, _S.PENDING_MFA, _S.PENDING)
FINAL = (_S.REVOKED, _S.FAILED, _S.REJECTED, _S.CANCELLED, _S.LAPSED)
OPEN = tuple(state for state in RequestState if state not in FINAL)
# Access may exist at the target in these; nowhere else.
HOLDS_ACCESS = (_S.GRANTING, _S.ACTIVE, _S.REVOKING)

# Coming to one of these is news: people get letters of it.
TOLD = (_S.ACTIVE, _S.REVOKED, _S.FAILED, _S.REJECTED, _S.LAPSED)

TONES: dict[RequestState, Tone] = {
    _S.INITIALIZING: Tone.QUIET,
    _S.PENDING_MFA: Tone.WAIT,
    _S.PENDING: Tone.WAIT,
    _S.APPROVED: Tone.MOVE,
    _S.GRANTING: Tone.MOVE,
    _S.ACTIVE: Tone.GOOD,
    _S.REVOKING: Tone.MOVE,
    _S.REVOKED: Tone.GOOD,
    _S.FAILED: Tone.BAD,
    _S.REJECTED: Tone.BAD,
    _S.CANCELLED: Tone.QUIET,
    _S.LAPSED: Tone.QUIET,
}

# Names in the sprite static/img/icons.svg; a state is never told by colour alone.
ICONS: dict[RequestState, str] = {
    _S.INITIALIZING: "spinner",
    _S.PENDING_MFA: "phone",
    _S.PENDING: "hourglass",
    _S.APPROVED: "opening",
    _S.GRANTING: "opening",
    _S.ACTIVE: "ok",
    _S.REVOKING: "closing",
    _S.REVOKED: "proof",
    _S.FAILED: "stop",
    _S.REJECTED: "no",
    _S.CANCELLED: "ban",
    _S.LAPSED: "clock",
}


class UnitState(models.TextChoices):
    """The states of an access unit."""

    PENDING = "pending", "Pending"
    GRANTING = "granting", "Granting"
    ACTIVE = "active", "Active"
    REVOKING = "revoking", "Revoking"
    ENDED = "ended", "Ended"
    FAILED = "failed", "Failed"


# A unit in one of these is held, or being given.
HELD_UNITS = (UnitState.GRANTING, UnitState.ACTIVE)


UNIT_TONES: dict[UnitState, Tone] = {
    UnitState.PENDING: Tone.QUIET,
    UnitState.GRANTING: Tone.MOVE,
    UnitState.ACTIVE: Tone.GOOD,
    UnitState.REVOKING: Tone.MOVE,
    UnitState.ENDED: Tone.QUIET,
    UnitState.FAILED: Tone.BAD,
}

UNIT_ICONS: dict[UnitState, str] = {
    UnitState.PENDING: "clock",
    UnitState.GRANTING: "opening",
    UnitState.ACTIVE: "ok",
    UnitState.REVOKING: "closing",
    UnitState.ENDED: "lock",
    UnitState.FAILED: "stop",
}


class EndedHow(models.TextChoices):
    """How a revoked request came to its end."""

    PROVEN = "proven", "proven"
    DECLARED = "declared", "declared"


class EndReason(models.TextChoices):
    """Why access ended, or a request never came to it."""

    TIME = "time", "The time ended"
    HANDED_BACK = "handed_back", "Handed back"
    REVOKED_BY_ADMIN = "revoked_by_admin", "Revoked by an admin"
    REVOKED_BY_APPROVER = "revoked_by_approver", "Revoked by an approver"
    FLOW_DISABLED = "flow_disabled", "The access flow was disabled"
    NOT_ELIGIBLE = "not_eligible", "No longer eligible"
    REVOKED_ALL = "revoked_all", "Revoked with everything else"
    OFF_BOARDED = "off_boarded", "The account was disabled"
    FROZEN = "frozen", "Stopped by a freeze"
    NOTHING_GRANTED = "nothing_granted", "Nothing could be granted"
    NO_ANSWER = "no_answer", "Nobody answered in time"
    WITHDRAWN = "withdrawn", "Withdrawn"
    REJECTED = "rejected", "Rejected"
    ENVELOPE_OPENED = "envelope_opened", "The envelope was opened"
    ENVELOPE_DOUBTED = "envelope_doubted", "The envelope may have been opened while Latchkey was down"
    ENVELOPE_ROTATED = "envelope_rotated", "Its successor was printed"


class DeclarationState(models.TextChoices):
    """What became of one admin's word that access is over."""

    WAITING = "waiting", "Waits for a second admin"
    CONFIRMED = "confirmed", "Confirmed"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Taken back"
    LAPSED = "lapsed", "Lapsed"
    # The end was proven before anybody confirmed.
    OVERTAKEN = "overtaken", "Proven meanwhile"


class RevocationKind(models.TextChoices):
    """Of what everything is ended."""

    PERSON = "person", "A person"
    INTEGRATION = "integration", "An integration"
    FLOW = "flow", "An access flow"
    EVERYWHERE = "everywhere", "Everywhere"


class RevocationCause(models.TextChoices):
    """Why everything is ended."""

    ASKED = "asked", "Somebody pressed the button"
    OFF_BOARDING = "off_boarding", "The person was disabled"


class ApprovalStatus(models.TextChoices):
    """What one approver has said."""

    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"


APPROVAL_TONES: dict[ApprovalStatus, Tone] = {
    ApprovalStatus.PENDING: Tone.QUIET,
    ApprovalStatus.APPROVED: Tone.GOOD,
    ApprovalStatus.REJECTED: Tone.BAD,
}

APPROVAL_ICONS: dict[ApprovalStatus, str] = {
    ApprovalStatus.PENDING: "hourglass",
    ApprovalStatus.APPROVED: "ok",
    ApprovalStatus.REJECTED: "no",
}


class CallState(models.TextChoices):
    """What another system said."""

    WAITING = "waiting", "Waiting"
    YES = "yes", "Yes"
    NO = "no", "No"
    # It did not answer, or not so that it could be understood; as a check that is a no.
    FAILED = "failed", "No answer"


CALL_TONES: dict[CallState, Tone] = {
    CallState.WAITING: Tone.MOVE,
    CallState.YES: Tone.GOOD,
    CallState.NO: Tone.BAD,
    CallState.FAILED: Tone.BAD,
}

CALL_ICONS: dict[CallState, str] = {
    CallState.WAITING: "spinner",
    CallState.YES: "ok",
    CallState.NO: "no",
    CallState.FAILED: "stop",
}


class ReviewState(models.TextChoices):
    """What came of a review."""

    DUE = "due", "Owed"
    JUSTIFIED = "justified", "Justified"
    # Looked at, and found to have been wrong.
    NOT_JUSTIFIED = "unjust", "Not justified"


REVIEW_TONES: dict[ReviewState, Tone] = {
    ReviewState.DUE: Tone.WAIT,
    ReviewState.JUSTIFIED: Tone.GOOD,
    ReviewState.NOT_JUSTIFIED: Tone.BAD,
}

REVIEW_ICONS: dict[ReviewState, str] = {
    ReviewState.DUE: "hourglass",
    ReviewState.JUSTIFIED: "ok",
    ReviewState.NOT_JUSTIFIED: "no",
}


class ExtensionState(models.TextChoices):
    """What became of an ask for more time."""

    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Withdrawn"
    # Access ended before anybody answered.
    LAPSED = "lapsed", "Lapsed"


EXTENSION_TONES: dict[ExtensionState, Tone] = {
    ExtensionState.PENDING: Tone.WAIT,
    ExtensionState.APPROVED: Tone.GOOD,
    ExtensionState.REJECTED: Tone.BAD,
    ExtensionState.CANCELLED: Tone.QUIET,
    ExtensionState.LAPSED: Tone.QUIET,
}

EXTENSION_ICONS: dict[ExtensionState, str] = {
    ExtensionState.PENDING: "hourglass",
    ExtensionState.APPROVED: "extend",
    ExtensionState.REJECTED: "no",
    ExtensionState.CANCELLED: "ban",
    ExtensionState.LAPSED: "clock",
}


# Coming to one of these is news.
EXTENSION_TOLD = (ExtensionState.APPROVED, ExtensionState.REJECTED)


class CredentialsStatus(models.TextChoices):
    """Of a session's credentials. The client API calls AVAILABLE "NEW"."""

    NOT_APPLICABLE = "NOT_APPLICABLE", "Not applicable"
    AVAILABLE = "AVAILABLE", "Available"
    VIEWED = "VIEWED", "Viewed"
    RESETTING = "RESETTING", "Resetting"


def in_older_api(state: RequestState) -> str:
    """Return the state in the words of the older public API; derived, never stored."""
    return {
        _S.INITIALIZING: "PENDING",
        _S.PENDING_MFA: "PENDING",
        _S.PENDING: "PENDING",
        _S.APPROVED: "APPROVED",
        _S.GRANTING: "APPROVED",
        _S.ACTIVE: "GRANTED",
        _S.REVOKING: "REVOKING",
        _S.REVOKED: "EXPIRED",
        _S.FAILED: "FAILED",
        _S.REJECTED: "REJECTED",
        _S.CANCELLED: "EXPIRED",
        _S.LAPSED: "EXPIRED",
    }[state]


def in_client_api(state: RequestState) -> str:
    """Return the state in the words of the client API; derived, never stored."""
    return {
        _S.INITIALIZING: "Initializing",
        _S.PENDING_MFA: "PendingMFA",
        _S.PENDING: "Pending",
        _S.APPROVED: "Granting",
        _S.GRANTING: "Granting",
        _S.ACTIVE: "Active",
        _S.REVOKING: "Revoking",
        _S.REVOKED: "Revoked",
        _S.FAILED: "Failed",
        _S.REJECTED: "Rejected",
        _S.CANCELLED: "Revoked",
        _S.LAPSED: "Rejected",
    }[state]


REQUEST_MOVED = "request.moved"
EXTENSION_SETTLED = "extension.settled"
GLASS_BROKEN, REVIEWED = "request.glass_broken", "request.reviewed"


def outcome_of(units: Iterable[str]) -> str:
    """Return how an access group fared, in the word other systems know (product.md section 2); derived, never stored.

    Success while under way or fine, Warning when some units failed, Failure when all did.
    """
    failed = [state == UnitState.FAILED for state in units]
    if failed and all(failed):
        return "Failure"
    return "Warning" if any(failed) else "Success"


class ReportKind(models.TextChoices):
    """What a report is about."""

    ACTIVITY = "activity", "Activity"
    AUDIT = "audit", "Audit trail"


class ReportFormat(models.TextChoices):
    """How a report is written."""

    CSV = "csv", "CSV"


class ExportState(models.TextChoices):
    """How far a CSV in the background has come."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


UNFINISHED = (ExportState.QUEUED, ExportState.RUNNING)

EXPORT_TONES: dict[ExportState, Tone] = {
    ExportState.QUEUED: Tone.QUIET,
    ExportState.RUNNING: Tone.MOVE,
    ExportState.DONE: Tone.GOOD,
    ExportState.FAILED: Tone.BAD,
    ExportState.EXPIRED: Tone.QUIET,
}

EXPORT_ICONS: dict[ExportState, str] = {
    ExportState.QUEUED: "hourglass",
    ExportState.RUNNING: "spinner",
    ExportState.DONE: "ok",
    ExportState.FAILED: "stop",
    ExportState.EXPIRED: "clock",
}
