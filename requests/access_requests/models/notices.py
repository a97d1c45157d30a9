"""What other systems are told of overdue access: which, and each notice until it has arrived."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from flows.models import Webhook


class OverdueWebhook(models.Model):
    """A webhook that is told of overdue access."""

    webhook = models.OneToOneField(Webhook, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Marked, or not."""

        ordering = ["pk"]
        verbose_name = "webhook told of overdue access"
        verbose_name_plural = "webhooks told of overdue access"

    def __str__(self) -> str:
        """Name the webhook."""
        return self.webhook.name


class OverdueNotice(models.Model):
    """One call to one webhook, as it was when it was due; tried until it arrives or the next one takes its place."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="+")
    # Whether it says that something is overdue, or that all is well again.
    overdue = models.BooleanField()
    told = models.JSONField(help_text="The body that is sent.")
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    # When it arrived, or a newer one took its place.
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The latest of a webhook says what it knows."""

        default_permissions = ("view",)
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook"], condition=Q(done_at__isnull=True), name="requests_notice_one_waits"
            )
        ]
        indexes = [
            # What the webhook was told last.
            models.Index(fields=["webhook", "-created_at"], name="requests_notice_latest")
        ]

    def __str__(self) -> str:
        """Say what it tells."""
        return "overdue" if self.overdue else "all is well"
