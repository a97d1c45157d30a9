"""Remote connectors: what lets one in, what it is asked to try, and what people had before anything was given."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User
from integrations.models.systems import Connector, ConnectorInstance, Integration


class ConnectorToken(models.Model):
    """What lets a connector's instances in. Only its SHA-256 is kept: it is shown once, when it is made."""

    connector = models.ForeignKey(Connector, models.CASCADE, related_name="tokens")
    # The part that is no secret: it tells tokens apart on pages and in logs.
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Several at once, so that one can be replaced without a gap."""

        default_permissions = ("view",)
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        """Show the part that is no secret."""
        return f"lkc_{self.prefix}_…"


class Trial(models.Model):
    """A configuration that is not saved, to be checked by a remote connector; gone once the answer was read."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connector = models.ForeignKey(Connector, models.CASCADE, related_name="trials")
    provider = models.CharField(max_length=60)
    # The saved integration that it is about, else an id of its own.
    integration = models.UUIDField()
    config = models.JSONField()
    # Ciphertext of the built-in store (actions.secrets.keep_draft); never anything in clear.
    secrets = models.JSONField(default=dict)
    # Secret fields that the connector reads from a store by itself: field to store and reference.
    references = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    taken_by = models.ForeignKey(ConnectorInstance, models.CASCADE, null=True, blank=True, related_name="trials")
    # The report, as in Order.result; null until it is there.
    result = models.JSONField(null=True, blank=True)

    class Meta:
        """Taken by whichever instance has a free slot first."""

        default_permissions = ()
        indexes = [
            # What waits for an instance of a connector.
            models.Index(
                fields=["connector", "created_at"],
                name="integrations_trial_waiting",
                condition=models.Q(taken_by__isnull=True),
            ),
            # The sweep that removes what nobody waits for any more.
            models.Index(fields=["expires_at"], name="integrations_trial_expired"),
        ]

    def __str__(self) -> str:
        """Name the row, never what is in it."""
        return f"trial {self.id}"


class BaselineUnit(models.Model):
    """Whether a person had something before it was first given to them: then it is standing, and stays.

    Asked by providers that give access to accounts which people have anyway; forgotten when no grant that is open names
    the unit any more.
    """

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="baseline", db_index=False)
    person = models.ForeignKey(User, models.CASCADE, related_name="baseline")
    resource_type = models.CharField(max_length=60)
    resource = models.CharField(max_length=700)
    permission = models.CharField(max_length=200)
    standing = models.BooleanField()
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """What is known of a unit is there once. The unique index serves every read."""

        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "person", "resource_type", "resource", "permission"],
                name="integrations_baseline_once",
            ),
        ]

    def __str__(self) -> str:
        """Show unit and answer."""
        return f"{self.permission} on {self.resource}: {'standing' if self.standing else 'not there before'}"
