"""Whom a flow speaks of: requestors, grantees, approvers."""

from __future__ import annotations

from django.db import models

from flows.choices import LogicalOperator, MatchOperator, Party
from flows.models.flows import AccessFlow
from integrations.models import Integration


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
    """attribute type, operator, values: on the requestors or grantees of a flow, or (with a group) on its approvers."""

    flow = models.ForeignKey(AccessFlow, models.CASCADE, related_name="conditions")
    approver_group = models.ForeignKey(ApproverGroup, models.CASCADE, null=True, blank=True, related_name="conditions")
    party = models.CharField(max_length=10, choices=Party.choices, default=Party.REQUESTOR)
    type = models.CharField(max_length=100, help_text="user, group, manager, or an attribute's type.")
    operator = models.CharField(max_length=20, choices=MatchOperator.choices, default=MatchOperator.IS)
    source = models.ForeignKey(Integration, models.PROTECT, null=True, blank=True, related_name="+")
    values = models.JSONField(default=list, help_text="E-mail addresses, group names or ids, attribute values.")

    class Meta:
        """Read with its flow."""

        default_permissions = ("view",)
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(party=Party.APPROVER, approver_group__isnull=False)
                | (~models.Q(party=Party.APPROVER) & models.Q(approver_group__isnull=True)),
                name="flows_condition_of_one_party",
            )
        ]

    def __str__(self) -> str:
        """Read as words."""
        return f"{self.type} {self.operator} {self.values}"
