"""Other systems that are asked: as an approver, or as a check before anybody is."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from flows.models.flows import AccessFlow
from integrations.models import StoredSecret

_METHODS = [(name, name) for name in ("POST", "PUT", "GET", "PATCH", "DELETE")]


class Webhook(models.Model):
    """How another system is asked, and when its answer is a yes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    description = models.TextField(blank=True)
    active = models.BooleanField(default=True, help_text="Switched off it is not asked, which is no yes.")
    method = models.CharField(max_length=6, choices=_METHODS, default="POST")
    url = models.URLField(max_length=1000)
    # JSON whose strings may hold slots ("{{ request.justification }}"): values go into the parsed tree, never the text.
    body = models.JSONField(default=dict, blank=True)
    # Headers that are no secret.
    headers = models.JSONField(default=dict, blank=True)
    # OAuth client credentials: {"token_url", "client_id", "scope"}; the client's secret is a stored secret.
    oauth = models.JSONField(default=dict, blank=True)
    # A list of {"path" (JSON path), "operator" (MatchOperator), "value"}; all have to hold.
    validators = models.JSONField(default=list, blank=True)
    timeout_seconds = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    error_message = models.CharField(
        max_length=300, blank=True, help_text="What the person reads when the answer is no yes."
    )
    # What an API client wrote that nothing else keeps, to be told back (flows.api.older.webhooks).
    as_written = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Found by name."""

        ordering = ["name"]

    def __str__(self) -> str:
        """Name the webhook."""
        return self.name


class WebhookSecret(models.Model):
    """A secret of a webhook, by field: "oauth_client_secret", or "header:NAME"."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="secrets")
    field = models.CharField(max_length=200)
    secret = models.ForeignKey(StoredSecret, models.PROTECT, related_name="+")

    class Meta:
        """One secret a field."""

        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["webhook", "field"], name="flows_webhook_secret_once")]

    def __str__(self) -> str:
        """Name the field, never the value."""
        return self.field


class FlowCheck(models.Model):
    """A webhook that has to say yes before a request of the flow goes on."""

    flow = models.ForeignKey(AccessFlow, models.CASCADE, related_name="checks")
    webhook = models.ForeignKey(Webhook, models.PROTECT, related_name="checks")

    class Meta:
        """A webhook checks a flow once."""

        default_permissions = ("view",)
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["flow", "webhook"], name="flows_check_once")]

    def __str__(self) -> str:
        """Name the flow, for whoever would delete the webhook."""
        return f"access flow {self.flow}"
