"""What people make of a request beside yes and no: less of it, or a place among their favourites."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from access_requests.models.requests import AccessRequest
from accounts.models import User


class Narrowing(models.Model):
    """That an approver said yes to less: a shorter time, fewer units. What was dropped is kept here in words."""

    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="narrowings")
    approver = models.ForeignKey(User, models.PROTECT, related_name="narrowings")
    at = models.DateTimeField(default=timezone.now)
    # Null means without an end.
    old_seconds = models.PositiveIntegerField(null=True)
    new_seconds = models.PositiveIntegerField(null=True)
    dropped = models.JSONField(default=list, help_text="Each: permission, resource, resource_type, integration.")

    class Meta:
        """Read with the request."""

        default_permissions = ("view",)
        ordering = ["id"]

    def __str__(self) -> str:
        """Name the request."""
        return f"less of AR-{self.request_id}"


class Favourite(models.Model):
    """A request that a person wants to find again, to ask for the same."""

    user = models.ForeignKey(User, models.CASCADE, related_name="favourites")
    request = models.ForeignKey(AccessRequest, models.CASCADE, related_name="+")
    kept_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Kept once."""

        default_permissions = ()
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["user", "request"], name="requests_favourite_once")]

    def __str__(self) -> str:
        """Name the request."""
        return f"AR-{self.request_id}, kept by {self.user_id}"
