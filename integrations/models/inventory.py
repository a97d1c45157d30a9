"""What was found in the systems: resource types, permissions, resources, tags."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Lower, Substr

from integrations.choices import ResourceStatus
from integrations.models.systems import Integration


class ResourceType(models.Model):
    """A kind of resource in one integration."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="resource_types")
    type = models.CharField(max_length=60)
    name = models.CharField(max_length=100)
    # How many resources of it the last sync that ended well saw.
    found = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        """A type is there once per integration."""

        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["integration", "type"], name="integrations_resource_type_once")]

    def __str__(self) -> str:
        """Name the type."""
        return self.name


_risk = [MinValueValidator(1), MaxValueValidator(9)]


class Permission(models.Model):
    """What can be asked for on resources of one type. With a resource it makes an entitlement."""

    resource_type = models.ForeignKey(ResourceType, models.CASCADE, related_name="permissions")
    source_id = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    risk_level = models.PositiveSmallIntegerField(default=1, validators=_risk)
    # Texts by key, as a resource has them.
    tags = models.JSONField(default=dict, blank=True)
    context = models.JSONField(default=dict, blank=True)

    class Meta:
        """A permission is there once per type."""

        default_permissions = ("view",)
        ordering = ["risk_level", "name"]
        constraints = [
            models.UniqueConstraint(fields=["resource_type", "source_id"], name="integrations_permission_once"),
            models.CheckConstraint(
                condition=models.Q(risk_level__gte=1, risk_level__lte=9), name="integrations_permission_risk"
            ),
        ]

    def __str__(self) -> str:
        """Name the permission."""
        return self.name


def _joined(first: Any, between: Any, second: Any) -> CombinedExpression:
    """Join two texts by ||: on both databases immutable, which a generated column has to be, unlike CONCAT."""
    return CombinedExpression(CombinedExpression(first, "||", between), "||", second)


class Resource(models.Model):
    """One thing found in an integration. Never deleted while a request names it: a missing one changes status."""

    # No indexes of their own: (integration, path, id) and the unique (resource_type, source_id) serve both.
    integration = models.ForeignKey(Integration, models.PROTECT, related_name="resources", db_index=False)
    resource_type = models.ForeignKey(ResourceType, models.PROTECT, related_name="resources", db_index=False)
    source_id = models.CharField(max_length=700)
    name = models.CharField(max_length=300)
    path = models.CharField(max_length=700, blank=True)
    status = models.CharField(max_length=20, choices=ResourceStatus.choices, default=ResourceStatus.ACTIVE)
    risk_level = models.PositiveSmallIntegerField(default=1, validators=_risk)
    context = models.JSONField(default=dict, blank=True)
    # Permission source id -> why it cannot be granted here; empty for nearly all.
    refusals = models.JSONField(default=dict, blank=True)
    # What search looks in, and the order it reads in; whoever writes a row, the database keeps it true. Cut, for an
    # index takes no more than 2,700 bytes.
    searched = models.GeneratedField(
        expression=Lower(Substr(_joined(models.F("path"), models.Value(" "), models.F("name")), 1, 600)),
        output_field=models.TextField(),
        db_persist=True,
    )
    # SHA-256 of what discover said of the resource (tags too): a sync rewrites only what changed.
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        """Unique in its integration."""

        default_permissions = ("view",)
        ordering = ["path", "id"]
        constraints = [
            models.UniqueConstraint(fields=["resource_type", "source_id"], name="integrations_resource_once"),
            models.CheckConstraint(
                condition=models.Q(risk_level__gte=1, risk_level__lte=9), name="integrations_resource_risk"
            ),
        ]
        indexes = [
            # The inventory of one integration, in reading order.
            models.Index(fields=["integration", "path", "id"], name="integrations_resource_path"),
            # "Name begins with" in search and conditions by name.
            models.Index(fields=["resource_type", "name"], name="integrations_resource_name"),
            # The inventory, narrowed to what is rare: what went missing.
            models.Index(
                fields=["integration", "path", "id"],
                name="integrations_resource_missing",
                condition=models.Q(status=ResourceStatus.MISSING),
            ),
            # The same, for medium risk.
            models.Index(
                fields=["integration", "path", "id"],
                name="integrations_resource_medium",
                condition=models.Q(risk_level__gte=4, risk_level__lte=6),
            ),
            # The same, for high risk.
            models.Index(
                fields=["integration", "path", "id"],
                name="integrations_resource_high",
                condition=models.Q(risk_level__gte=7),
            ),
            # Search: what is there of one type in reading order, read from the index alone. PostgreSQL also has
            # integrations_resource_trigrams (migration 0003), for texts that are rare.
            models.Index(
                fields=["resource_type", "searched", "id"],
                name="integrations_resource_searched",
                condition=models.Q(status=ResourceStatus.ACTIVE),
            ),
        ]

    def __str__(self) -> str:
        """Show the path."""
        return self.path or self.name


class Tag(models.Model):
    """A tag of a resource, carrying the resource's type: measured 60 times faster to select by than a plain join."""

    # The unique (resource, key) serves as its index.
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="tags", db_index=False)
    type = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    value = models.CharField(max_length=500)

    class Meta:
        """A key is there once per resource."""

        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["resource", "key"], name="integrations_tag_once")]
        # Selection by tag and type.
        indexes = [models.Index(fields=["key", "value", "type", "resource"], name="integrations_tag_select")]

    def __str__(self) -> str:
        """Show key and value."""
        return f"{self.key}={self.value}"
