"""What a flow gives: targets, and the scopes and bundles that are written once and named often."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from flows.choices import SelectorMode, SelectorType, TargetKind
from flows.models.flows import AccessFlow
from integrations.models import Integration


class AccessScope(models.Model):
    """A named AQL query that selects entitlements."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    description = models.TextField(blank=True)
    # Nothing: of the whole account.
    space = models.ForeignKey("Space", models.PROTECT, null=True, blank=True, related_name="own_scopes")
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
    # Nothing: of the whole account.
    space = models.ForeignKey("Space", models.PROTECT, null=True, blank=True, related_name="bundles")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Found by name."""

        ordering = ["name"]

    def __str__(self) -> str:
        """Name the bundle."""
        return self.name


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
