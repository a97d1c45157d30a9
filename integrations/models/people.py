"""Directories and shift schedules: how what they tell is taken over, what a sync has read, who is on shift."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.models import User
from integrations.choices import Told
from integrations.models.orders import SyncRun
from integrations.models.systems import Integration

SHARE_DEFAULT = 10


class Directory(models.Model):
    """How people are taken over from an integration that tells of people."""

    integration = models.OneToOneField(Integration, models.CASCADE, related_name="directory", primary_key=True)
    share_percent = models.PositiveSmallIntegerField(
        "share that may go without a yes",
        default=SHARE_DEFAULT,
        validators=[MaxValueValidator(100)],
        help_text="Per cent of its people, or of its groups. A sync that would take more waits for an admin’s yes.",
    )
    creates_people = models.BooleanField(
        "make people of who is new",
        default=True,
        help_text="Without, only people who are here already get what the directory tells of them.",
    )
    sync_minutes = models.PositiveIntegerField(
        "minutes between two syncs",
        default=15,
        validators=[MinValueValidator(5), MaxValueValidator(1440)],
    )
    whole_hours = models.PositiveIntegerField(
        "hours between two whole readings",
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text="In between, only what changed is asked for, where the directory can tell that.",
    )
    # What the next sync begins with, as the provider said it; empty: with everybody.
    cursor = models.TextField(blank=True, editable=False)
    whole_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        """Edited with the integration's own permission."""

        default_permissions = ()

    def __str__(self) -> str:
        """Name the integration."""
        return f"directory {self.integration_id}"


class DirectoryAttribute(models.Model):
    """Which part of a directory's record of a person becomes an attribute, and of which type."""

    directory = models.ForeignKey(Directory, models.CASCADE, related_name="attributes")
    path = models.CharField(max_length=200)
    type = models.CharField(max_length=100)

    class Meta:
        """A path becomes a type once."""

        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["directory", "path", "type"], name="integrations_directory_path_once")
        ]

    def __str__(self) -> str:
        """Show both."""
        return f"{self.path} → {self.type}"


class StagedFact(models.Model):
    """What a sync of people has read, or concluded from it, and not taken over yet. Each row goes when it is."""

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="facts", db_index=False)
    # Of what comes first when it is taken over.
    step = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Told.choices)
    # The source id of the person, group or schedule.
    key = models.CharField(max_length=300)
    # Of a membership the person's source id, of a shift whom it names.
    other = models.CharField(max_length=300, blank=True)
    active = models.BooleanField(default=True)
    data = models.JSONField(default=dict)

    class Meta:
        """Read in the order of its steps."""

        default_permissions = ()
        indexes = [
            # Taking over: what comes next.
            models.Index(fields=["run", "step", "id"], name="integrations_fact_next"),
            # The plan, and all that is told of one group.
            models.Index(fields=["run", "kind", "key"], name="integrations_fact_about"),
        ]

    def __str__(self) -> str:
        """Show what it is about."""
        return f"{self.kind} {self.key}"


class Shift(models.Model):
    """Somebody on a shift of a schedule, for a time. While it runs, they have the attribute that says so."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="shifts")
    user = models.ForeignKey(User, models.CASCADE, related_name="shifts")
    name = models.CharField(max_length=300)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # The sync that told it; those of an earlier one go when a later one is done.
    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="shifts")

    class Meta:
        """Told by the schedule, changed by nobody here."""

        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="integrations_shift_lasts"
            )
        ]

    def __str__(self) -> str:
        """Name the schedule."""
        return self.name
