"""Templates of requests: what a person asks for often, named by them."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User


class RequestTemplate(models.Model):
    """What a person asks for often, as a client names it. It gives nothing: policy decides when it is asked for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The unique pair serves as its index.
    user = models.ForeignKey(User, models.CASCADE, related_name="request_templates", db_index=False)
    name = models.CharField(max_length=200)
    # Texts as a client sent them: ids of integrations, types, resources, permissions.
    integrations = models.JSONField(default=list)
    resource_types = models.JSONField(default=list)
    resources = models.JSONField(default=list)
    permissions = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """A person's own, each name once."""

        default_permissions = ()
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="requests_template_name_once")]

    def __str__(self) -> str:
        """Show the name."""
        return self.name
