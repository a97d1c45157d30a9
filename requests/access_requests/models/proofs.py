"""What was found there before us, and the proof that what we gave is over."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from access_requests.models.requests import AccessGroup, AccessRequest
from accounts.models import User
from integrations.models import Integration, Order


class StandingRecord(models.Model):
    """Access of a person that was there before us: found, recorded, never touched."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="standing")
    person = models.ForeignKey(User, models.CASCADE, related_name="standing")
    login = models.CharField(max_length=200)
    resource_type = models.CharField(max_length=60)
    resource = models.CharField(max_length=700)
    permission = models.CharField(max_length=200)
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Recorded once."""

        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "person", "login", "resource_type", "resource", "permission"],
                name="requests_standing_once",
            )
        ]

    def __str__(self) -> str:
        """Show what it is."""
        return f"{self.login}: {self.permission} on {self.resource}"


class Proof(models.Model):
    """That a grant is over: what was read back, when, by whom, with which functions. Also of a failed grant."""

    group = models.OneToOneField(AccessGroup, models.PROTECT, related_name="proof")
    # SET_NULL: orders may be tidied away; the proof stands by itself.
    order = models.ForeignKey(Order, models.SET_NULL, null=True, related_name="+")
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    lag_seconds = models.FloatField()
    # By the target's own clock.
    read_at = models.DateTimeField()
    connector = models.CharField(max_length=200)
    # The instance that read, by its id, and which of the functions did the reading; not known of older proofs.
    instance = models.CharField(max_length=64, blank=True)
    reader = models.JSONField(default=dict, blank=True, help_text="The function that read, with its digest.")
    # Sessions of the person that were open still when it was read: of other grants, or of accounts not made by us.
    live_sessions = models.PositiveIntegerField(default=0)
    found = models.JSONField(
        default=list, help_text="What the read-back saw of this grant: nothing, or it is no proof."
    )
    functions = models.JSONField(default=list, help_text="Functions that ran, with their digests.")
    sessions_ended = models.PositiveIntegerField(default=0)

    class Meta:
        """A proof that found something is none."""

        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=models.Q(found=[]), name="requests_proof_found_nothing")]

    def __str__(self) -> str:
        """Show when it was read."""
        return f"read back {self.read_at:%Y-%m-%d %H:%M:%S}"


class Dossier(models.Model):
    """The signed record of a request that is over: made once, never changed, kept for ever like the trail."""

    request = models.OneToOneField(AccessRequest, models.PROTECT, related_name="dossier")
    made_at = models.DateTimeField()
    key = models.CharField(max_length=40, help_text="Id of the key that signed it.")
    # The file as it is handed out.
    content = models.TextField()

    class Meta:
        """Read by its request."""

        default_permissions = ("view",)

    def __str__(self) -> str:
        """Name the request."""
        return f"dossier of AR-{self.request_id}"
