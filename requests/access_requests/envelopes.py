"""The states of break-glass envelopes, and the words for how they end."""

from __future__ import annotations

from django.db import models

from access_requests.choices import EndReason, Tone


class EnvelopeState(models.TextChoices):
    """How it stands with a break-glass envelope; told from its request and what was done with it, never stored."""

    WAITING = "waiting", "Waits for a second admin"
    PREPARING = "preparing", "Being prepared"
    READY = "ready", "Ready to print"
    SEALED = "sealed", "Sealed"
    ENDING = "ending", "Ending"
    ENDED = "ended", "Ended"


ENVELOPE_TONES: dict[EnvelopeState, Tone] = {
    EnvelopeState.WAITING: Tone.WAIT,
    EnvelopeState.PREPARING: Tone.MOVE,
    EnvelopeState.READY: Tone.WAIT,
    EnvelopeState.SEALED: Tone.GOOD,
    EnvelopeState.ENDING: Tone.MOVE,
    EnvelopeState.ENDED: Tone.QUIET,
}

ENVELOPE_ICONS: dict[EnvelopeState, str] = {
    EnvelopeState.WAITING: "hourglass",
    EnvelopeState.PREPARING: "opening",
    EnvelopeState.READY: "printer",
    EnvelopeState.SEALED: "lock",
    EnvelopeState.ENDING: "closing",
    EnvelopeState.ENDED: "proof",
}

# How an envelope came to its end, in a word or a few, by why its access ended.
ENVELOPE_ENDS: dict[str, str] = {
    EndReason.ENVELOPE_OPENED: "used",
    EndReason.ENVELOPE_DOUBTED: "possibly used",
    EndReason.ENVELOPE_ROTATED: "rotated",
    EndReason.TIME: "its time was over",
    EndReason.WITHDRAWN: "withdrawn",
    EndReason.REVOKED_BY_ADMIN: "withdrawn",
    EndReason.REVOKED_ALL: "revoked with everything else",
    EndReason.REJECTED: "refused",
    EndReason.NO_ANSWER: "nobody answered in time",
    EndReason.NOTHING_GRANTED: "could not be made",
    EndReason.FROZEN: "stopped by a freeze",
    EndReason.OFF_BOARDED: "who prepared it left",
}
