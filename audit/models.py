"""Tables of the trail. Append-only: triggers in the database refuse every update and delete (migration 0002)."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone


class AuditEntry(models.Model):
    """One thing that happened. Actor and subject are snapshots, so the entry outlives both."""

    # Ties together the entries of one operation (one click, one sweep, one report).
    operation = models.UUIDField(default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    action = models.CharField(max_length=80)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    actor_email = models.CharField(max_length=254, blank=True)
    source = models.CharField(max_length=20)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_name = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        """Indexes say who reads by them."""

        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("export_auditentry", "Can export the audit trail")]
        indexes = [
            # The activity pages: newest first within a period.
            models.Index(fields=["at"], name="audit_entry_at"),
            # The record of one request, person or integration.
            models.Index(fields=["subject_type", "subject_id", "id"], name="audit_entry_subject"),
            # What one person did.
            models.Index(fields=["actor_id", "id"], name="audit_entry_actor"),
            # The entries of one operation.
            models.Index(fields=["operation"], name="audit_entry_operation"),
        ]

    def __str__(self) -> str:
        """Say who did what to what."""
        return f"{self.actor_name or self.actor_kind}: {self.action} {self.subject_name}".strip()


class UnsealedEntry(models.Model):
    """An entry that the sealer has still to chain; a trigger inserts it with the entry, the sealer removes it."""

    entry = models.OneToOneField(AuditEntry, on_delete=models.DO_NOTHING, primary_key=True, related_name="unsealed")

    class Meta:
        """Nobody manages these by hand."""

        default_permissions = ()

    def __str__(self) -> str:
        """Name the entry."""
        return f"unsealed {self.pk}"


class AuditSeal(models.Model):
    """One link of the hash chain: SHA-256 over previous digest, sequence, time of sealing and the entry's content."""

    sequence = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, on_delete=models.DO_NOTHING, related_name="seal")
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Append-only like the entries."""

        ordering = ["sequence"]
        default_permissions = ()

    def __str__(self) -> str:
        """Name the link."""
        return f"seal {self.sequence}"
