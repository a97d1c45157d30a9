"""Saved filters with their schedule, and exports made in the background, kept in pieces any process may serve."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from access_requests.choices import EXPORT_ICONS, EXPORT_TONES, UNFINISHED, ExportState, ReportFormat, ReportKind
from accounts.models import User


class Report(models.Model):
    """A filter somebody keeps, with the columns it is written with and, if they like, when it is sent to whom.

    `filters` are the words of an address ({"period": "last-7-day", "state": "active"}), read by the form that reads
    addresses, so that a relative period means the time before each run.
    """

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(User, models.CASCADE, related_name="saved_reports")
    kind = models.CharField(max_length=10, choices=ReportKind.choices)
    name = models.CharField(max_length=120)
    filters = models.JSONField(default=dict)
    columns = models.JSONField(default=list, help_text="Names of the fields, in order.")
    format = models.CharField(max_length=5, choices=ReportFormat.choices, default=ReportFormat.CSV)
    # Five fields; empty without a schedule. Read in the report's own time zone.
    cron = models.CharField(max_length=100, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)
    recipients = models.ManyToManyField(User, related_name="reports_received")
    # When it is due next; null while it is paused or has no schedule.
    next_run_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    # What there is to say of the last run: who was left out and why, or why it came to nothing.
    last_note = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """A name is a person's own; what is due has a schedule."""

        default_permissions = ("view", "change")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="requests_report_name_once"),
            models.CheckConstraint(
                condition=models.Q(next_run_at__isnull=True) | (~models.Q(cron="") & models.Q(paused_at__isnull=True)),
                name="requests_report_due_by_schedule",
            ),
            models.CheckConstraint(
                condition=(models.Q(cron="") & models.Q(time_zone="")) | (~models.Q(cron="") & ~models.Q(time_zone="")),
                name="requests_report_schedule_has_zone",
            ),
        ]
        indexes = [
            # The sweep that starts the reports that are due.
            models.Index(
                fields=["next_run_at"], name="requests_report_due", condition=models.Q(next_run_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        """Name the report."""
        return self.name


class Export(models.Model):
    """One CSV being made, or made: by somebody who waits for it, or by a report's schedule.

    A worker leases it with an epoch, writes part after part, each in one transaction with the place it has come to;
    whoever takes the lease after a crash goes on behind the last part that was committed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=ReportKind.choices)
    name = models.CharField(max_length=120)
    asked_by = models.ForeignKey(User, models.CASCADE, related_name="exports")
    # Everything is measured from here: "the last 30 days" stays the same however late it is written.
    asked_at = models.DateTimeField(default=timezone.now)
    filters = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    # Whether it holds what only a permission shows; then whoever fetches it needs that permission at that moment.
    sees_all = models.BooleanField(default=False)
    report = models.ForeignKey(Report, models.SET_NULL, null=True, related_name="runs")
    # The moment of the schedule this is the run of.
    due_at = models.DateTimeField(null=True, blank=True)
    recipients = models.ManyToManyField(User, related_name="exports_received")
    state = models.CharField(max_length=10, choices=ExportState.choices, default=ExportState.QUEUED)
    error = models.TextField(blank=True)
    rows_total = models.PositiveBigIntegerField(null=True, blank=True)
    rows_done = models.PositiveBigIntegerField(default=0)
    # Of the text, before it is compressed; and of the parts.
    size = models.PositiveBigIntegerField(default=0)
    packed_size = models.PositiveBigIntegerField(default=0)
    parts_done = models.PositiveIntegerField(default=0)
    # Behind which row to go on; only what wrote it can read it.
    cursor = models.CharField(max_length=100, blank=True)
    # Nobody else works on it before this; past it, anybody may. Null once it is over.
    leased_until = models.DateTimeField(null=True, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    # Attempts since the last part that was committed.
    attempts = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """What is unfinished may be claimed, what is finished goes at its time."""

        default_permissions = ()
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(state__in=UNFINISHED) & models.Q(leased_until__isnull=False))
                | (~models.Q(state__in=UNFINISHED) & models.Q(leased_until__isnull=True)),
                name="requests_export_unfinished_has_lease",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=ExportState.DONE)
                | models.Q(finished_at__isnull=False, expires_at__isnull=False, rows_total__isnull=False),
                name="requests_export_done_says_when",
            ),
            models.UniqueConstraint(
                fields=["report", "due_at"],
                condition=models.Q(report__isnull=False, due_at__isnull=False),
                name="requests_export_run_once",
            ),
        ]
        indexes = [
            # The job that writes exports: what may be claimed.
            models.Index(
                fields=["leased_until"], name="requests_export_claim", condition=models.Q(state__in=UNFINISHED)
            ),
            # The job that tidies up.
            models.Index(
                fields=["expires_at"], name="requests_export_expiry", condition=models.Q(state=ExportState.DONE)
            ),
            # The page of one's own exports.
            models.Index(fields=["asked_by", "-asked_at"], name="requests_export_mine"),
        ]

    def __str__(self) -> str:
        """Name the export."""
        return self.name

    @property
    def unfinished(self) -> bool:
        """Whether it is still to be written."""
        return self.state in UNFINISHED

    @property
    def tone(self) -> str:
        """How the state looks."""
        return EXPORT_TONES[ExportState(self.state)]

    @property
    def icon(self) -> str:
        """The state's icon."""
        return EXPORT_ICONS[ExportState(self.state)]


class ExportPart(models.Model):
    """A piece of an export: one gzip member. All of them, one after the other, are one gzip file."""

    export = models.ForeignKey(Export, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        """Numbered from 1 without a gap."""

        default_permissions = ()
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="requests_export_part_once")]

    def __str__(self) -> str:
        """Number it."""
        return f"part {self.number}"
