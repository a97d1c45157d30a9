"""Configured systems, what was found in them, and the orders to the connectors beside them."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Lower, Substr
from django.utils import timezone

from accounts.models import AbstractChange, Group, User
from integrations.choices import (
    OPEN_ORDERS,
    ConnectorKind,
    IntegrationStatus,
    OrderState,
    OrderVerb,
    ResourceStatus,
    SecretStore,
    SyncState,
)


class Connector(models.Model):
    """The component beside the targets. Its instances share the work."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20, choices=ConnectorKind.choices, default=ConnectorKind.IN_PROCESS)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Found by name."""

        ordering = ["name"]

    def __str__(self) -> str:
        """Name the connector."""
        return self.name


class ConnectorInstance(models.Model):
    """One running copy of a connector."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connector = models.ForeignKey(Connector, models.CASCADE, related_name="instances")
    version = models.CharField(max_length=40)
    place = models.CharField(max_length=200, blank=True, help_text="Host and process it runs in.")
    started_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Instances report; nobody edits them."""

        default_permissions = ("view",)
        ordering = ["-started_at"]
        # The connector's page and the watchdog read the latest of each connector.
        indexes = [models.Index(fields=["connector", "-last_seen_at"], name="integrations_instance_seen")]

    def __str__(self) -> str:
        """Name the instance by its place."""
        return self.place or str(self.id)


class Integration(models.Model):
    """One connected system of one catalogue type; with a parent it is a sub-integration, found inside another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    type = models.CharField(max_length=60, help_text="The provider's id.")
    connector = models.ForeignKey(Connector, models.PROTECT, related_name="integrations")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="sub_integrations")
    source_id = models.CharField(max_length=500, blank=True, help_text="A sub-integration's id in its parent.")
    config = models.JSONField(default=dict)
    enabled_types = models.JSONField(default=list, help_text="Ids of the resource types to find; empty means defaults.")
    status = models.CharField(
        max_length=20, choices=IntegrationStatus.choices, default=IntegrationStatus.INITIALIZING, editable=False
    )
    status_reason = models.TextField(blank=True, editable=False)
    custom_access_details = models.CharField(max_length=400, blank=True, help_text="Shown to the grantee as it is.")
    rotation_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Reset credentials older than this many days at the next request."
    )
    cleanup_days = models.PositiveIntegerField(
        default=90, help_text="Delete a login we made this many days after its access ended."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The sweep that keeps the inventory fresh finds what is due here.
    sync_due_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Found by name; swept by sync_due_at."""

        ordering = ["name"]
        permissions = [("sync_integration", "Can sync and check integrations")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(parent__isnull=True) | ~models.Q(parent=models.F("id")),
                name="integrations_integration_not_own_parent",
            ),
            models.UniqueConstraint(
                fields=["parent", "source_id"],
                condition=models.Q(parent__isnull=False),
                name="integrations_sub_integration_once",
            ),
        ]
        # The sweep for syncs that are due.
        indexes = [models.Index(fields=["sync_due_at"], name="integrations_sync_due")]

    def __str__(self) -> str:
        """Name the integration."""
        return self.name


class StoredSecret(models.Model):
    """A row of the built-in store: AES-GCM, bound to this row's id and its field, under the key named by key_id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    field = models.CharField(max_length=60)
    key_id = models.CharField(max_length=40)
    nonce = models.BinaryField(max_length=12)
    ciphertext = models.BinaryField()
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Never shown anywhere."""

        default_permissions = ()

    def __str__(self) -> str:
        """Name the row, never the value."""
        return f"stored secret {self.id}"


class SecretReference(models.Model):
    """Which secret of which store belongs to which secret field of an integration."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="secrets")
    field = models.CharField(max_length=60)
    store = models.CharField(max_length=20, choices=SecretStore.choices, default=SecretStore.BUILTIN)
    reference = models.CharField(
        max_length=500, help_text="What the store calls it; for the built-in store the row's id."
    )

    class Meta:
        """One secret a field."""

        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["integration", "field"], name="integrations_secret_once")]

    def __str__(self) -> str:
        """Name field and store."""
        return f"{self.field} in {self.store}"


class Origin(models.Model):
    """Says that a user or a group came from an integration. Lives here, for accounts knows no integrations."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="origins")
    source_id = models.CharField(max_length=300)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="origins")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="origins")

    class Meta:
        """Exactly one of user and group."""

        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["integration", "source_id"], name="integrations_origin_once"),
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(group__isnull=True), name="integrations_origin_one_of"
            ),
        ]

    def __str__(self) -> str:
        """Show the source id."""
        return self.source_id


class ResourceType(models.Model):
    """A kind of resource in one integration."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="resource_types")
    type = models.CharField(max_length=60)
    name = models.CharField(max_length=100)

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


class Order(models.Model):
    """What a connector is told: the state that is wanted. Leased with an epoch; reports of an older one are refused."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="orders")
    verb = models.CharField(max_length=20, choices=OrderVerb.choices)
    person = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="orders")
    # connectors.contract.orders.Desired as JSON; never a secret.
    desired = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=20, choices=OrderState.choices, default=OrderState.QUEUED)
    epoch = models.PositiveIntegerField(default=0)
    leased_by = models.ForeignKey(ConnectorInstance, models.SET_NULL, null=True, blank=True, related_name="orders")
    # Set while a holder may still act under the order, also after it was superseded; cleared by its final report.
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    error = models.JSONField(default=dict, blank=True, help_text="The last error: kind, message, fix.")
    # The last report without secrets: functions with digests, read-back, outcome per grant.
    result = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    # When the floor above took in what a settled order about a person reported; null until then.
    absorbed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The unique indexes are what makes overlap and crashes safe: no lock is held over the network."""

        default_permissions = ("view",)
        ordering = ["-created_at"]
        permissions = [("retry_order", "Can hurry an order")]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "person"],
                condition=models.Q(person__isnull=False, state__in=OPEN_ORDERS),
                name="integrations_order_one_open_per_person",
            ),
            models.UniqueConstraint(
                fields=["integration", "verb"],
                condition=models.Q(person__isnull=True, state__in=OPEN_ORDERS),
                name="integrations_order_one_open_per_verb",
            ),
            models.CheckConstraint(
                condition=models.Q(person__isnull=True, verb__in=["check", "discover"])
                | models.Q(person__isnull=False) & ~models.Q(verb__in=["check", "discover"]),
                name="integrations_order_person_fits_verb",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=OrderState.LEASED) | models.Q(lease_until__isnull=False),
                name="integrations_order_leased_has_end",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=OPEN_ORDERS, settled_at__isnull=True)
                | (~models.Q(state__in=OPEN_ORDERS) & models.Q(settled_at__isnull=False)),
                name="integrations_order_settled_when_closed",
            ),
        ]
        indexes = [
            # Leasing: what is due next.
            models.Index(fields=["next_try_at"], name="integrations_order_due", condition=models.Q(state="queued")),
            # The sweep for leases that ran out, and "is an earlier lease still held?".
            models.Index(
                fields=["integration", "person", "lease_until"],
                name="integrations_order_lease",
                condition=models.Q(lease_until__isnull=False),
            ),
            # Settled orders whose report is still to be taken in.
            models.Index(
                fields=["integration", "person"],
                name="integrations_order_unabsorbed",
                condition=models.Q(state="done", absorbed_at__isnull=True, person__isnull=False),
            ),
            # The integration's page: its latest orders.
            models.Index(fields=["integration", "-created_at"], name="integrations_order_latest"),
        ]

    def __str__(self) -> str:
        """Show verb and state."""
        return f"{self.verb} ({self.state})"


class SyncRun(models.Model):
    """One reading of an integration's inventory, with its progress."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="sync_runs")
    order = models.OneToOneField(Order, models.CASCADE, related_name="sync_run")
    state = models.CharField(max_length=20, choices=SyncState.choices, default=SyncState.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    found = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        """Kept as history."""

        default_permissions = ("view",)
        ordering = ["-id"]

    def __str__(self) -> str:
        """Show state and time."""
        return f"{self.state} {self.started_at:%Y-%m-%d %H:%M}"


class StagedResource(models.Model):
    """What a running sync has read so far. Merged into the inventory in one transaction at the end, then emptied.

    On PostgreSQL the table is unlogged (migration 0002): it is a scratch pad, and a crash only means reading again.
    """

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="staged", db_index=False)
    resource_type = models.CharField(max_length=60)
    source_id = models.CharField(max_length=700)
    name = models.CharField(max_length=300)
    path = models.CharField(max_length=700)
    risk_level = models.PositiveSmallIntegerField()
    context = models.JSONField()
    refusals = models.JSONField()
    tags = models.JSONField()
    fingerprint = models.CharField(max_length=64)

    class Meta:
        """Read as a whole, once."""

        default_permissions = ()

    def __str__(self) -> str:
        """Show the path."""
        return self.path


class Change(AbstractChange):
    """News of integrations: inventory changed, order settled, instance lost."""

    class Meta(AbstractChange.Meta):
        """The sweep reads what is not delivered."""

        abstract = False
        indexes = [
            # The sweep that delivers what was missed.
            models.Index(
                fields=["id"], name="integrations_change_waiting", condition=models.Q(delivered_at__isnull=True)
            )
        ]
