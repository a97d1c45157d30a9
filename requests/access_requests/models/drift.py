"""Drift: what a look at a target found to be otherwise than it should, the looks themselves, and the runs of them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from access_requests.drift import (
    FINDING_ICONS,
    FINDING_TONES,
    KNOWN_FINDINGS,
    MISSING,
    UNDONE,
    FindingKind,
    FindingState,
    LookOutcome,
)
from access_requests.models.requests import AccessRequest, AccessUnit
from accounts.models import User
from integrations.models import Integration


class Look(models.Model):
    """What is known of reading one person back in one integration: since when, and when last."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="looks")
    person = models.ForeignKey(User, models.CASCADE, related_name="looks")
    # The first complete look: whatever was there then and is not ours is standing. Null while none has succeeded.
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    # The last try of a run, also one that came to nothing, and why it did.
    tried_at = models.DateTimeField(default=timezone.now)
    problem = models.TextField(blank=True)

    class Meta:
        """One for each person in each integration."""

        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["integration", "person"], name="requests_look_once")]
        indexes = [
            # Coverage ("oldest look at"), and whose turn it is.
            models.Index(fields=["integration", "last_at"], name="requests_look_last"),
        ]

    def __str__(self) -> str:
        """Name whom and where."""
        return f"look at {self.person_id} in {self.integration_id}"


class ReconcileRun(models.Model):
    """One going through of the people of an integration, with its progress: a sweep goes on with it until it is done.

    Whom it looks at is written down with it (`ToLookAt`), so a process that dies at any line loses nothing.
    """

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="reconcile_runs")
    why = models.CharField(max_length=200)
    total = models.PositiveIntegerField(default=0)
    looked = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    vanished = models.PositiveIntegerField(default=0)
    foreign = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    # When the clock begins the next one, if the integration's own hours still say so: this many of them.
    spread = models.FloatField(default=1.0)
    error = models.TextField(blank=True)

    class Meta:
        """At most one runs for an integration."""

        default_permissions = ("view",)
        permissions = [("start_reconcilerun", "Can look for drift now")]
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration"], condition=models.Q(finished_at__isnull=True), name="requests_reconcile_once"
            )
        ]
        indexes = [
            # The sweep that goes on with what is unfinished.
            models.Index(
                fields=["moved_at"], name="requests_reconcile_open", condition=models.Q(finished_at__isnull=True)
            ),
            # The latest of an integration: when the next is due, and its page.
            models.Index(fields=["integration", "-started_at"], name="requests_reconcile_latest"),
        ]

    def __str__(self) -> str:
        """Name the integration."""
        return f"reconcile run of {self.integration_id}"

    @property
    def done(self) -> int:
        """How many of its people it is done with."""
        return self.looked + self.failed


class ToLookAt(models.Model):
    """One person that a run looks at; deleted with what the run needs no more."""

    run = models.ForeignKey(ReconcileRun, models.CASCADE, related_name="people")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    # Those who hold something come first.
    rank = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=LookOutcome.choices, default=LookOutcome.WAITING)

    class Meta:
        """Once in a run."""

        default_permissions = ()
        ordering = ["rank", "pk"]
        constraints = [models.UniqueConstraint(fields=["run", "person"], name="requests_to_look_once")]
        indexes = [
            # Who is next, and who is under way.
            models.Index(
                fields=["run", "rank", "id"],
                name="requests_to_look_open",
                condition=models.Q(outcome__in=UNDONE),
            )
        ]

    def __str__(self) -> str:
        """Name whom."""
        return f"{self.person_id} in run {self.run_id}"


class DriftFinding(models.Model):
    """One thing that is otherwise at a target than it should be. Names are snapshots: inventory moves on.

    It changed between `before_at`, the last look that surely saw it otherwise, and `first_seen_at`.
    """

    kind = models.CharField(max_length=10, choices=FindingKind.choices)
    state = models.CharField(max_length=20, choices=FindingState.choices, default=FindingState.OPEN)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="drift")
    person = models.ForeignKey(User, models.PROTECT, related_name="drift")
    login = models.CharField(max_length=200, blank=True)
    resource_type = models.CharField(max_length=60)
    resource = models.CharField(max_length=700)
    permission = models.CharField(max_length=200)
    resource_name = models.CharField(max_length=700)
    permission_name = models.CharField(max_length=200)
    # Of vanished access: the unit that should be held. Of what is open after its end: the unit that is over.
    unit = models.ForeignKey(AccessUnit, models.PROTECT, null=True, blank=True, related_name="drift")
    message = models.TextField(blank=True, help_text="What the target said of it.")
    before_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    # When the admins were written to of it; null while it is news.
    told_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    # Who decided, in words, as it was then: a person, a flow, or nobody.
    decided_name = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    # Foreign access that became a request; `removes` says that it became one only to be ended.
    request = models.OneToOneField(AccessRequest, models.PROTECT, null=True, blank=True, related_name="adopted")
    removes = models.BooleanField(default=False)

    class Meta:
        """A thing is found once while it lasts."""

        verbose_name = "drift"
        verbose_name_plural = "drift"
        default_permissions = ("view",)
        permissions = [("decide_driftfinding", "Can decide about drift")]
        ordering = ["-first_seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "person", "login", "resource_type", "resource", "permission"],
                condition=models.Q(kind=FindingKind.FOREIGN, state__in=KNOWN_FINDINGS),
                name="requests_foreign_once",
            ),
            models.UniqueConstraint(
                fields=["unit"],
                condition=models.Q(kind=FindingKind.VANISHED, state__in=MISSING),
                name="requests_vanished_once",
            ),
            models.UniqueConstraint(
                fields=["unit"],
                condition=models.Q(kind=FindingKind.REOPENED, state=FindingState.OPEN),
                name="requests_reopened_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=FindingKind.FOREIGN, unit__isnull=True)
                | models.Q(kind__in=[FindingKind.VANISHED, FindingKind.REOPENED], unit__isnull=False),
                name="requests_finding_unit_fits_kind",
            ),
        ]
        indexes = [
            # The drift page and the overview: what waits for a decision.
            models.Index(
                fields=["integration", "kind"], name="requests_drift_open", condition=models.Q(state=FindingState.OPEN)
            ),
            # The sweep that writes to the admins: what is news to them.
            models.Index(
                fields=["integration"],
                name="requests_drift_untold",
                condition=models.Q(state=FindingState.OPEN, told_at__isnull=True),
            ),
            # The same sweep: when they were told last.
            models.Index(
                fields=["integration", "-told_at"],
                name="requests_drift_told",
                condition=models.Q(told_at__isnull=False),
            ),
            # Comparing: what is known of a person in an integration.
            models.Index(fields=["integration", "person"], name="requests_drift_of_person"),
            # The drift page, the latest first.
            models.Index(fields=["-first_seen_at", "-id"], name="requests_drift_latest"),
        ]

    def __str__(self) -> str:
        """Name permission and resource."""
        return f"{self.permission_name} on {self.resource_name}"

    @property
    def badge(self) -> dict[str, str]:
        """How the state is shown."""
        state = FindingState(self.state)
        return {"tone": FINDING_TONES[state], "icon": FINDING_ICONS[state], "word": state.label}

    @property
    def is_foreign(self) -> bool:
        """Whether it is access that came from elsewhere."""
        return self.kind == FindingKind.FOREIGN

    @property
    def is_reopened(self) -> bool:
        """Whether it is access of ours that is there after its end."""
        return self.kind == FindingKind.REOPENED

    @property
    def is_open(self) -> bool:
        """Whether somebody has to decide."""
        return self.state == FindingState.OPEN
