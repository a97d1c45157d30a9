"""Configured systems: connectors, integrations, their owners and their secrets."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import Attribute, Group, User
from integrations.choices import ConnectorKind, IntegrationStatus, SecretStore, Transport


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
    """One running copy of a connector, as it told of itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connector = models.ForeignKey(Connector, models.CASCADE, related_name="instances")
    # The random id (hex) that a remote instance gives itself for as long as its process lives.
    identity = models.CharField(max_length=64, blank=True)
    version = models.CharField(max_length=40)
    wire = models.CharField(max_length=20, blank=True, help_text="Version of the wire it speaks.")
    place = models.CharField(max_length=200, blank=True, help_text="Host and process it runs in.")
    # What it says of where it runs, word by word: host, system, container, cloud.
    surroundings = models.JSONField(default=dict, blank=True)
    # The public key (X25519, hex) that secrets of its orders are sealed to.
    public_key = models.CharField(max_length=64, blank=True)
    providers = models.JSONField(default=list, blank=True, help_text="Ids of the providers it has.")
    functions = models.JSONField(default=dict, blank=True, help_text="SHA-256 by provider/program.")
    rules = models.CharField(max_length=64, blank=True, help_text="SHA-256 of its owner's rules; empty without any.")
    transport = models.CharField(max_length=20, choices=Transport.choices, default=Transport.IN_PROCESS)
    # The link it has now; an older one of the same instance gets no orders any more.
    link = models.CharField(max_length=32, blank=True)
    slots = models.PositiveIntegerField(default=0, help_text="How many orders it takes at once.")
    working = models.JSONField(default=list, blank=True, help_text="Ids of the orders it last said it works on.")
    started_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Instances report; nobody edits them."""

        default_permissions = ("view",)
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["connector", "identity"],
                condition=~models.Q(identity=""),
                name="integrations_instance_once",
            ),
        ]
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
    reconcile_hours = models.PositiveIntegerField(
        default=6, help_text="Look for drift this often: every so many hours; 0 means never."
    )
    # Whose value names a resource's owner, and as what: the name of a group, a person's address, a shift (an attribute
    # type). Where a resource says nothing, the integration's own owners (IntegrationOwner) answer for it.
    owner_tag_key = models.CharField(max_length=200, blank=True, help_text="The tag that names a resource’s owner.")
    owner_tag_type = models.CharField(
        max_length=100, blank=True, default="group", help_text="What the tag’s value is: group, user, or an attribute."
    )
    # What an API client wrote that nothing else keeps, to be told back (integrations.api.mapping): "config", the names
    # it gave values, and of which integrations it said that owners are.
    as_written = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    # How many resources the last sync that ended well saw: counting a million at every look would be slow.
    resources_found = models.PositiveIntegerField(default=0, editable=False)
    # Set when its deletion was ordered; the sweep takes away what belongs to it, batch by batch, and then the row.
    deleting_since = models.DateTimeField(null=True, blank=True, editable=False)
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
        indexes = [
            # The sweep for syncs that are due.
            models.Index(fields=["sync_due_at"], name="integrations_sync_due"),
            # The sweep that deletes.
            models.Index(
                fields=["deleting_since"],
                name="integrations_deleting",
                condition=models.Q(deleting_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Name the integration."""
        return self.name


class IntegrationOwner(models.Model):
    """Who answers for an integration: a person or a group."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="owners")
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="owned_integrations")
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="owned_integrations")

    class Meta:
        """Exactly one of user and group, each once."""

        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(group__isnull=True), name="integrations_owner_one_of"
            ),
            models.UniqueConstraint(
                fields=["integration", "user"],
                condition=models.Q(user__isnull=False),
                name="integrations_owner_user_once",
            ),
            models.UniqueConstraint(
                fields=["integration", "group"],
                condition=models.Q(group__isnull=False),
                name="integrations_owner_group_once",
            ),
        ]

    def __str__(self) -> str:
        """Say what it is owner of."""
        return f"integration {self.integration} (owner)"


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
    """Says that a user, a group or an attribute came from an integration. Here, for accounts knows no integrations."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="origins")
    source_id = models.CharField(max_length=300)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="origins")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="origins")
    attribute = models.ForeignKey(Attribute, models.CASCADE, null=True, blank=True, related_name="origins")
    # Whether the integration still tells of it; of a person also that they may sign in there.
    present = models.BooleanField(default=True)
    # Whether the person was disabled on the integration's word: then, and only then, its word enables them again.
    shut_out = models.BooleanField(default=False)
    # What it said last, as far as it was taken over, and the digest of all it said: what is the same is passed over.
    told = models.JSONField(default=dict, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    # When it said something new the last time.
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Exactly one of user, group and attribute; each is told once by an integration."""

        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "source_id"],
                condition=models.Q(user__isnull=False),
                name="integrations_origin_user_id_once",
            ),
            models.UniqueConstraint(
                fields=["integration", "source_id"],
                condition=models.Q(group__isnull=False),
                name="integrations_origin_group_id_once",
            ),
            models.UniqueConstraint(
                fields=["integration", "user"],
                condition=models.Q(user__isnull=False),
                name="integrations_origin_user_once",
            ),
            models.UniqueConstraint(
                fields=["integration", "attribute"],
                condition=models.Q(attribute__isnull=False),
                name="integrations_origin_attribute_once",
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, group__isnull=True, attribute__isnull=True)
                | models.Q(user__isnull=True, group__isnull=False, attribute__isnull=True)
                | models.Q(user__isnull=True, group__isnull=True, attribute__isnull=False),
                name="integrations_origin_one_of",
            ),
        ]

    def __str__(self) -> str:
        """Show the source id."""
        return self.source_id
