"""Policy: who may get what, for how long, with whose yes."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import AbstractChange, User
from flows.choices import (
    ApprovalMode,
    LogicalOperator,
    MatchOperator,
    SelectorMode,
    SelectorType,
    TargetKind,
    Trigger,
)
from integrations.models import Integration


class AccessScope(models.Model):
    """A named AQL query that selects entitlements."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    description = models.TextField(blank=True)
    query = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Found by name."""

        ordering = ["name"]

    def __str__(self) -> str:
        """Name the scope."""
        return self.name


class Bundle(models.Model):
    """A named set of access targets."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Found by name."""

        ordering = ["name"]

    def __str__(self) -> str:
        """Name the bundle."""
        return self.name


class AccessFlow(models.Model):
    """A policy. What decided is always a version of it, never this row: see FlowVersion."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    description = models.TextField(blank=True)
    active = models.BooleanField(default=True)
    trigger = models.CharField(max_length=20, choices=Trigger.choices, default=Trigger.SELF_SERVE)
    requestor_operator = models.CharField(
        max_length=5, choices=LogicalOperator.choices, default=LogicalOperator.OR, verbose_name="join requestors by"
    )
    grant_duration_minutes = models.PositiveIntegerField(
        null=True, blank=True, default=60, help_text="How long at most; empty only together with “indefinite”."
    )
    indefinite = models.BooleanField(default=False, help_text="Access without an end, said out loud.")
    approval_mode = models.CharField(max_length=10, choices=ApprovalMode.choices, default=ApprovalMode.ANY_OF)
    escalation_minutes = models.PositiveIntegerField(null=True, blank=True)
    justification_required = models.BooleanField(default=True)
    approver_reason_required = models.BooleanField(default=False)
    self_approval = models.BooleanField(default=False, help_text="Whether who asks may say yes to it.")
    mfa_required = models.BooleanField(default=False, editable=False)
    max_extensions = models.PositiveIntegerField(default=0, help_text="How often access may be extended.")
    extension_minutes = models.PositiveIntegerField(default=0, help_text="By how much each time.")
    pending_hours = models.PositiveIntegerField(default=24, help_text="A request nobody answered lapses after this.")
    labels = models.JSONField(default=list, blank=True)
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


class ApproverGroup(models.Model):
    """Approvers who count as one; `tier` 0 is asked first, further tiers when the escalation interval has passed."""

    flow = models.ForeignKey(AccessFlow, models.CASCADE, related_name="approver_groups")
    position = models.PositiveSmallIntegerField(default=0)
    tier = models.PositiveSmallIntegerField(default=0, editable=False)
    operator = models.CharField(
        max_length=5, choices=LogicalOperator.choices, default=LogicalOperator.OR, verbose_name="join by"
    )

    class Meta:
        """At most five tiers beyond the first."""

        default_permissions = ("view",)
        ordering = ["tier", "position", "id"]
        constraints = [models.CheckConstraint(condition=models.Q(tier__lte=5), name="flows_approver_group_tier")]

    def __str__(self) -> str:
        """Number the group."""
        return f"approver group {self.position + 1}"


class Condition(models.Model):
    """attribute type, operator, values: on the requestors of a flow, or (with a group) on its approvers."""

    flow = models.ForeignKey(AccessFlow, models.CASCADE, related_name="conditions")
    approver_group = models.ForeignKey(ApproverGroup, models.CASCADE, null=True, blank=True, related_name="conditions")
    type = models.CharField(max_length=100, help_text="user, group, manager, or an attribute's type.")
    operator = models.CharField(max_length=20, choices=MatchOperator.choices, default=MatchOperator.IS)
    source = models.ForeignKey(Integration, models.PROTECT, null=True, blank=True, related_name="+")
    values = models.JSONField(default=list, help_text="E-mail addresses, group names or ids, attribute values.")

    class Meta:
        """Read with its flow."""

        default_permissions = ("view",)
        ordering = ["id"]

    def __str__(self) -> str:
        """Read as words."""
        return f"{self.type} {self.operator} {self.values}"


class AccessTarget(models.Model):
    """What a flow or a bundle gives: exactly one of an integration, a bundle, a scope, a query."""

    flow = models.ForeignKey(AccessFlow, models.CASCADE, null=True, blank=True, related_name="targets")
    in_bundle = models.ForeignKey(Bundle, models.CASCADE, null=True, blank=True, related_name="targets")
    kind = models.CharField(max_length=20, choices=TargetKind.choices, default=TargetKind.INTEGRATION)
    integration = models.ForeignKey(Integration, models.PROTECT, null=True, blank=True, related_name="targets")
    resource_type = models.CharField(max_length=60, blank=True)
    permissions = models.JSONField(default=list, blank=True, help_text="Source ids of the permissions.")
    bundle = models.ForeignKey(Bundle, models.PROTECT, null=True, blank=True, related_name="used_by")
    access_scope = models.ForeignKey(AccessScope, models.PROTECT, null=True, blank=True, related_name="used_by")
    query = models.TextField(blank=True)

    class Meta:
        """A target belongs to a flow or a bundle, and names one thing; no bundle lies in a bundle."""

        default_permissions = ("view",)
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(flow__isnull=True) ^ models.Q(in_bundle__isnull=True),
                name="flows_target_one_owner",
            ),
            models.CheckConstraint(
                condition=models.Q(in_bundle__isnull=True) | ~models.Q(kind=TargetKind.BUNDLE),
                name="flows_target_no_bundle_in_bundle",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind=TargetKind.INTEGRATION,
                    integration__isnull=False,
                    bundle__isnull=True,
                    access_scope__isnull=True,
                    query="",
                )
                | models.Q(
                    kind=TargetKind.BUNDLE,
                    integration__isnull=True,
                    bundle__isnull=False,
                    access_scope__isnull=True,
                    query="",
                )
                | models.Q(
                    kind=TargetKind.ACCESS_SCOPE,
                    integration__isnull=True,
                    bundle__isnull=True,
                    access_scope__isnull=False,
                    query="",
                )
                | (
                    models.Q(
                        kind=TargetKind.QUERY,
                        integration__isnull=True,
                        bundle__isnull=True,
                        access_scope__isnull=True,
                    )
                    & ~models.Q(query="")
                ),
                name="flows_target_names_one_thing",
            ),
        ]

    def __str__(self) -> str:
        """Name what the target belongs to."""
        return f"access flow {self.flow}" if self.flow_id else f"bundle {self.in_bundle}"


class Selector(models.Model):
    """Narrows an integration target by name, id or tag."""

    target = models.ForeignKey(AccessTarget, models.CASCADE, related_name="selectors")
    mode = models.CharField(max_length=20, choices=SelectorMode.choices, default=SelectorMode.INCLUDE)
    type = models.CharField(max_length=10, choices=SelectorType.choices, default=SelectorType.NAME)
    key = models.CharField(max_length=200, blank=True, help_text="The tag's key; only for tags.")
    values = models.JSONField(default=list)

    class Meta:
        """A key belongs to a tag."""

        default_permissions = ("view",)
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(type=SelectorType.TAG) & ~models.Q(key=""))
                | (~models.Q(type=SelectorType.TAG) & models.Q(key="")),
                name="flows_selector_key_for_tag",
            )
        ]

    def __str__(self) -> str:
        """Read as words."""
        return f"{self.mode} {self.type} {self.key} {self.values}"


class Change(AbstractChange):
    """News of flows: one was saved, switched off, or deleted."""

    class Meta(AbstractChange.Meta):
        """The sweep reads what is not delivered."""

        abstract = False
        indexes = [
            # The sweep that delivers what was missed.
            models.Index(fields=["id"], name="flows_change_waiting", condition=models.Q(delivered_at__isnull=True))
        ]
