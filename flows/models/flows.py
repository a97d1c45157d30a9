"""Access flows and their versions."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User
from flows.choices import ApprovalMode, LogicalOperator, RequestScope, Trigger


def for_themselves() -> list[str]:
    """Return whom a new flow may be asked for: nobody but oneself."""
    return [RequestScope.SELF.value]


class AccessFlow(models.Model):
    """A policy. What decided is always a version of it, never this row: see FlowVersion."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    description = models.TextField(blank=True)
    # Nothing: of the whole account.
    space = models.ForeignKey("Space", models.PROTECT, null=True, blank=True, related_name="flows")
    active = models.BooleanField(default=True)
    trigger = models.CharField(max_length=20, choices=Trigger.choices, default=Trigger.SELF_SERVE)
    requestor_operator = models.CharField(
        max_length=5, choices=LogicalOperator.choices, default=LogicalOperator.OR, verbose_name="join requestors by"
    )
    # Whom access may be asked for (RequestScope); conditions on others are those of party "grantee".
    request_for = models.JSONField(default=for_themselves)
    grantee_operator = models.CharField(
        max_length=5, choices=LogicalOperator.choices, default=LogicalOperator.OR, verbose_name="join grantees by"
    )
    grant_duration_minutes = models.PositiveIntegerField(
        null=True, blank=True, default=60, help_text="How long at most; empty only together with “indefinite”."
    )
    indefinite = models.BooleanField(default=False, help_text="Access without an end, said out loud.")
    approval_mode = models.CharField(max_length=10, choices=ApprovalMode.choices, default=ApprovalMode.ANY_OF)
    escalation_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="The next tier is asked as well when nobody answered for so long."
    )
    justification_required = models.BooleanField(default=True)
    approver_reason_required = models.BooleanField(default=False)
    self_approval = models.BooleanField(default=False, help_text="Whether who asks may say yes to it.")
    mfa_required = models.BooleanField(default=False, help_text="Who asks proves a second factor first.")
    break_glass = models.BooleanField(
        default=False,
        help_text="In an emergency access opens at once; the approvers are told, and review it afterwards.",
    )
    outlasts_eligibility = models.BooleanField(
        default=False,
        help_text="Open access stays to its end when the person does not match any more; a disabled person loses it.",
    )
    removes_foreign = models.BooleanField(
        default=False,
        help_text="Of an automatic flow: who has what it gives from elsewhere, and is not named by it, loses it.",
    )
    ticket_pattern = models.CharField(
        max_length=200, blank=True, help_text="What the number of a ticket looks like; empty: none is asked for."
    )
    # What else is asked: a list of {"key", "label", "kind", "required", "choices", "pattern"} (flows.decision.fields).
    fields = models.JSONField(default=list, blank=True)
    max_extensions = models.PositiveIntegerField(default=0, help_text="How often access may be extended.")
    extension_minutes = models.PositiveIntegerField(default=0, help_text="By how much each time.")
    drain_minutes = models.PositiveIntegerField(
        default=0, help_text="For how long sessions that are open at the end may go on; no new one begins."
    )
    pending_hours = models.PositiveIntegerField(default=24, help_text="A request nobody answered lapses after this.")
    labels = models.JSONField(default=list, blank=True)
    # What an API client said though it means the same unsaid (flows.api.mapping.SAID_OR_NOT): it wants it told back.
    said = models.JSONField(default=list, blank=True, editable=False)
    current = models.ForeignKey("FlowVersion", models.RESTRICT, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """What cannot be true together is refused by the database."""

        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(indefinite=True, grant_duration_minutes__isnull=True)
                # Said twice because a comparison with nothing is unknown, which a check lets pass.
                | models.Q(indefinite=False, grant_duration_minutes__isnull=False, grant_duration_minutes__gte=1),
                name="flows_flow_duration_or_indefinite",
            ),
            models.CheckConstraint(
                condition=~models.Q(trigger=Trigger.AUTOMATIC)
                | models.Q(approval_mode=ApprovalMode.NONE, justification_required=False),
                name="flows_flow_automatic_asks_nobody",
            ),
            models.CheckConstraint(
                condition=models.Q(max_extensions=0, extension_minutes=0)
                | models.Q(max_extensions__gte=1, extension_minutes__gte=1, indefinite=False),
                name="flows_flow_extensions_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(escalation_minutes__isnull=True) | models.Q(escalation_minutes__gte=1),
                name="flows_flow_escalation_positive",
            ),
        ]

    def __str__(self) -> str:
        """Name the flow."""
        return self.name

    @property
    def drain_seconds(self) -> int:
        """For how long sessions that are open at the end may go on."""
        return self.drain_minutes * 60


class FlowVersion(models.Model):
    """A flow as it was saved: a complete document of plain data, which is what decides."""

    flow = models.ForeignKey(AccessFlow, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    sentence = models.TextField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """Numbered from 1 in each flow."""

        default_permissions = ("view",)
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["flow", "number"], name="flows_version_number_once")]

    def __str__(self) -> str:
        """Name flow and number."""
        return f"version {self.number}"


class Timeframe(models.Model):
    """When a flow may be used."""

    flow = models.OneToOneField(AccessFlow, models.CASCADE, related_name="timeframe")
    start_time = models.TimeField()
    end_time = models.TimeField()
    days_of_week = models.JSONField(help_text="Names of days: MONDAY to SUNDAY.")
    time_zone = models.CharField(max_length=60)

    class Meta:
        """One per flow."""

        default_permissions = ("view",)

    def __str__(self) -> str:
        """Show the window."""
        return f"{self.start_time:%H:%M}–{self.end_time:%H:%M} {self.time_zone}"
