"""Orders to the connectors, the syncs they carry out, and the news of both."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import AbstractChange, User
from integrations.choices import OPEN_ORDERS, OrderState, OrderVerb, SyncState
from integrations.models.systems import ConnectorInstance, Integration


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
    # When it was leased last: integrations take turns by it.
    leased_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Whether it ends access; such orders come first.
    ends = models.BooleanField(default=False, editable=False)
    # How many orders before it about the same were run to no end: each waits longer than the one before.
    again = models.PositiveIntegerField(default=0, editable=False)
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
                condition=models.Q(person__isnull=True, verb__in=["check", "discover", "people"])
                | models.Q(person__isnull=False) & ~models.Q(verb__in=["check", "discover", "people"]),
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
            # Leasing: what is due next in an integration, ends before the rest.
            models.Index(
                fields=["integration", "-ends", "next_try_at", "created_at"],
                name="integrations_order_turn",
                condition=models.Q(state="queued"),
            ),
            # Leasing: which integration was served the longest ago.
            models.Index(
                fields=["integration", "leased_at"],
                name="integrations_order_leased_at",
                condition=models.Q(leased_at__isnull=False),
            ),
            # What is due next of all: the hurry, and the overview.
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
    # How many are expected in all, as the provider says; 0 where it does not know.
    total = models.PositiveIntegerField(default=0)
    # Of which lease the pages are, how many of it are kept, and where the provider can go on after the last one.
    epoch = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    resume = models.TextField(blank=True)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    # Of people only: whether everybody was told, what the next sync begins with, how many are taken over so far, how
    # many people and groups would go, and what could not be taken over.
    whole = models.BooleanField(default=True)
    cursor = models.TextField(blank=True)
    applied = models.PositiveIntegerField(default=0)
    leaving = models.PositiveIntegerField(default=0)
    groups_leaving = models.PositiveIntegerField(default=0)
    warnings = models.JSONField(default=list, blank=True)

    class Meta:
        """Kept as history."""

        default_permissions = ("view",)
        ordering = ["-id"]
        indexes = [
            # The sweep that takes people over, and what waits for a yes.
            models.Index(
                fields=["id"],
                name="integrations_run_people",
                condition=models.Q(state__in=[SyncState.WAITING, SyncState.APPLYING]),
            )
        ]

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
