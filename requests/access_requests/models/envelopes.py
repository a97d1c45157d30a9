"""Break-glass envelopes: access printed in advance for when the platform is down, and how the platform knows it was."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from access_requests.choices import RequestState
from access_requests.envelopes import ENVELOPE_ENDS, EnvelopeState
from access_requests.models.requests import AccessRequest
from accounts.models import Group, User

_STATES = {
    RequestState.PENDING: EnvelopeState.WAITING,
    RequestState.APPROVED: EnvelopeState.PREPARING,
    RequestState.GRANTING: EnvelopeState.PREPARING,
    RequestState.ACTIVE: EnvelopeState.READY,
    RequestState.REVOKING: EnvelopeState.ENDING,
}
# Of which an admin owes an account.
OWED = Q(reviewed_at__isnull=True) & (Q(doubted_until__isnull=False) | Q(seen_at__isnull=False))


class Envelope(models.Model):
    """What is beside an ordinary request to make it an envelope. Whether access is there, its request says.

    `prepared_by` is the request's requestor as well; the grantee is a person made for this envelope, who is disabled
    from the beginning, so that nobody signs in as them and no flow names them.
    """

    number = models.PositiveIntegerField(unique=True, help_text="What stands on the paper.")
    request = models.OneToOneField(AccessRequest, models.PROTECT, related_name="envelope")
    prepared_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # The people on call for it, if any: besides admins they may say that it was opened.
    keepers = models.ForeignKey(Group, models.SET_NULL, null=True, blank=True, related_name="+")
    succeeds = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="successors")
    printed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    printed_at = models.DateTimeField(null=True, blank=True)
    as_file = models.BooleanField(default=False, help_text="Downloaded as an encrypted file, not printed.")
    # What somebody says of its use, in their own words.
    opened_by = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    opened_why = models.TextField(blank=True)
    told_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    told_at = models.DateTimeField(null=True, blank=True)
    # Latchkey was down between these, while the paper could have been used.
    doubted_from = models.DateTimeField(null=True, blank=True)
    doubted_until = models.DateTimeField(null=True, blank=True)
    # The target told of sessions on its account: when first and last, and the most at once.
    seen_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    sessions_seen = models.PositiveIntegerField(default=0)
    # When the target was last asked for such sessions.
    looked_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review = models.TextField(blank=True, help_text="What happened, as an admin found out.")
    # When admins were written to that it ends soon, and that it has ended.
    warned_at = models.DateTimeField(null=True, blank=True, editable=False)
    asked_again_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        """It takes two admins, and is printed after they have said yes."""

        default_permissions = ("view",)
        permissions = [("keep_envelope", "Can prepare, print and end break-glass envelopes")]
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False) & ~Q(confirmed_by=models.F("prepared_by")),
                name="requests_envelope_by_two",
            ),
            models.CheckConstraint(
                condition=Q(printed_by__isnull=True, printed_at__isnull=True)
                | Q(printed_by__isnull=False, printed_at__isnull=False, confirmed_by__isnull=False),
                name="requests_envelope_printed_after_yes",
            ),
        ]
        # The banner of every page of an admin: reviews that are owed.
        indexes = [models.Index(fields=["number"], name="requests_envelope_owed", condition=OWED)]

    def __str__(self) -> str:
        """Name it as the paper does."""
        return f"Envelope {self.number}"

    @property
    def state(self) -> EnvelopeState:
        """How it stands."""
        found = _STATES.get(RequestState(self.request.state), EnvelopeState.ENDED)
        return EnvelopeState.SEALED if found == EnvelopeState.READY and self.printed_at else found

    @property
    def word(self) -> str:
        """Its state as people read it: of one that is over, how."""
        if self.state not in {EnvelopeState.ENDING, EnvelopeState.ENDED}:
            return str(self.state.label)
        how = ENVELOPE_ENDS.get(self.request.end_reason, "")
        return f"{self.state.label}: {how}" if how else str(self.state.label)

    @property
    def is_owed(self) -> bool:
        """Whether an admin still owes an account of what happened."""
        return self.reviewed_at is None and (self.doubted_until is not None or self.seen_at is not None)

    def days_left(self, at: datetime) -> int | None:
        """Return the days until it ends by itself; None when it has no end ahead."""
        ends_at = self.request.ends_at
        if self.state not in {EnvelopeState.READY, EnvelopeState.SEALED} or ends_at is None:
            return None
        return max(0, (ends_at - at) // timedelta(days=1))


class Pulse(models.Model):
    """When the sweep of envelopes last ran: one row. What is missing between two runs is a gap."""

    at = models.DateTimeField()

    class Meta:
        """Written by the sweep only."""

        default_permissions = ()

    def __str__(self) -> str:
        """Say when."""
        return f"{self.at:%Y-%m-%d %H:%M:%S}"


class PlatformGap(models.Model):
    """A while in which the platform was down, found when it came back. It is done when every envelope was seen to."""

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    found_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Those that are not done are gone on with."""

        default_permissions = ()
        ordering = ["-began_at"]
        # The sweep that sees to what a gap leaves in doubt.
        indexes = [models.Index(fields=["began_at"], name="requests_gap_open", condition=Q(done_at__isnull=True))]

    def __str__(self) -> str:
        """Say from when to when."""
        return f"{self.began_at:%Y-%m-%d %H:%M} to {self.ended_at:%Y-%m-%d %H:%M} UTC"
