"""What is done in earnest: an end that two admins declare, everything ended at once, nothing opened for a while."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from access_requests.choices import DeclarationState, RevocationCause, RevocationKind
from access_requests.models.requests import AccessRequest
from accounts.models import User
from flows.models import AccessFlow
from integrations.models import Integration

_WAITING = Q(state=DeclarationState.WAITING)
_SUBJECTS = ("person", "integration", "flow")


class Declaration(models.Model):
    """One admin says that access which cannot be proven to be over is over; it is, once another admin says so too."""

    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="declarations")
    state = models.CharField(max_length=10, choices=DeclarationState.choices, default=DeclarationState.WAITING)
    reason = models.TextField()
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    lapses_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        """Nobody confirms what they said themselves, and of each request one declaration waits at most."""

        default_permissions = ("view",)
        permissions = [("decide_declaration", "Can declare that access has ended")]
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["request"], condition=_WAITING, name="requests_declaration_one_waits"),
            models.CheckConstraint(
                condition=_WAITING & Q(decided_at__isnull=True) | ~_WAITING & Q(decided_at__isnull=False),
                name="requests_declaration_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(state=DeclarationState.CONFIRMED)
                | Q(decided_by__isnull=False) & ~Q(decided_by=models.F("proposed_by")),
                name="requests_declaration_by_two",
            ),
        ]
        # The sweep that lets lapse what nobody confirmed.
        indexes = [models.Index(fields=["lapses_at"], name="requests_declaration_lapsing", condition=_WAITING)]

    def __str__(self) -> str:
        """Name the request."""
        return f"declaration on AR-{self.request_id}"


class Revocation(models.Model):
    """Everything of a person, an integration, a flow, or everything: ended by one decision, followed to its proofs.

    It runs until nothing open is left in its scope; a sweep goes on with it. The requests it took point at it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=RevocationKind.choices)
    cause = models.CharField(max_length=12, choices=RevocationCause.choices, default=RevocationCause.ASKED)
    person = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="revocations")
    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="revocations")
    flow = models.ForeignKey(AccessFlow, models.CASCADE, null=True, blank=True, related_name="revocations")
    reason = models.TextField()
    # Who began it, as the trail keeps actors: it may be the command line.
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=20)
    operation = models.UUIDField()
    began_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One subject, that of its kind; of one subject one runs at a time."""

        default_permissions = ("view",)
        permissions = [("revoke_everywhere", "Can revoke all access there is, and freeze")]
        ordering = ["-began_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="person", person__isnull=False, integration__isnull=True, flow__isnull=True)
                | Q(kind="integration", person__isnull=True, integration__isnull=False, flow__isnull=True)
                | Q(kind="flow", person__isnull=True, integration__isnull=True, flow__isnull=False)
                | Q(kind="everywhere", person__isnull=True, integration__isnull=True, flow__isnull=True),
                name="requests_revocation_subject_fits",
            ),
            *(
                models.UniqueConstraint(
                    fields=[subject],
                    condition=Q(finished_at__isnull=True, **{f"{subject}__isnull": False}),
                    name=f"requests_revocation_{subject}_once",
                )
                for subject in _SUBJECTS
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(finished_at__isnull=True, kind="everywhere"),
                name="requests_revocation_everywhere_once",
            ),
        ]
        # The sweep that goes on with what is not finished.
        indexes = [
            models.Index(fields=["began_at"], name="requests_revocation_running", condition=Q(finished_at__isnull=True))
        ]

    def __str__(self) -> str:
        """Say what of whom."""
        return f"everything {self.words}"

    @property
    def words(self) -> str:
        """What it is about, in words that follow "everything"."""
        if self.kind == RevocationKind.PERSON:
            return f"of {self.person.name if self.person else ''}"
        if self.kind == RevocationKind.INTEGRATION:
            return f"in {self.integration.name if self.integration else ''}"
        return f"from the access flow {self.flow.name}" if self.flow else "everywhere"


class Freeze(models.Model):
    """No new access, everywhere or in one integration, until somebody thaws it. Ends go on."""

    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="freezes")
    reason = models.TextField()
    break_glass = models.BooleanField(default=False, help_text="Breaking the glass stays possible.")
    began_at = models.DateTimeField(default=timezone.now)
    began_by = models.CharField(max_length=200)
    thawed_at = models.DateTimeField(null=True, blank=True)
    thawed_by = models.CharField(max_length=200, blank=True)
    thawed_why = models.TextField(blank=True)

    class Meta:
        """One at a time, of each place."""

        default_permissions = ("view",)
        ordering = ["-began_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration"],
                condition=Q(thawed_at__isnull=True, integration__isnull=False),
                name="requests_freeze_integration_once",
            ),
            models.UniqueConstraint(
                models.Case(models.When(integration__isnull=True, then=models.Value(1))),
                condition=Q(thawed_at__isnull=True, integration__isnull=True),
                name="requests_freeze_everywhere_once",
            ),
        ]
        # Asked by every dispatch and every page: what is frozen now.
        indexes = [models.Index(fields=["began_at"], name="requests_frozen", condition=Q(thawed_at__isnull=True))]

    def __str__(self) -> str:
        """Say where."""
        return f"freeze of {self.integration.name if self.integration else 'everything'}"
