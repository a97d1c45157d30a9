"""What is kept of policy besides flows' own versions: revisions of what flows name, and changes that wait for a yes."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import AbstractChange, User
from flows.choices import PolicyKind, ProposalState
from flows.models.flows import AccessFlow

_WAITING = models.Q(state=ProposalState.WAITING)


class Revision(models.Model):
    """A scope, bundle or webhook as it was saved: a complete document of plain data. Kept after its subject is gone."""

    kind = models.CharField(max_length=20, choices=PolicyKind.choices)
    subject = models.UUIDField()
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """Numbered from 1 for each subject."""

        default_permissions = ("view",)
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["kind", "subject", "number"], name="flows_revision_number_once")]

    def __str__(self) -> str:
        """Name the number."""
        return f"version {self.number}"


class Proposal(models.Model):
    """A change of policy that waits for a second admin's yes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=PolicyKind.choices)
    # What is changed; nothing for what would be new.
    subject = models.UUIDField(null=True, blank=True)
    name = models.CharField(max_length=150)
    # What the action is called with: {"verb", "columns", "document", …} (flows.actions.proposals).
    change = models.JSONField()
    # The version (number or digest) that the writer had read; another in force at the yes means: overtaken.
    after = models.CharField(max_length=64, blank=True)
    why = models.TextField(help_text="Why it takes a second yes, in words.")
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="proposals")
    proposed_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=ProposalState.choices, default=ProposalState.WAITING)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        """Who proposes does not decide; at most one change of a thing waits."""

        default_permissions = ("view",)
        permissions = [("decide_proposal", "Can decide changes of policy that others propose")]
        ordering = ["-proposed_at"]
        constraints = [
            models.CheckConstraint(
                condition=(_WAITING & models.Q(decided_at__isnull=True))
                | (~_WAITING & models.Q(decided_at__isnull=False)),
                name="flows_proposal_decided_says_when",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=ProposalState.ACCEPTED)
                | (models.Q(decided_by__isnull=False) & ~models.Q(decided_by=models.F("proposed_by"))),
                name="flows_proposal_takes_two",
            ),
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=_WAITING & models.Q(subject__isnull=False),
                name="flows_proposal_one_waits",
            ),
        ]
        # What waits: the overview, and the list of proposals.
        indexes = [models.Index(fields=["proposed_at"], name="flows_proposal_waiting", condition=_WAITING)]

    def __str__(self) -> str:
        """Name what would change."""
        return self.name


class AutomaticRun(models.Model):
    """One incremental job that makes what an automatic flow's people hold agree with the flow; kept as its progress.

    It walks the people by id, a batch per step, so that a process that dies loses one batch at most.
    """

    flow = models.ForeignKey(AccessFlow, models.CASCADE, related_name="runs")
    why = models.CharField(max_length=200)
    # The id of the last person that was looked at.
    cursor = models.UUIDField(null=True, blank=True)
    total = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    given = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
    # Asked for again while it ran: it begins anew at its end.
    again = models.BooleanField(default=False)
    started_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        """At most one runs for a flow."""

        default_permissions = ("view",)
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["flow"], condition=models.Q(finished_at__isnull=True), name="flows_automatic_run_once"
            )
        ]
        indexes = [
            # The sweep that goes on with what is unfinished.
            models.Index(
                fields=["moved_at"], name="flows_automatic_unfinished", condition=models.Q(finished_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        """Name the flow."""
        return f"run of {self.flow_id}"


class AppliedPolicy(models.Model):
    """What a thing was when policy as text was applied last: whatever differs from it since is drift."""

    kind = models.CharField(max_length=20, choices=PolicyKind.choices)
    name = models.CharField(max_length=150)
    # What it said, in names (flows.text.forms).
    form = models.JSONField()
    applied_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Once for each thing."""

        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="flows_applied_once")]

    def __str__(self) -> str:
        """Name the thing."""
        return self.name


class Change(AbstractChange):
    """News of flows: one was saved, switched off, or deleted."""

    class Meta(AbstractChange.Meta):
        """The sweep reads what is not delivered."""

        abstract = False
        indexes = [
            # The sweep that delivers what was missed.
            models.Index(fields=["id"], name="flows_change_waiting", condition=models.Q(delivered_at__isnull=True))
        ]
